"""Worlds whose landing account never reaches the source: what lands passes through hosts that die on the way."""

import json
from dataclasses import replace

from tests.simulation.chance import Chance
from tests.simulation.circumstances import Circumstances, settings
from tests.simulation.memory_zone import Storage
from tests.simulation.story import Story
from tests.simulation.virtual_time import play
from tests.simulation.world import World

SEEDS = range(5)
UNREACHED = Circumstances(hosts=2, restless_seconds=15, slices=2, unreached=1.0)
# Every slice is over in the middle of a blob, so that each blob takes several, some of them after a restart.
IN_SHORT_SLICES = replace(UNREACHED, settings=replace(settings(), copy_slice_seconds=0.0))


async def _tell(seed: int) -> Storage:
    world = World(Chance(seed, severity=1), IN_SHORT_SLICES)
    try:
        await Story(world).tell()
    finally:
        await world.stop()
    return world.storage


def test_what_the_account_cannot_reach_lands_through_the_app_whatever_happens() -> None:
    """It lands whole, as the story requires, and nothing claims that the service has compared it."""
    receipts = [receipt for seed in SEEDS for receipt in _receipts(play(_tell(seed)))]
    assert any(receipt.get("detour") for receipt in receipts)
    assert {receipt["verified"] for receipt in receipts} <= {"md5", "length"}


def _receipts(storage: Storage) -> list[dict[str, object]]:
    written = [json.loads(content) for path, content in storage.writes if "/_receipts/" in path]
    return [receipt for receipts in written for receipt in receipts]
