"""A landing zone in memory: all hosts share what has landed, and each has a way of its own to get there."""

import hashlib
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from failures import (
    LATER,
    Incomplete,
    LandingRefused,
    LandingUnavailable,
    SourceExpired,
    SourceMissing,
    TokenUnavailable,
)
from landing.detours import CannotPull, Detours
from landing.source import Source, SourceReader
from landing.zones.protocol import AlreadyThere, Copy, Landed, OutOfTime, Stored
from tests.simulation.chance import Chance
from tests.simulation.virtual_time import now


@dataclass(frozen=True)
class Blob:
    """What stands at a path; `md5` only where the zone knows it."""

    content: bytes
    md5: str | None
    tag: str
    modified: datetime


@dataclass
class Storage:
    """What has landed, and everything that was written, in that order. `knows_md5`: of each blob, as a folder does.

    `slices` of time are over in the middle of each blob, where time is short. `unreached`: how often the account's own
    network keeps it from the source.
    """

    knows_md5: bool
    slices: int
    unreached: float = 0.0
    blobs: dict[str, Blob] = field(default_factory=dict)
    writes: list[tuple[str, bytes]] = field(default_factory=list)
    staged: Counter[str] = field(default_factory=Counter)

    def put(self, path: str, content: bytes, md5: str | None = None) -> None:
        """The blob stands at the path, whatever stood there before."""
        self.writes.append((path, content))
        md5 = hashlib.md5(content).hexdigest() if self.knows_md5 else md5
        self.blobs[path] = Blob(content, md5, f"tag-{len(self.writes)}", now())

    def paths(self, ending: str, within: str = "") -> list[str]:
        """The paths with this ending and this part."""
        return sorted(path for path in self.blobs if path.endswith(ending) and within in path)

    def stands(self, path: str, tag: str | None) -> bool:
        """Whether what stands at the path has this tag; None stands for nothing."""
        there = self.blobs.get(path)
        return (there and there.tag) == tag


class MemoryZone:
    """What `landing.zones.protocol.LandingZone` asks for. Any call may fail, before its effect or after it."""

    url = "memory://landing"

    def __init__(self, storage: Storage, sources: SourceReader, chance: Chance) -> None:
        self._storage = storage
        self._sources = sources
        self._chance = chance
        self._detours = Detours(now)

    async def prepare(self) -> None:
        """Nothing is missing."""

    async def read(self, path: str) -> Stored | None:
        async with self._request():
            blob = self._storage.blobs.get(path)
        return Stored(blob.content, blob.tag) if blob else None

    async def write(self, path: str, content: bytes) -> None:
        async with self._request():
            self._storage.put(path, content)

    async def swap(self, path: str, content: bytes, seen: str | None) -> bool:
        return await self._swap(path, content, seen)

    async def swap_file(self, path: str, file: Path, seen: str | None) -> bool:
        content = file.read_bytes()
        return await self._swap(path, content, seen, hashlib.md5(content).hexdigest())

    async def find(self, path: str) -> Landed | None:
        async with self._request():
            return self._landed(path) if path in self._storage.blobs else None

    async def list(self, folder: str) -> AsyncIterator[Landed]:
        async with self._request():
            landed = [self._landed(path) for path in self._storage.paths("", f"{folder}/")]
        for blob in landed:
            yield blob

    async def folders(self, folder: str) -> Sequence[str]:
        async with self._request():
            below = {path.removeprefix(f"{folder}/") for path in self._storage.paths("") if path.startswith(folder)}
        return sorted({path.partition("/")[0] for path in below if "/" in path})

    async def remove(self, path: str, seen: str | None = None) -> None:
        async with self._request():
            if seen is None or self._storage.stands(path, seen):
                self._storage.blobs.pop(path, None)

    async def remove_folder(self, folder: str, last: str) -> None:
        present = [landed async for landed in self.list(folder) if landed.path != last]
        for landed in present:
            async with self._request():
                if self._storage.stands(landed.path, landed.tag):
                    del self._storage.blobs[landed.path]
        await self.remove(last)

    async def remove_unfinished(self, folder: str) -> None:
        """Nothing is ever unfinished here."""

    async def copy(self, url: str, path: str, *, replacing: str | None = None, out_of_time: Callable[[], bool]) -> Copy:
        source = await self._sources.describe(url)

        async def pull(source: Source) -> Copy:
            async with self._request():
                self._require(path, replacing)
            self._stage(path, out_of_time)
            if self._chance.is_so(self._storage.unreached):
                raise CannotPull
            try:
                await self._land(source, path, replacing)
            except (SourceExpired, SourceMissing):
                # To the account it looks the same.
                raise CannotPull from None
            return Copy(source, source.md5, "service" if source.md5 else "length")

        async def stream(source: Source) -> Copy:
            self._stage(path, out_of_time)
            return Copy.compared(source, await self._land(source, path, replacing))

        return await self._detours.copy(source, pull, self._sources.describe, stream)

    async def _land(self, source: Source, path: str, replacing: str | None) -> str:
        content = await self._sources.fetch(source)
        md5 = hashlib.md5(content).hexdigest()
        source.require_md5(md5)
        async with self._request():
            self._require(path, replacing)
            self._storage.put(path, content, source.md5)
        return md5

    async def stream(self, path: str) -> AsyncGenerator[bytes]:
        async with self._request():
            blob = self._storage.blobs.get(path)
        if blob is None:
            raise Incomplete(path)
        yield blob.content

    async def make_durable(self, paths: Sequence[str]) -> None:
        """No power cut reaches it."""

    async def close(self) -> None:
        """Nothing is open."""

    @asynccontextmanager
    async def _request(self) -> AsyncIterator[None]:
        await self._chance.pass_time(1)
        if self._chance.strikes(0.02):
            raise LandingUnavailable("The landing zone is busy.")
        if self._chance.strikes(0.004):
            raise self._chance.pick([TokenUnavailable("No token."), LandingRefused("No right now.", kind=LATER)])
        yield
        if self._chance.strikes(0.02):
            raise LandingUnavailable("The landing zone's answer was lost.")

    async def _swap(self, path: str, content: bytes, seen: str | None, md5: str | None = None) -> bool:
        async with self._request():
            if not self._storage.stands(path, seen):
                return False
            self._storage.put(path, content, md5)
        return True

    def _require(self, path: str, tag: str | None) -> None:
        if not self._storage.stands(path, tag):
            raise AlreadyThere

    def _stage(self, path: str, out_of_time: Callable[[], bool]) -> None:
        if out_of_time() and self._storage.staged[path] < self._storage.slices:
            self._storage.staged[path] += 1
            raise OutOfTime

    def _landed(self, path: str) -> Landed:
        blob = self._storage.blobs[path]
        return Landed(path, len(blob.content), blob.modified, blob.md5, blob.tag)
