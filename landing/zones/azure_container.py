"""A landing zone in an Azure Blob container: the service itself pulls the bytes wherever it can reach the source.

A source that the service cannot reach (an emulator on this machine) is streamed through this process instead.

Source: https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api
"""

import asyncio
import hashlib
import io
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.blob import BlobProperties, ContentSettings
from azure.storage.blob.aio import BlobClient, BlobPrefix, ContainerClient

from failures import Incomplete, LandingUnavailable
from failures.doubts import Doubts
from landing.detours import CannotPull, Detours
from landing.hosts import is_loopback
from landing.source import Source, SourceReader
from landing.zones.azure_copying import pull, stream, target_condition
from landing.zones.azure_errors import cannot_pull, error_code, storage_faults
from landing.zones.azure_patience import answered_within
from landing.zones.protocol import AlreadyThere, Copy, Landed, Stored

READ_AT_ONCE = 4 << 20
"""Bytes of a blob that are read back by one request: the client's default for the first one is 32 MiB."""

DELETED_AT_ONCE = 16
"""Blobs that are deleted in parallel."""


class AzureContainer:
    """A landing zone below a prefix of one container. `listed_at_once`: blobs in one answer to a listing."""

    listed_at_once = 1_000

    def __init__(
        self,
        container: ContainerClient,
        prefix: str,
        sources: SourceReader,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.url = "/".join(part for part in (container.url.split("?")[0], prefix) if part)
        self._container = container
        self._prefix = f"{prefix}/" if prefix else ""
        self._sources = sources
        self._doubts = Doubts(now)
        self._detours = Detours(now)

    async def prepare(self) -> None:
        """Creates the container where it is missing; an identity that may not is left to find it there."""
        with self._faults():
            try:
                await self._container.create_container()
            except HttpResponseError as fault:
                if fault.status_code != 403 and error_code(fault) != "ContainerAlreadyExists":
                    raise

    async def read(self, path: str) -> Stored | None:
        """The small blob at `path`; None where there is none."""
        with self._faults():
            try:
                async with answered_within():
                    download = await self._blob(path).download_blob()
                    return Stored(await download.readall(), str(download.properties.etag))
            except ResourceNotFoundError:
                return None

    async def write(self, path: str, content: bytes) -> None:
        """Writes the small blob in one request."""
        with self._writing():
            await self._blob(path).upload_blob(io.BytesIO(content), length=len(content), overwrite=True)

    async def swap(self, path: str, content: bytes, seen: str | None) -> bool:
        """Writes the small blob on the condition of its eTag."""
        try:
            with self._writing():
                await self._blob(path).upload_blob(content, overwrite=True, **target_condition(seen))
        except AlreadyThere:
            return False
        return True

    async def swap_file(self, path: str, file: Path, seen: str | None) -> bool:
        """Uploads the file, a large one in blocks, and commits it on the condition of the eTag."""
        try:
            with self._writing(), file.open("rb") as content:
                md5 = hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).digest()
                content.seek(0)
                await self._blob(path).upload_blob(
                    content,
                    overwrite=True,
                    content_settings=ContentSettings(content_md5=bytearray(md5)),
                    **target_condition(seen),
                )
        except AlreadyThere:
            return False
        return True

    async def find(self, path: str) -> Landed | None:
        """The blob's properties; None where there is none."""
        with self._faults():
            try:
                return self._landed(path, await self._blob(path).get_blob_properties())
            except ResourceNotFoundError:
                return None

    async def list(self, folder: str) -> AsyncIterator[Landed]:
        """Everything below the folder, as the service lists it.

        With a hierarchical namespace it lists folders too, as empty blobs that their metadata gives away.
        """
        with self._faults():
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
        with self._faults():
            listed = self._container.walk_blobs(name_starts_with=below, delimiter="/")
            return [
                str(item.name).removeprefix(below).rstrip("/") async for item in listed if isinstance(item, BlobPrefix)
            ]

    async def remove(self, path: str, seen: str | None = None) -> None:
        """Deletes the blob, on the condition of its eTag where one is given."""
        await self._delete(path, seen)

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
        with suppress(AlreadyThere), self._faults(), suppress(ResourceNotFoundError):
            await self._blob(path).delete_blob(**target_condition(tag) if tag else {})

    async def remove_unfinished(self, folder: str) -> None:
        """Nothing: the service removes staged blocks that are never committed after a week."""

    async def copy(self, url: str, path: str, *, replacing: str | None = None, out_of_time: Callable[[], bool]) -> Copy:
        """Copies by the fewest calls that the source's length and whereabouts allow."""
        source = await self._sources.describe(url)
        blob = self._blob(path)
        with self._faults():
            # The service refuses to pull a blob of no bytes.
            if not source.length or not self._can_pull(source):
                return await stream(blob, source, replacing, out_of_time, self._sources)
            return await self._detours.copy(
                source,
                lambda source: _pulled(pull(blob, source, replacing, out_of_time)),
                self._sources.describe,
                lambda source: stream(blob, source, replacing, out_of_time, self._sources),
            )

    async def stream(self, path: str) -> AsyncGenerator[bytes]:
        """Downloads the blob in ranges, each on the condition that it still is the one that the first was of."""
        name = path.rpartition("/")[2]
        try:
            with self._faults():
                try:
                    download = await self._blob(path).download_blob()
                except ResourceNotFoundError:
                    raise Incomplete(f"The blob {name!r} is not in the landing zone.") from None
                pieces = aiter(download.chunks())
                while piece := await _next(pieces):
                    yield piece
        except AlreadyThere:
            raise LandingUnavailable(f"The blob {name!r} was replaced while it was read.") from None

    async def make_durable(self, paths: Sequence[str]) -> None:
        """The service has done so before it answered."""

    async def close(self) -> None:
        """Closes the connections of the container's client."""
        await self._container.close()

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Tells faults as ours; a refusal may pass at first, as that of a role which was only just assigned."""
        with self._doubts.doubting(allowed=True), storage_faults():
            yield

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """The same for what shows that the app may write."""
        with self._doubts.about(allowed=True), storage_faults():
            yield

    def _blob(self, path: str) -> BlobClient:
        return self._container.get_blob_client(self._prefix + path)

    def _can_pull(self, source: Source) -> bool:
        """Whether the service may reach the source: not on this machine, unless the service itself is there too."""
        return not is_loopback(urlsplit(source.url).hostname) or _origin(source.url) == _origin(self.url)

    @staticmethod
    def _landed(path: str, properties: BlobProperties) -> Landed:
        md5 = properties.content_settings.content_md5
        known = bytes(md5).hex() if md5 else None
        return Landed(path, int(properties.size), properties.last_modified, known, str(properties.etag))


async def _pulled(pulling: Awaitable[Copy]) -> Copy:
    try:
        return await pulling
    except HttpResponseError as refusal:
        if cannot_pull(refusal):
            raise CannotPull from None
        raise


async def _next(pieces: AsyncIterator[bytes]) -> bytes | None:
    async with answered_within():
        return await anext(pieces, None)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
