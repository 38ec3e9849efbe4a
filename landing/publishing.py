"""How does a table replace the one before? In one step, and only as long as it is made of what is current.

Times are never compared. Whoever publishes reads first what stands there, then whether its inputs are still the current
ones, and replaces only what it has read: of two who were both current when they looked, the later one begins again, and
looks again.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from landing.json_files import json_bytes, json_object
from landing.layout import TablePlace
from landing.zones.protocol import LandingZone


@dataclass(frozen=True)
class BuiltTable:
    """A table in a file of this machine, its MD5 (hex), and what is said of it in the zone."""

    file: Path
    md5: str
    description: Mapping[str, Any]


def built_table(file: Path, about: Mapping[str, Any]) -> BuiltTable:
    """The table in this file; besides `about`, its description has the file's length and MD5."""
    with file.open("rb") as content:
        md5 = hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    return BuiltTable(file, md5, {**about, "file": {"length": file.stat().st_size, "md5": md5}})


async def published(zone: LandingZone, place: TablePlace) -> Mapping[str, Any] | None:
    """What is said of the table that stands there; None where there is none, or the file is another one."""
    described = json_object(await zone.read(place.description))
    there = await zone.find(place.file)
    if there is None or described.get("file") != {"length": there.length, "md5": there.md5}:
        return None
    return described


async def publish(
    zone: LandingZone, place: TablePlace, table: BuiltTable, is_current: Callable[[], Awaitable[bool]]
) -> bool:
    """Puts the table in its place; False when its inputs are not current any more, and nothing was replaced by it.

    `is_current` reads them again.
    """
    while True:
        there = await zone.find(place.file)
        if not await is_current():
            return False
        if await zone.swap_file(place.file, table.file, there.tag if there else None):
            return await _describe(zone, place, table)


async def _describe(zone: LandingZone, place: TablePlace, table: BuiltTable) -> bool:
    """Says what the table comes to; False when another has replaced it, which is described by whoever did."""
    while True:
        stored = await zone.read(place.description)
        there = await zone.find(place.file)
        if there is None or there.md5 != table.md5:
            return False
        if await zone.swap(place.description, json_bytes(table.description), stored.tag if stored else None):
            return True
