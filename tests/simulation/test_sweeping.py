"""What one host takes for abandoned another one has just taken up: whoever is first, no committed blob is missing."""

import asyncio

import pytest

from landing.sweeping import ABANDONED
from messages.names import COPY_BLOBS
from tests.simulation import invariants
from tests.simulation.chance import Chance
from tests.simulation.circumstances import Circumstances, settings
from tests.simulation.host import Activity, Host, Json
from tests.simulation.memory_zone import MemoryZone
from tests.simulation.virtual_time import play
from tests.simulation.world import World

CIRCUMSTANCES = Circumstances(
    hosts=2, blobs=(5, 5), pinned=True, settings=settings(copy_batch_size=2, poll_interval_seconds=5)
)
SEEDS = range(60)


class SlowlyRemoving(MemoryZone):
    """Takes its time between looking at a folder and emptying it."""

    async def remove_folder(self, folder: str, last: str) -> None:
        await self._chance.pass_time(50)
        await super().remove_folder(folder, last)


class SweptWorld(World):
    """A world without faults, in which the first host copies what was left about when the second is to remove it."""

    zone = SlowlyRemoving

    def __init__(self, chance: Chance) -> None:
        self.taking_up = False
        self.waits_for_sweep = chance.is_so()
        self.planned = asyncio.Event()
        super().__init__(chance, CIRCUMSTANCES)

    def around(self, name: str, activity: Activity, host: Host) -> Activity:
        async def called(message: Json) -> Json:
            if name == COPY_BLOBS and host is self.hosts[0]:
                await (self._before_taking_up() if self.taking_up else asyncio.sleep(message["start"]))
            return await activity(message)

        return called

    async def _before_taking_up(self) -> None:
        self.planned.set()
        await self.chance.pass_time(15)
        while self.waits_for_sweep and not any("/_sweeps/" in path for path, _ in self.storage.writes):
            await self.chance.pass_time(15)

    async def leave_half_an_export(self) -> None:
        """The data as it is now was copied in part, not committed, and then nobody came for a day."""
        running = asyncio.create_task(self.export(self.hosts[0], self.requests[0]))
        while not self.storage.paths(".json", "/_receipts/"):
            await asyncio.sleep(0.1)
        await self.cancel(self.hosts[0], self.requests[0])
        await running
        await asyncio.sleep(ABANDONED.total_seconds())
        self.taking_up = True


async def _story(seed: int) -> bool:
    """Both hosts export, the first what had been left, the second what is new; whether that was swept in the end."""
    world = SweptWorld(Chance(seed, severity=0))
    await world.leave_half_an_export()
    (left,) = {path.split("/")[-3] for path in world.storage.paths(".json", "/_receipts/")}
    taking_up = asyncio.create_task(world.export(world.hosts[0], world.requests[0]))
    await world.planned.wait()
    world.ledger.restate(world.requests[0].values["invoiceId"])
    await world.export(world.hosts[1], world.requests[0])
    await taking_up
    assert {ended.status for ended in world.ends[-2:]} == {"Completed"}
    invariants.require_all(world)
    await world.stop()
    return not any(left in path for path in world.committed(world.requests[0]))


@pytest.mark.timeout(180)
def test_a_sweep_and_an_export_of_the_same_version_do_not_harm_each_other() -> None:
    """At every moment at which they may meet, both exports succeed, and what is committed is whole."""
    assert {play(_story(seed)) for seed in SEEDS} == {True, False}
