"""Where are parts of tables kept while tables are made of them? Each is made once, by whoever comes first.

Beside its files stands what they are, by their MD5: what somebody has cut or replaced since is made anew.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from failures import Incomplete
from landing.digests import md5_of
from landing.json_files import json_bytes, json_object
from landing.layout import WORK, VersionFolder
from landing.zones.protocol import Landed, LandingZone

KEPT = timedelta(days=7)
"""How long parts are kept: the other dataset may land, or land again, and this one's need not be read again."""

MADE_ANEW = "Start the table again: its parts are made anew where they are not as they were made."


@dataclass(frozen=True)
class Fetched:
    """What was fetched: its length in bytes, and its MD5 (hex)."""

    length: int
    md5: str


@dataclass(frozen=True)
class WorkFolder:
    """A folder of parts, each of one file or several. A part is the same whoever makes it."""

    zone: LandingZone
    path: str

    @classmethod
    def of_version(cls, zone: LandingZone, mapping: str, version: VersionFolder) -> "WorkFolder":
        """The parts of one version of an export; `mapping` stands for how they are made."""
        return cls(zone, f"{WORK}/{mapping}/{version.path}")

    @classmethod
    def of_table(cls, zone: LandingZone, invoice: str, version: str) -> "WorkFolder":
        """What one version of a table has besides the parts of its inputs."""
        return cls(zone, f"{WORK}/tables/{invoice}/{version}")

    async def has(self, part: str) -> bool:
        """Whether the part is kept, each of its files as it was made."""
        kept = await self._kept(part)
        return bool(kept) and all([await self._md5_of(name) == md5 for name, md5 in kept.items()])

    async def keep(self, part: str, files: Iterable[Path]) -> None:
        """Keeps the part's files under their own names, whatever stood there, and then says that all are there."""
        kept = {file.name: await self._keep(file) for file in files}
        await self.zone.write(self._seal(part), json_bytes(kept))

    async def fetch(self, part: str, names: Iterable[str], folder: Path) -> list[Path]:
        """Fetches these files of the part into the folder.

        Raises:
            Incomplete: when one is not there, or not as it was made.
        """
        kept = await self._kept(part)
        return [await self._fetch(name, kept.get(name), folder) for name in names]

    async def read(self, part: str, name: str) -> Any:
        """What is in this JSON file of the part.

        Raises:
            Incomplete: when it is not there, or not as it was made.
        """
        stored = await self.zone.read(f"{self.path}/{name}")
        content = stored.content if stored else b""
        kept = await self._kept(part)
        _require_as_made(name, hashlib.md5(content, usedforsecurity=False).hexdigest(), kept.get(name))
        return json.loads(content)

    async def remove(self) -> None:
        """Removes the folder with all that is in it."""
        paths = [landed.path async for landed in self.zone.list(self.path)]
        if paths:
            await self.zone.remove_folder(self.path, last=paths[0])

    async def _kept(self, part: str) -> Mapping[str, Any]:
        """The MD5 of each of the part's files; nothing where it is not kept."""
        return json_object(await self.zone.read(self._seal(part)))

    def _seal(self, part: str) -> str:
        return f"{self.path}/{part}.kept.json"

    async def _md5_of(self, name: str) -> str | None:
        there = await self.zone.find(f"{self.path}/{name}")
        return there.md5 if there else None

    async def _keep(self, file: Path) -> str:
        path, md5, tag = f"{self.path}/{file.name}", md5_of(file), None
        while not await self.zone.swap_file(path, file, tag):
            there = await self.zone.find(path)
            if there and there.md5 == md5:
                break
            tag = there.tag if there else None
        return md5

    async def _fetch(self, name: str, md5: object, folder: Path) -> Path:
        target = folder / name
        _require_as_made(name, (await fetch(self.zone, f"{self.path}/{name}", target)).md5, md5)
        return target


def _require_as_made(name: str, md5: str, kept: object) -> None:
    if md5 != kept:
        raise Incomplete(f"The part {name!r} of a table is not as it was made.", remedy=MADE_ANEW)


async def fetch(zone: LandingZone, path: str, target: Path) -> Fetched:
    """Writes the blob at `path` to a file of this machine.

    Raises:
        Incomplete: when there is no such blob.
    """
    md5 = hashlib.md5(usedforsecurity=False)
    length = 0
    with target.open("wb") as file:
        async with aclosing(zone.stream(path)) as pieces:
            async for piece in pieces:
                file.write(piece)
                md5.update(piece)
                length += len(piece)
    return Fetched(length, md5.hexdigest())


async def sweep_work(zone: LandingZone, now: datetime) -> None:
    """Removes folders of parts to which nothing was added for a week.

    Raises:
        LandingFailure: when it cannot; what is left is for the next sweep.
    """
    await zone.remove_unfinished(WORK)
    folders: dict[str, list[Landed]] = defaultdict(list)
    async for landed in zone.list(WORK):
        folders[landed.path.rpartition("/")[0]].append(landed)
    for path, parts in folders.items():
        if now - max(part.modified for part in parts) > KEPT:
            await zone.remove_folder(path, last=parts[0].path)
