"""Sources and a landing zone that take no time: what an export takes with them is all but the copies."""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from landing.source import Source
from landing.zones.protocol import AlreadyThere, Copy, Landed, Stored

LENGTH = 64 << 10
"""Bytes that every blob says it has."""


class InstantZone:
    """A landing zone in memory; blobs land without their bytes."""

    url = "memory://landing"

    def __init__(self) -> None:
        self._landed: dict[str, Landed] = {}
        self._contents: dict[str, bytes] = {}

    async def prepare(self) -> None:
        """Nothing is to be made."""

    async def close(self) -> None:
        """Nothing is open."""

    async def read(self, path: str) -> Stored | None:
        """The small file."""
        content = self._contents.get(path)
        return None if content is None else Stored(content, _tag(content))

    async def write(self, path: str, content: bytes) -> None:
        """Keeps the small file."""
        self._contents[path] = content
        self._landed[path] = Landed(path, len(content), datetime.now(UTC), tag=_tag(content))

    async def swap(self, path: str, content: bytes, seen: str | None) -> bool:
        """Compares and writes."""
        stored = await self.read(path)
        if (stored.tag if stored else None) != seen:
            return False
        await self.write(path, content)
        return True

    async def swap_file(self, path: str, file: Path, seen: str | None) -> bool:
        """Keeps the file's content."""
        return await self.swap(path, file.read_bytes(), seen)  # noqa: ASYNC240

    async def find(self, path: str) -> Landed | None:
        """What landed."""
        return self._landed.get(path)

    async def list(self, folder: str) -> AsyncIterator[Landed]:
        """All that landed below the folder."""
        for path in sorted(path for path in self._landed if path.startswith(f"{folder}/")):
            yield self._landed[path]

    async def folders(self, folder: str) -> Sequence[str]:
        """The first segments of what lies below, where there are more."""
        below = (path.removeprefix(f"{folder}/") for path in self._landed if path.startswith(f"{folder}/"))
        return sorted({rest.split("/")[0] for rest in below if "/" in rest})

    async def remove(self, path: str, seen: str | None = None) -> None:
        """Forgets the file."""
        landed = self._landed.get(path)
        if landed and seen in {None, landed.tag}:
            del self._landed[path]
            self._contents.pop(path, None)

    async def remove_folder(self, folder: str, last: str) -> None:
        """Forgets all below the folder."""
        for path in [path for path in self._landed if path.startswith(f"{folder}/")]:
            await self.remove(path)

    async def remove_unfinished(self, folder: str) -> None:
        """Nothing is ever unfinished here."""

    async def copy(self, url: str, path: str, *, replacing: str | None = None, out_of_time: Callable[[], bool]) -> Copy:
        """Says that the blob has landed, and that all blobs are alike."""
        if path in self._landed and replacing is None:
            raise AlreadyThere
        source = Source(url, LENGTH, e_tag='"one"')
        self._landed[path] = Landed(path, source.length, datetime.now(UTC), tag=source.e_tag)
        return Copy(source, source.md5, "length")

    async def stream(self, path: str) -> AsyncGenerator[bytes]:
        """The small file; nothing of a blob."""
        yield self._contents.get(path, b"")

    async def make_durable(self, paths: Sequence[str]) -> None:
        """Nothing outlives the process."""


def _tag(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
