"""Renewed blobs that lie where the old ones lay, under the same names: no version takes one for the other."""

import asyncio

from messages.names import COPY_BLOBS
from tests.simulation import invariants
from tests.simulation.chance import Chance
from tests.simulation.circumstances import Circumstances, settings
from tests.simulation.host import Activity, Host, Json
from tests.simulation.virtual_time import play
from tests.simulation.world import World

CIRCUMSTANCES = Circumstances(hosts=2, settings=settings(copy_batch_size=2), in_place=True)


class OverwrittenWorld(World):
    """A world without faults, in which the data is overwritten once somebody copies it."""

    def __init__(self) -> None:
        super().__init__(Chance(seed=0, severity=0), CIRCUMSTANCES)
        self.overwrite("old")

    def overwrite(self, e_tag: str) -> None:
        """From now on other bytes stand under the same names."""
        blobs = {f"part-{number:05d}.json.gz": f"{e_tag} {number}".encode() for number in range(5)}
        self.ledger.state(self.requests[0].values["invoiceId"], e_tag, blobs)

    def around(self, name: str, activity: Activity, host: Host) -> Activity:
        async def called(message: Json) -> Json:
            if name == COPY_BLOBS:
                await self.before_copying(host)
            return await activity(message)

        return called

    async def before_copying(self, _: Host) -> None:
        if self.ledger.now[self.requests[0].values["invoiceId"]].e_tag == "old":
            self.overwrite("new")


class BelatedWorld(OverwrittenWorld):
    """The data is overwritten when one host has committed it, and the other is only about to copy it."""

    def __init__(self) -> None:
        self.planned = asyncio.Event()
        self.overwritten = asyncio.Event()
        super().__init__()

    async def before_copying(self, host: Host) -> None:
        if host is self.hosts[1]:
            self.planned.set()
            await self.overwritten.wait()


def test_data_that_is_overwritten_while_it_is_copied_is_exported_anew() -> None:
    """What was copied under the old eTag is not committed, though nobody was refused any blob."""

    async def story() -> None:
        world = OverwrittenWorld()
        await world.export(world.hosts[0], world.requests[0])
        invariants.require_success(world, world.requests[0], unchanged=False)
        invariants.require_all(world)
        assert len(world.committed(world.requests[0])) == 1
        await world.stop()

    play(story())


def test_a_committed_version_is_not_spoiled_by_who_copies_late() -> None:
    """Who planned with the old data and copies when there is new data leaves the old version as it was committed."""

    async def story() -> None:
        world = BelatedWorld()
        belated = asyncio.create_task(world.export(world.hosts[1], world.requests[0]))
        await world.planned.wait()
        await world.export(world.hosts[0], world.requests[0])
        world.overwrite("new")
        world.overwritten.set()
        await belated
        invariants.require_success(world, world.requests[0], unchanged=False)
        invariants.require_all(world)
        assert len(world.committed(world.requests[0])) == 2
        await world.stop()

    play(story())
