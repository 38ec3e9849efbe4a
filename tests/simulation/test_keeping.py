"""An export finds an old version again while a sweep takes it for outdated: neither leaves half of it."""

import asyncio

import pytest

from failures import LandingUnavailable
from landing.json_files import json_object
from landing.layout import ExportFolder, VersionFolder
from landing.sweeping import OUTDATED, keep_newest
from landing.version import Contents, Version
from tests.simulation.chance import Chance
from tests.simulation.memory_zone import MemoryZone, Storage
from tests.simulation.virtual_time import now, play

EXPORT = ExportFolder.of("unbilled_usage", [("currency", "EUR"), ("period", "2026-11")])
OLD, NEW = EXPORT.version("0" * 16), EXPORT.version("1" * 16)
CONTENTS = Contents("tag", {}, None, [])
SEEDS = range(300)


async def _land(zone: MemoryZone, folder: VersionFolder) -> bool:
    """What an export does with data that may have landed before, as often as it is told to wait; whether it had."""
    version = Version(zone, folder, now)
    while True:
        try:
            found = await version.claimed()
            await version.point_latest(CONTENTS, found or await version.commit(CONTENTS))
        except LandingUnavailable:
            await asyncio.sleep(60)
        else:
            return found is not None


async def _story(seed: int) -> bool:
    """Whether the old version was found again; else it had been removed before."""
    chance = Chance(seed, severity=0)
    storage = Storage(knows_md5=True, slices=0)
    zone = MemoryZone(storage, None, chance)  # type: ignore[arg-type]
    for folder in (OLD, NEW):
        await _land(zone, folder)
        await asyncio.sleep(1)
    await asyncio.sleep(OUTDATED.total_seconds())

    async def restored() -> bool:
        await chance.pass_time(10)
        return await _land(zone, OLD)

    async def swept() -> None:
        await chance.pass_time(10)
        await keep_newest(zone, EXPORT, 1, now())

    found, _ = await asyncio.gather(restored(), swept())
    latest = json_object(await zone.read(EXPORT.latest))["version"]
    assert latest == OLD.version
    assert storage.paths("", OLD.commit_marker)
    assert storage.paths("", OLD.manifest)
    return found


@pytest.mark.timeout(60)
def test_a_version_that_is_found_again_is_not_removed() -> None:
    """At every moment at which they may meet, the export ends with a whole version: the old one, or a new copy."""
    assert {play(_story(seed)) for seed in SEEDS} == {True, False}
