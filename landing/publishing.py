"""How does a table replace the one before? File by file, and only as long as it is made of what is current.

Times are never compared. Whoever publishes reads first what stands there, then whether its inputs are still the current
ones, and replaces or removes only what it has read: of two who were both current when they looked, the later one begins
again, and looks again. What is said of the table comes last, when exactly its files stand there: until then, and
whenever a builder died in between, it fits no files, and the next builder makes the table again.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from landing.digests import md5_of
from landing.json_files import json_bytes, json_object
from landing.layout import TablePlace
from landing.zones.protocol import Landed, LandingZone

IsCurrent = Callable[[], Awaitable[bool]]
"""Reads the inputs again: whether they are those that the table was made of."""


@dataclass(frozen=True)
class TableFile:
    """A file of a table as its description names it: `length` in bytes, `md5` as hex."""

    name: str
    length: int
    md5: str
    rows: int

    @classmethod
    def of(cls, file: Path, rows: int) -> "TableFile":
        """The one that is in this file of this machine, under its name."""
        return cls(file.name, file.stat().st_size, md5_of(file), rows)

    def to_json(self) -> dict[str, Any]:
        """As it is described."""
        return asdict(self)


async def published(zone: LandingZone, place: TablePlace, version: str) -> Mapping[str, Any] | None:
    """What is said of the table of this version; None where another stands there, none, or not exactly its files."""
    described = json_object(await zone.read(place.description))
    if described.get("version") != version or not _fits(described, await _standing(zone, place)):
        return None
    return described


async def replace_file(zone: LandingZone, path: str, file: Path, is_current: IsCurrent) -> bool:
    """Puts a file of a table in its place; False when its inputs are not current any more, and nothing was replaced."""
    while True:
        there = await zone.find(path)
        if not await is_current():
            return False
        if await zone.swap_file(path, file, there.tag if there else None):
            return True


async def complete(zone: LandingZone, place: TablePlace, description: Mapping[str, Any], is_current: IsCurrent) -> bool:
    """Removes files that are no part of the table any more, and says what it comes to, once all that are stand there.

    False when its inputs are not current any more, or another builder has replaced one of its files.
    """
    names = {file["name"] for file in description["files"]}
    while True:
        stored = await zone.read(place.description)
        standing = await _standing(zone, place)
        if not await is_current():
            return False
        others = [landed for name, landed in standing.items() if name not in names]
        for other in others:
            await zone.remove(other.path, other.tag)
        if others:
            continue
        if not _fits(description, standing):
            return False
        if await zone.swap(place.description, json_bytes(description), stored.tag if stored else None):
            return True


async def withdraw(zone: LandingZone, place: TablePlace) -> None:
    """Removes the table, what is said of it first."""
    while there := list(filter(None, [await zone.find(place.description), *(await _standing(zone, place)).values()])):
        for landed in there:
            await zone.remove(landed.path, landed.tag)


async def _standing(zone: LandingZone, place: TablePlace) -> dict[str, Landed]:
    """The files of the table that are there, by name: each as it is now, however many it has or had."""
    paths = [landed.path async for landed in zone.list(place.folder) if place.has(landed.path)]
    standing = {}
    for path in paths:
        landed = await zone.find(path)
        if landed:
            standing[path.rpartition("/")[2]] = landed
    return standing


def _fits(description: Mapping[str, Any], standing: Mapping[str, Landed]) -> bool:
    """Whether the files that are there are those that are described, and no others."""
    try:
        described = {file["name"]: (file["length"], file["md5"]) for file in description["files"]}
    except (KeyError, TypeError):
        return False
    return described == {name: (landed.length, landed.md5) for name, landed in standing.items()}
