"""How a blob gets into a container: pulled by the service from the source's SAS URL, or streamed through this process.

Up to 256 MiB a blob is pulled by one call, larger ones go in blocks that survive a crash; so does what is streamed.

Source: https://learn.microsoft.com/rest/api/storageservices/copy-blob-from-url, put-block-from-url, put-block-list
"""

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from azure.core import MatchConditions
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobBlock, ContentSettings
from azure.storage.blob.aio import BlobClient

from landing.source import Source, SourceReader
from landing.zones.protocol import AlreadyThere, Copy, OutOfTime

MOST_AT_ONCE = 256 << 20
"""Bytes: Copy Blob From URL takes no more."""

PULLED_BLOCK = 64 << 20
"""Bytes that the service pulls in one Put Block From URL: 50,000 such blocks make 3 TiB, and one takes seconds."""

STREAMED_BLOCK = 1 << 20
"""Bytes that pass through this process at once for one blob: what aiohttp sends without holding up the loop."""

MOST_BLOCKS = 50_000
"""Blocks that one blob can have."""

PULL_SECONDS = 240
"""Seconds given to a call in which the service pulls: the client's default of 60 is too short for 256 MiB, and with a
slice of time before it the activity must end within a plan's 10 minutes."""

# For the service, and for the client, under its own name; the caller tries again, not the client.
_PATIENTLY: dict[str, Any] = {"timeout": PULL_SECONDS, "read_timeout": PULL_SECONDS, "retry_total": 0}

Stage = Callable[[], Awaitable[object]]


async def pull(blob: BlobClient, source: Source, replacing: str | None, out_of_time: Callable[[], bool]) -> Copy:
    """Has the service pull the source, which is not empty, and compare it with its MD5 where one call is enough.

    Raises:
        AlreadyThere, OutOfTime: as `LandingZone.copy`.
        AzureError: the client library's own.
    """
    if source.length <= MOST_AT_ONCE:
        await _pull_whole(blob, source, replacing)
        return Copy(source, source.md5, "service" if source.md5 else "length")
    await _copy_in_blocks(blob, source, replacing, _Pulling(blob, source), out_of_time)
    return Copy(source, source.md5, "length")


async def stream(
    blob: BlobClient,
    source: Source,
    replacing: str | None,
    out_of_time: Callable[[], bool],
    sources: SourceReader,
) -> Copy:
    """Reads the source here, hashes it as it passes, and writes it, if it has its MD5.

    Raises:
        AlreadyThere, OutOfTime: as `LandingZone.copy`.
        SourceFault: when it cannot be read, or does not have its MD5.
        AzureError: the client library's own.
    """
    passing = _Passing(blob, source, sources)
    if source.length <= STREAMED_BLOCK:
        await passing.write_whole(replacing)
    else:
        await _copy_in_blocks(blob, source, replacing, passing, out_of_time)
    return Copy.compared(source, passing.md5)


def target_condition(tag: str | None) -> dict[str, Any]:
    """Lets a request change a blob only while it has this tag; None: while there is none."""
    if tag is None:
        return {"match_condition": MatchConditions.IfMissing}
    return {"etag": tag, "match_condition": MatchConditions.IfNotModified}


async def _pull_whole(blob: BlobClient, source: Source, replacing: str | None) -> None:
    # The library has an argument for the MD5, and passes over it here without a word.
    compared = {"x-ms-source-content-md5": base64.b64encode(bytes.fromhex(source.md5)).decode()} if source.md5 else {}
    await blob.start_copy_from_url(
        source.url,
        requires_sync=True,
        headers=compared,
        **_source_condition(source),
        **target_condition(replacing),
        **_PATIENTLY,
    )


class _Way(Protocol):
    """How the blocks of one blob get there: `size` bytes each at the least. `md5` (hex) is known at the end."""

    size: int

    @property
    def md5(self) -> str | None:
        """The blob's MD5, once all of it is there."""

    async def block(self, name: str, start: int, length: int) -> tuple[str, Stage]:
        """The id of the block with this name, and how it is staged."""

    def finish(self) -> None:
        """Raises `SourceUnavailable` where what was staged is not the source."""


class _Pulling:
    """The service reads each block; nobody compares it."""

    size = PULLED_BLOCK

    def __init__(self, blob: BlobClient, source: Source) -> None:
        self._blob = blob
        self._source = source
        self.md5 = source.md5

    async def block(self, name: str, start: int, length: int) -> tuple[str, Stage]:
        return name, lambda: self._pull(name, start, length)

    def finish(self) -> None: ...

    async def _pull(self, block: str, start: int, length: int) -> None:
        # The library takes the source's condition for copies only, and would pass over it here without a word.
        condition = {"x-ms-source-if-match": self._source.e_tag} if self._source.e_tag else {}
        await self._blob.stage_block_from_url(
            block, self._source.url, source_offset=start, source_length=length, headers=condition, **_PATIENTLY
        )


class _Passing:
    """Each block passes through this process.

    One that was staged in an earlier slice of time is read again, for the hash only; its own hash is in its id, so
    that bytes which had come otherwise are not taken for the source's.
    """

    size = STREAMED_BLOCK

    def __init__(self, blob: BlobClient, source: Source, sources: SourceReader) -> None:
        self._blob = blob
        self._source = source
        self._sources = sources
        self._whole = hashlib.md5(usedforsecurity=False)

    @property
    def md5(self) -> str:
        return self._whole.hexdigest()

    async def write_whole(self, replacing: str | None) -> None:
        content = await self._sources.fetch(self._source)
        self._whole.update(content)
        self.finish()
        settings = _content_settings(self.md5)
        condition = target_condition(replacing)
        await self._blob.upload_blob(
            content, overwrite=True, content_settings=settings, validate_content=True, **condition
        )

    async def block(self, name: str, start: int, length: int) -> tuple[str, Stage]:
        content = await self._sources.fetch(self._source, start, length)
        block = f"{name}-{await asyncio.to_thread(self._hash, content)}"
        return block, lambda: self._blob.stage_block(block, content, length=length, validate_content=True)

    def finish(self) -> None:
        self._source.require_md5(self.md5)

    def _hash(self, content: bytes) -> str:
        self._whole.update(content)
        return hashlib.md5(content, usedforsecurity=False).hexdigest()


async def _copy_in_blocks(
    blob: BlobClient, source: Source, replacing: str | None, way: _Way, out_of_time: Callable[[], bool]
) -> None:
    if replacing is None and await blob.exists():
        raise AlreadyThere
    size = max(way.size, -(-source.length // MOST_BLOCKS))
    staged = await _staged(blob)
    blocks: list[str] = []
    got_further = False
    for index, start in enumerate(range(0, source.length, size)):
        # Time is looked at after a block, not before: every slice gets further, however short it is.
        if got_further and out_of_time():
            raise OutOfTime
        name = f"{_content_id(source, size)}-{index:05d}"
        block, stage = await way.block(name, start, min(size, source.length - start))
        if block not in staged:
            await stage()
            got_further = True
        blocks.append(block)
    way.finish()
    await blob.commit_block_list(
        [BlobBlock(block) for block in blocks],
        content_settings=_content_settings(way.md5),
        **target_condition(replacing),
    )


async def _staged(blob: BlobClient) -> set[str]:
    try:
        _, uncommitted = await blob.get_block_list("uncommitted")
    except ResourceNotFoundError:
        return set()
    return {str(block.id) for block in uncommitted}


def _content_id(source: Source, block_bytes: int) -> str:
    """What only ids of this very content's blocks begin with: what was staged from another is never taken for it.

    All ids of a blob have one length, and no more than 64 bytes.
    """
    return hashlib.sha256(f"{source.e_tag} {source.md5} {source.length} {block_bytes}".encode()).hexdigest()[:16]


def _content_settings(md5: str | None) -> ContentSettings:
    return ContentSettings(content_md5=bytearray.fromhex(md5) if md5 else None)


def _source_condition(source: Source) -> dict[str, Any]:
    if not source.e_tag:
        return {}
    return {"source_etag": source.e_tag, "source_match_condition": MatchConditions.IfNotModified}
