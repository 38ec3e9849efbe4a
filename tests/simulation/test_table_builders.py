"""Builders of one table that die around a step, or are held at a request until another one is done: at each in turn."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from activities.tabulating import LINES, USAGE
from landing.layout import WORK
from local.engine import Instance
from messages.names import PUBLISH_TABLE
from tests.simulation.chance import Chance
from tests.simulation.doom import Doomed
from tests.simulation.host import Activity, Host, Json
from tests.simulation.memory_zone import MemoryZone
from tests.simulation.tables_world import Circumstances, TablesWorld, play
from tests.table_documents import STATES, Blobs

pytestmark = [pytest.mark.usefixtures("remembered_tables"), pytest.mark.timeout(180)]

CALLS = 7
"""The invoice is read, its table planned, three blobs are converted, the table is settled and published."""


class CalmWorld(TablesWorld):
    """A world without faults, in which both documents have landed."""

    def __init__(self, hosts: int = 1) -> None:
        super().__init__(Chance(seed=0, severity=0), Circumstances(hosts=hosts))
        self.storage.knows_md5 = True
        self.land(USAGE, blobs=STATES[USAGE][1])
        self.land(LINES, blobs=STATES[LINES][0])

    async def build_current(self, host: Host) -> None:
        """Builds the table, after which nothing but that is left of it."""
        _require_completed(await self.build(host))
        self.require_current()
        assert not self.storage.paths("", f"{WORK}/tables/")


def _require_completed(built: Instance) -> None:
    assert built.status == "Completed", built.custom_status_json


class DoomedWorld(Doomed, CalmWorld):
    """The parts of its tables are counted."""

    def require_made_once(self) -> None:
        """No part was made twice, wherever the host died."""
        parts = Counter(path for path, _ in self.storage.writes if path.startswith(f"{WORK}/"))
        assert set(parts.values()) == {1}, parts


def test_a_table_calls_as_many_activities_as_are_killed_below() -> None:
    """The stories below leave no activity out."""

    async def story() -> None:
        world = DoomedWorld()
        await world.build_current(world.hosts[0])
        assert world.calls == CALLS
        await world.stop()

    play(story())


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("fatal", range(CALLS))
def test_a_table_goes_on_when_its_host_comes_back(fatal: int, after: bool) -> None:
    """Whatever activity the host died around, the table is made, no part of it twice, and nothing is left."""

    async def story() -> None:
        world = DoomedWorld(fatal=fatal, after=after)
        await world.build_current(world.hosts[0])
        assert world.died.is_set()
        world.require_made_once()
        await world.stop()

    play(story())


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("fatal", range(CALLS))
def test_a_table_begins_anew_on_a_host_without_its_state(fatal: int, after: bool) -> None:
    """Whoever makes it after a host was lost for good makes no part that is there already."""

    async def story() -> None:
        world = DoomedWorld(fatal=fatal, after=after)
        lost = asyncio.create_task(world.build(world.hosts[0]))
        await world.died.wait()
        lost.cancel()
        await world.hosts.pop().stop()
        world.hosts.append(world.new_host())
        await world.build_current(world.hosts[0])
        world.require_made_once()
        await world.stop()

    play(story())


class HeldZone(MemoryZone):
    """Holds the request of this number, once counting has begun, until it is opened."""

    counting = False
    requests = 0
    held: int | None = None

    def __init__(self, world: TablesWorld) -> None:
        super().__init__(world.storage, None, world.chance)  # type: ignore[arg-type]
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    @asynccontextmanager
    async def _request(self) -> AsyncIterator[None]:
        if self.counting:
            self.requests += 1
            if self.requests - 1 == self.held:
                self.reached.set()
                await self.opened.wait()
        async with super()._request():
            yield


class OverwritingZone(HeldZone):
    """Puts files in their places, large ones and small ones, whatever stands there."""

    async def swap(self, path: str, content: bytes, seen: str | None) -> bool:
        async with self._request():
            self._storage.put(path, content)
        return True


class HeldWorld(CalmWorld):
    """The first of two hosts is held while it publishes."""

    def __init__(self, held: int | None = None, kind: type[HeldZone] = HeldZone) -> None:
        self.slow: HeldZone | None = None
        self._held = held
        self._kind = kind
        super().__init__(hosts=2)

    def new_zone(self) -> MemoryZone:
        if self.slow:
            return super().new_zone()
        self.slow = self._kind(self)
        self.slow.held = self._held
        return self.slow

    def around(self, name: str, activity: Activity, host: Host) -> Activity:
        async def called(message: Json) -> Json:
            if name == PUBLISH_TABLE and self.slow:
                self.slow.counting = True
            return await activity(message)

        return called

    async def publish_late(self, blobs: Blobs) -> None:
        """A builder is held, these blobs land, and another builder publishes before the first one goes on."""
        slow = self.slow
        assert slow
        try:
            late = asyncio.create_task(self.build(self.hosts[0]))
            await slow.reached.wait()
            self.land(USAGE, blobs=blobs)
            _require_completed(await self.build(self.hosts[1]))
            self.require_current()
            slow.opened.set()
            _require_completed(await late)
            self.require_current()
        finally:
            await self.stop()


async def _requests_of_publishing() -> int:
    """How many a builder makes that nobody holds."""
    world = HeldWorld()
    await world.build_current(world.hosts[0])
    await world.stop()
    assert world.slow
    return world.slow.requests


@pytest.mark.parametrize("blobs", STATES[USAGE][:2], ids=["other lines", "the same lines"])
def test_a_builder_that_is_late_takes_nothing_from_who_was_faster(blobs: Blobs) -> None:
    """Whichever of its requests was held while another version landed and was published."""
    requests = play(_requests_of_publishing())
    assert requests > 10

    async def story(held: int) -> None:
        await HeldWorld(held).publish_late(blobs)

    for held in range(requests):
        play(story(held))


def test_a_zone_that_overwrites_would_be_noticed() -> None:
    """A late builder's table would stand there then."""
    requests = play(_requests_of_publishing())

    async def story(held: int) -> None:
        await HeldWorld(held, OverwritingZone).publish_late(STATES[USAGE][0])

    def play_all() -> None:
        for held in reversed(range(requests)):
            play(story(held))

    with pytest.raises(AssertionError, match="the table is of"):
        play_all()
