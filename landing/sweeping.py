"""Removes what exports left behind that never committed, once nobody can be working on it any more.

A sweep and a commit may meet in one version's folder. Each first says there what it is about to do, then looks for the
other: whichever looks later sees the other, and gives way. So no blob is removed of a version that is being committed.
"""

import uuid
from datetime import datetime, timedelta

from failures import LandingUnavailable
from landing.layout import ExportFolder, VersionFolder
from landing.zones.protocol import Landed, LandingZone

ABANDONED = timedelta(hours=24)
"""After so long without any change a version that has not committed is taken for abandoned."""

OVER = timedelta(hours=1)
"""A sweep that began so long ago has ended, be it with its process."""


async def sweep(zone: LandingZone, export: ExportFolder, now: datetime) -> None:
    """Removes the export's versions that never committed and were not touched for a day, and unfinished files of all.

    Raises:
        LandingFailure: when it cannot; what is left is for the next sweep.
    """
    await zone.remove_unfinished(export.path)
    for name in await zone.folders(export.path):
        folder = export.version_named(name)
        if folder and await _is_abandoned(zone, folder, now):
            await _remove(zone, folder, now)


def require_no_sweep(landed: Landed, folder: VersionFolder, now: datetime) -> None:
    """Returns only if this file in the version's folder is not the mark of a running sweep.

    Raises:
        LandingUnavailable: if it is.
    """
    if landed.path.startswith(f"{folder.sweeps}/") and now - landed.modified < OVER:
        raise LandingUnavailable(f"The remains of the version {folder.version} are being removed.")


async def _remove(zone: LandingZone, folder: VersionFolder, now: datetime) -> None:
    mark = folder.sweep(uuid.uuid4().hex)
    await zone.write(mark, b"")
    if await _is_abandoned(zone, folder, now):
        await zone.remove_folder(folder.path, last=mark)
    else:
        await zone.remove(mark)


async def _is_abandoned(zone: LandingZone, folder: VersionFolder, now: datetime) -> bool:
    empty = True
    async for landed in zone.list(folder.path):
        empty = False
        at_work = now - landed.modified < ABANDONED and not landed.path.startswith(f"{folder.sweeps}/")
        if at_work or landed.path == folder.commit_marker:
            return False
    # An empty one holds, at most, what somebody is writing at this moment.
    return not empty
