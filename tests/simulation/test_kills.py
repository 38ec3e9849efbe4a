"""A host that dies around one activity of an export, at every one in turn: the export ends whole all the same."""

import asyncio
from collections import Counter

import pytest

from tests.simulation import invariants
from tests.simulation.chance import Chance
from tests.simulation.circumstances import Circumstances, settings
from tests.simulation.doom import Doomed
from tests.simulation.host import Host
from tests.simulation.virtual_time import play
from tests.simulation.world import World

CALLS = 10
"""An export starts, polls twice, looks up, copies three ranges and commits; its notice is begun, then sent."""

CIRCUMSTANCES = Circumstances(settings=settings(copy_batch_size=2, copy_concurrency=2))
BLOBS = {f"part-{number:05d}.json.gz": bytes([number]) * 50 for number in range(5)}


class DoomedWorld(Doomed, World):
    """A world without other faults, in which there is one export."""

    def __init__(self, fatal: int | None = None, *, after: bool = False) -> None:
        super().__init__(Chance(seed=0, severity=0), CIRCUMSTANCES, fatal=fatal, after=after)
        self.ledger.state(self.requests[0].values["invoiceId"], "first", BLOBS)


async def _export(world: DoomedWorld, host: Host) -> None:
    """A whole export, that reads from the source nothing of what has landed before."""
    landed = [path.rpartition("/")[2] for path in world.storage.paths(".json.gz")]
    before = Counter(world.source.gets)
    await world.export(host, world.requests[0])
    assert not [name for name in landed if world.source.gets[name] > before[name]]
    invariants.require_success(world, world.requests[0], unchanged=False)
    invariants.require_all(world)


def test_an_export_calls_as_many_activities_as_are_killed_below() -> None:
    """The stories below leave no activity out."""

    async def story() -> None:
        world = DoomedWorld()
        await _export(world, world.hosts[0])
        assert world.calls == CALLS
        assert set(world.source.gets.values()) == {1}
        await world.stop()

    play(story())


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("fatal", range(CALLS))
def test_an_export_goes_on_when_its_host_comes_back(fatal: int, after: bool) -> None:
    """Whatever activity the host died around, the export ends whole, and what had landed is not copied again."""

    async def story() -> None:
        world = DoomedWorld(fatal, after=after)
        (host,) = world.hosts
        first = asyncio.create_task(world.export(host, world.requests[0]))
        await world.died.wait()
        await _export(world, host)
        await first
        await world.stop()

    play(story())


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("fatal", range(CALLS))
def test_an_export_begins_anew_on_a_host_without_its_state(fatal: int, after: bool) -> None:
    """Whoever exports after a host was lost for good gets all of it, and what had landed is not copied again."""

    async def story() -> None:
        world = DoomedWorld(fatal, after=after)
        lost = asyncio.create_task(world.export(world.hosts[0], world.requests[0]))
        await world.died.wait()
        lost.cancel()
        await world.hosts.pop().stop()
        world.hosts.append(world.new_host())
        await _export(world, world.hosts[0])
        await world.stop()

    play(story())
