"""Removes what exports left behind that never committed, and versions that are outdated, once nobody works with them.

A sweep and a commit may meet in one version's folder, and so may a sweep and an export that finds the version again.
Each first says there what it is about to do, then looks for the other: whichever looks later sees the other, and gives
way. So no blob is removed of a version that is being committed, or made the latest again.
"""

import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

from failures import LandingUnavailable
from landing.json_files import json_object
from landing.layout import ExportFolder, VersionFolder
from landing.zones.protocol import Landed, LandingZone

ABANDONED = timedelta(hours=24)
"""After so long without any change a version that has not committed is taken for abandoned."""

OUTDATED = timedelta(hours=48)
"""After so long without any change nobody reads a version any more that is neither the latest nor to be kept."""

OVER = timedelta(hours=1)
"""A sweep that began so long ago has ended, be it with its process."""


async def sweep(zone: LandingZone, export: ExportFolder, now: datetime) -> None:
    """Removes the export's versions that never committed and were not touched for a day, and unfinished files of all.

    Raises:
        LandingFailure: when it cannot; what is left is for the next sweep.
    """
    await zone.remove_unfinished(export.path)
    for folder in await _versions(zone, export):
        await _remove_if(partial(_is_abandoned, zone, folder, now), zone, folder)


async def keep_newest(zone: LandingZone, export: ExportFolder, count: int, now: datetime) -> None:
    """Removes the export's committed versions but the newest ones, so many.

    What `_latest.json` names is kept, and what was touched within two days.

    Raises:
        LandingFailure: when it cannot; what is left is for the next sweep.
    """
    found = [(await zone.find(folder.commit_marker), folder) for folder in await _versions(zone, export)]
    committed = [(marker.modified, folder) for marker, folder in found if marker]
    newest_first = sorted(committed, key=lambda version: version[0], reverse=True)
    for _, folder in newest_first[count:]:
        await _remove_if(partial(_is_outdated, zone, folder, now), zone, folder)


def require_no_sweep(landed: Landed, folder: VersionFolder, now: datetime) -> None:
    """Returns only if this file in the version's folder is not the mark of a running sweep.

    Raises:
        LandingUnavailable: if it is.
    """
    if landed.path.startswith(f"{folder.sweeps}/") and now - landed.modified < OVER:
        raise LandingUnavailable(f"The version {folder.version} is being removed.")


async def _versions(zone: LandingZone, export: ExportFolder) -> list[VersionFolder]:
    named = map(export.version_named, await zone.folders(export.path))
    return [folder for folder in named if folder]


async def _remove_if(is_left: Callable[[], Awaitable[bool]], zone: LandingZone, folder: VersionFolder) -> None:
    """Looks before the mark is made, and again when others can see it."""
    if not await is_left():
        return
    mark = folder.sweep(uuid.uuid4().hex)
    await zone.write(mark, b"")
    if await is_left():
        # A version that lacks a blob must not have a marker.
        await zone.remove(folder.commit_marker)
        await zone.remove_folder(folder.path, last=mark)
    else:
        await zone.remove(mark)


async def _is_abandoned(zone: LandingZone, folder: VersionFolder, now: datetime) -> bool:
    return not await zone.find(folder.commit_marker) and await _is_untouched(zone, folder, now - ABANDONED)


async def _is_outdated(zone: LandingZone, folder: VersionFolder, now: datetime) -> bool:
    latest = json_object(await zone.read(folder.export.latest)).get("version")
    return latest not in {None, folder.version} and await _is_untouched(zone, folder, now - OUTDATED)


async def _is_untouched(zone: LandingZone, folder: VersionFolder, since: datetime) -> bool:
    """Whether nothing in the folder was written after that moment, but marks of sweeps."""
    empty = True
    async for landed in zone.list(folder.path):
        empty = False
        if landed.modified > since and not landed.path.startswith(f"{folder.sweeps}/"):
            return False
    # An empty one holds, at most, what somebody is writing at this moment.
    return not empty
