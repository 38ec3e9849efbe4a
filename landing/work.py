"""Where are parts of tables kept while tables are made of them? Each is made once, by whoever comes first."""

import hashlib
from collections import defaultdict
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from landing.layout import WORK, VersionFolder
from landing.zones.protocol import Landed, LandingZone

KEPT = timedelta(days=7)
"""How long parts are kept: the other dataset may land, or land again, and this one's need not be read anew."""


@dataclass(frozen=True)
class Fetched:
    """What was fetched: its length in bytes, and its MD5 (hex)."""

    length: int
    md5: str


@dataclass(frozen=True)
class WorkFolder:
    """A folder of parts. What is kept under a name is the same whoever makes it."""

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

    async def has(self, name: str) -> bool:
        """Whether something is kept under this name."""
        return await self.zone.find(f"{self.path}/{name}") is not None

    async def keep(self, file: Path) -> None:
        """Keeps the file under its own name, unless somebody else has."""
        await self.zone.swap_file(f"{self.path}/{file.name}", file, None)

    async def fetch(self, name: str, folder: Path) -> Path:
        """Fetches what is kept under this name into the folder.

        Raises:
            Incomplete: when nothing is.
        """
        target = folder / name
        await fetch(self.zone, f"{self.path}/{name}", target)
        return target

    async def remove(self) -> None:
        """Removes the folder with all that is in it."""
        paths = [landed.path async for landed in self.zone.list(self.path)]
        if paths:
            await self.zone.remove_folder(self.path, last=paths[0])


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
