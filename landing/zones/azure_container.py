"""A landing zone in an Azure Blob container: the service itself pulls the bytes wherever it can reach the source.

Up to 256 MiB a blob is copied by one call, larger ones go in blocks that survive a crash. A source that the service
cannot reach (an emulator on this machine) is streamed through this process instead, a block at a time.

Source: https://learn.microsoft.com/rest/api/storageservices/copy-blob-from-url, put-block-from-url, put-block-list
"""

import asyncio
import base64
import hashlib
import io
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.storage.blob import BlobBlock, BlobProperties, ContentSettings
from azure.storage.blob.aio import BlobClient, BlobPrefix, ContainerClient

from failures import Incomplete, LandingFailure, LandingRefused, LandingUnavailable, SourceUnavailable
from failures.text import MOST_CODE_CHARACTERS, cleaned
from landing.hosts import is_loopback
from landing.source import Source, SourceReader, source_error
from landing.zones.protocol import AlreadyThere, Copy, Landed, OutOfTime, Stored

MOST_AT_ONCE = 256 << 20
"""Bytes: Copy Blob From URL takes no more."""

PULLED_BLOCK = 64 << 20
"""Bytes that the service pulls in one Put Block From URL: 50,000 such blocks make 3 TiB, and one takes seconds."""

STREAMED_BLOCK = 1 << 20
"""Bytes that pass through this process at once for one blob: what aiohttp sends without holding up the loop."""

READ_AT_ONCE = 4 << 20
"""Bytes of a blob that are read back by one request: the client's default for the first one is 32 MiB."""

DELETED_AT_ONCE = 16
"""Blobs that are deleted in parallel."""

MOST_BLOCKS = 50_000
"""Blocks that one blob can have."""

PULL_SECONDS = 240
"""Seconds given to a call in which the service pulls: the client's default of 60 is too short for 256 MiB, and with a
slice of time before it the activity must end within a plan's 10 minutes."""

# For the service, and for the client, under its own name; the caller tries again, not the client.
_PATIENTLY: dict[str, Any] = {"timeout": PULL_SECONDS, "read_timeout": PULL_SECONDS, "retry_total": 0}
# Staged blocks are gone once another copy of the same blob was committed; a container's name is free again in a while.
_TEMPORARY = frozenset({"InvalidBlockList", "ContainerBeingDeleted"})
_OCCUPIED = frozenset({"BlobAlreadyExists", "ConditionNotMet", "TargetConditionNotMet", "UnauthorizedBlobOverwrite"})


class AzureContainer:
    """A landing zone below a prefix of one container. `listed_at_once`: blobs in one answer to a listing."""

    listed_at_once = 1_000

    def __init__(self, container: ContainerClient, prefix: str, sources: SourceReader) -> None:
        self.url = "/".join(part for part in (container.url.split("?")[0], prefix) if part)
        self._container = container
        self._prefix = f"{prefix}/" if prefix else ""
        self._sources = sources

    async def prepare(self) -> None:
        """Creates the container where it is missing; an identity that may not is left to find it there."""
        with _storage_faults():
            try:
                await self._container.create_container()
            except HttpResponseError as fault:
                if fault.status_code != 403 and _error_code(fault) != "ContainerAlreadyExists":
                    raise

    async def read(self, path: str) -> Stored | None:
        """The small blob at `path`; None where there is none."""
        with _storage_faults():
            try:
                download = await self._blob(path).download_blob()
                return Stored(await download.readall(), str(download.properties.etag))
            except ResourceNotFoundError:
                return None

    async def write(self, path: str, content: bytes) -> None:
        """Writes the small blob in one request."""
        with _storage_faults():
            await self._blob(path).upload_blob(io.BytesIO(content), length=len(content), overwrite=True)

    async def swap(self, path: str, content: bytes, seen: str | None) -> bool:
        """Writes the small blob on the condition of its eTag."""
        try:
            with _storage_faults():
                await self._blob(path).upload_blob(content, overwrite=True, **_target_condition(seen))
        except AlreadyThere:
            return False
        return True

    async def swap_file(self, path: str, file: Path, seen: str | None) -> bool:
        """Uploads the file, a large one in blocks, and commits it on the condition of the eTag."""
        try:
            with _storage_faults(), file.open("rb") as content:
                md5 = hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).digest()
                content.seek(0)
                await self._blob(path).upload_blob(
                    content,
                    overwrite=True,
                    content_settings=ContentSettings(content_md5=bytearray(md5)),
                    **_target_condition(seen),
                )
        except AlreadyThere:
            return False
        return True

    async def find(self, path: str) -> Landed | None:
        """The blob's properties; None where there is none."""
        with _storage_faults():
            try:
                return self._landed(path, await self._blob(path).get_blob_properties())
            except ResourceNotFoundError:
                return None

    async def list(self, folder: str) -> AsyncIterator[Landed]:
        """Everything below the folder, as the service lists it.

        With a hierarchical namespace it lists folders too, as empty blobs that their metadata gives away.
        """
        with _storage_faults():
            async for properties in self._listed(f"{self._prefix}{folder}/"):
                if (properties.metadata or {}).get("hdi_isfolder") != "true":
                    yield self._landed(str(properties.name).removeprefix(self._prefix), properties)

    async def _listed(self, beginning: str) -> AsyncIterator[BlobProperties]:
        """Page by page, each begun again: only so does the library ask for small ones, and 5,000 take 35 MiB."""
        below = self._container.list_blobs(beginning, include=["metadata"], results_per_page=self.listed_at_once)
        more: str | None = ""
        while more is not None:
            pages: Any = below.by_page(more or None)
            async for properties in await anext(pages):
                yield properties
            more = pages.continuation_token or None

    async def folders(self, folder: str) -> Sequence[str]:
        """The prefixes that the service lists up to the next slash."""
        below = f"{self._prefix}{folder}/"
        with _storage_faults():
            listed = self._container.walk_blobs(name_starts_with=below, delimiter="/")
            return [
                str(item.name).removeprefix(below).rstrip("/") async for item in listed if isinstance(item, BlobPrefix)
            ]

    async def remove(self, path: str) -> None:
        """Deletes the blob."""
        await self._delete(path)

    async def remove_folder(self, folder: str, last: str) -> None:
        """Deletes blob by blob, several at once, each on the condition of its eTag."""
        present = [landed async for landed in self.list(folder)]
        todo = iter([landed for landed in present if landed.path != last])

        async def work() -> None:
            for landed in todo:
                await self._delete(landed.path, landed.tag)

        await asyncio.gather(*(work() for _ in range(DELETED_AT_ONCE)))
        await self._delete(last)

    async def _delete(self, path: str, tag: str | None = None) -> None:
        with suppress(AlreadyThere), _storage_faults(), suppress(ResourceNotFoundError):
            await self._blob(path).delete_blob(**_target_condition(tag) if tag else {})

    async def remove_unfinished(self, folder: str) -> None:
        """Nothing: the service removes staged blocks that are never committed after a week."""

    async def copy(self, url: str, path: str, *, replacing: str | None = None, out_of_time: Callable[[], bool]) -> Copy:
        """Copies by the fewest calls that the source's length and whereabouts allow."""
        source = await self._sources.describe(url)
        blob = self._blob(path)
        pulled = self._can_pull(source)
        with _storage_faults():
            if pulled and 0 < source.length <= MOST_AT_ONCE:
                await _pull_whole(blob, source, replacing)
            elif not source.length or (not pulled and source.length <= STREAMED_BLOCK):
                return Copy(source, await self._stream_whole(blob, source, replacing))
            elif pulled:
                await _copy_in_blocks(blob, source, replacing, PULLED_BLOCK, _pull_block, out_of_time)
            else:
                await _copy_in_blocks(blob, source, replacing, STREAMED_BLOCK, self._stream_block, out_of_time)
        return Copy(source, source.md5)

    async def stream(self, path: str) -> AsyncGenerator[bytes]:
        """Downloads the blob in ranges, each on the condition that it still is the one that the first was of."""
        name = path.rpartition("/")[2]
        try:
            with _storage_faults():
                try:
                    download = await self._blob(path).download_blob()
                except ResourceNotFoundError:
                    raise Incomplete(f"The blob {name!r} is not in the landing zone.") from None
                async for piece in download.chunks():
                    yield piece
        except AlreadyThere:
            raise LandingUnavailable(f"The blob {name!r} was replaced while it was read.") from None

    async def make_durable(self, paths: Sequence[str]) -> None:
        """The service has done so before it answered."""

    async def close(self) -> None:
        """Closes the connections of the container's client."""
        await self._container.close()

    def _blob(self, path: str) -> BlobClient:
        return self._container.get_blob_client(self._prefix + path)

    def _can_pull(self, source: Source) -> bool:
        """Whether the service can reach the source: not on this machine, unless the service itself is there too."""
        return not is_loopback(urlsplit(source.url).hostname) or _origin(source.url) == _origin(self.url)

    @staticmethod
    def _landed(path: str, properties: BlobProperties) -> Landed:
        md5 = properties.content_settings.content_md5
        known = bytes(md5).hex() if md5 else None
        return Landed(path, int(properties.size), properties.last_modified, known, str(properties.etag))

    async def _stream_whole(self, blob: BlobClient, source: Source, replacing: str | None) -> str:
        content = await self._sources.fetch(source)
        md5 = hashlib.md5(content, usedforsecurity=False)
        if source.md5 not in (None, md5.hexdigest()):
            raise SourceUnavailable("The source's bytes do not have the MD5 that it announced.")
        settings = ContentSettings(content_md5=bytearray(md5.digest()))
        await blob.upload_blob(content, overwrite=True, content_settings=settings, **_target_condition(replacing))
        return md5.hexdigest()

    async def _stream_block(self, blob: BlobClient, source: Source, block: str, start: int, length: int) -> None:
        content = await self._sources.fetch(source, start, length)
        await blob.stage_block(block, content, length=length)


async def _pull_whole(blob: BlobClient, source: Source, replacing: str | None) -> None:
    await blob.start_copy_from_url(
        source.url,
        requires_sync=True,
        **_source_condition(source),
        **_target_condition(replacing),
        **_PATIENTLY,
    )


async def _pull_block(blob: BlobClient, source: Source, block: str, start: int, length: int) -> None:
    # The library takes the source's condition for copies only, and would pass over it here without a word.
    condition = {"x-ms-source-if-match": source.e_tag} if source.e_tag else {}
    await blob.stage_block_from_url(
        block, source.url, source_offset=start, source_length=length, headers=condition, **_PATIENTLY
    )


async def _copy_in_blocks(
    blob: BlobClient,
    source: Source,
    replacing: str | None,
    block_bytes: int,
    stage: Callable[[BlobClient, Source, str, int, int], Awaitable[None]],
    out_of_time: Callable[[], bool],
) -> None:
    block_bytes = max(block_bytes, -(-source.length // MOST_BLOCKS))
    starts = range(0, source.length, block_bytes)
    blocks = [_block_id(source, block_bytes, index) for index in range(len(starts))]
    staged = await _staged(blob)
    for block, start in zip(blocks, starts, strict=True):
        if block not in staged:
            if out_of_time():
                raise OutOfTime
            await stage(blob, source, block, start, min(block_bytes, source.length - start))
    md5 = bytearray.fromhex(source.md5) if source.md5 else None
    await blob.commit_block_list(
        [BlobBlock(block) for block in blocks],
        content_settings=ContentSettings(content_md5=md5),
        **_target_condition(replacing),
    )


async def _staged(blob: BlobClient) -> set[str]:
    try:
        _, uncommitted = await blob.get_block_list("uncommitted")
    except ResourceNotFoundError:
        return set()
    return {str(block.id) for block in uncommitted}


def _block_id(source: Source, block_bytes: int, index: int) -> str:
    """An id that only this block of this very content has: what was staged from other content is never taken for it."""
    content = hashlib.sha256(f"{source.e_tag} {source.md5} {source.length} {block_bytes}".encode()).hexdigest()[:16]
    return base64.b64encode(f"{content}-{index:05d}".encode()).decode()


def _source_condition(source: Source) -> dict[str, Any]:
    if not source.e_tag:
        return {}
    return {"source_etag": source.e_tag, "source_match_condition": MatchConditions.IfNotModified}


def _target_condition(tag: str | None) -> dict[str, Any]:
    if tag is None:
        return {"match_condition": MatchConditions.IfMissing}
    return {"etag": tag, "match_condition": MatchConditions.IfNotModified}


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


@contextmanager
def _storage_faults() -> Iterator[None]:
    """Turns the client library's errors, whose text may quote URLs, into ours."""
    try:
        yield
    except HttpResponseError as fault:
        if _error_code(fault) in _OCCUPIED:
            raise AlreadyThere from None
        raise _landing_error(fault) from None
    except AzureError as fault:
        raise LandingUnavailable(f"The landing zone did not answer ({type(fault).__name__}).") from None


def _landing_error(fault: HttpResponseError) -> LandingFailure:
    """Branches on the service's error code: the library's exception classes mislead for copies."""
    code, status = _error_code(fault), fault.status_code
    if status is None:
        return LandingUnavailable(f"The landing zone did not answer ({code}).")
    if code in {"CannotVerifyCopySource", "SourceConditionNotMet"}:
        return source_error(_source_status(fault) or status)
    if status in {408, 429} or status >= 500 or code in _TEMPORARY:
        return LandingUnavailable(f"The landing zone answered {status} {code}.")
    return LandingRefused(f"The landing zone refused: {status} {code}.")


def _error_code(fault: HttpResponseError) -> str:
    """The service's code: the storage client adds it as an enum's member or as text, azure-identity adds none."""
    code = getattr(fault, "error_code", None)
    if not code:
        return f"HTTP{fault.status_code}" if fault.status_code else type(fault).__name__
    return cleaned(getattr(code, "value", code), type(fault).__name__, MOST_CODE_CHARACTERS)


def _source_status(fault: HttpResponseError) -> int | None:
    """What the source answered to the service, which tells it in a header or in the error's body."""
    response: Any = fault.response
    told = getattr(fault, "additional_info", None) or {}
    text = str(response.headers.get("x-ms-copy-source-status-code") or told.get("copysourcestatuscode"))
    return int(text) if re.fullmatch("[1-9][0-9]{2}", text) else None
