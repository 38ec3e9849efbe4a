"""What happens in a world: rough times, after each of which all must hold, then calm ones, in which exports succeed."""

import asyncio
from collections.abc import Callable, Sequence

from catalog.export_request import ExportRequest
from landing.sweeping import ABANDONED
from tests.simulation import invariants
from tests.simulation.host import Host
from tests.simulation.world import World


class Story:
    """One world's story, from its beginning to its end."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._chance = world.chance

    async def tell(self) -> None:
        """Returns when everything held.

        Raises:
            AssertionError: when something did not.
        """
        for _ in range(self._chance.whole(1, 3)):
            self._change_some([self._world.ledger.restate, self._world.ledger.restore])
            await self._rough_times()
            invariants.require_all(self._world)
        await self._calm_times()
        invariants.require_all(self._world)

    async def _rough_times(self) -> None:
        weather = asyncio.create_task(self._weather())
        async with asyncio.TaskGroup() as visits:
            for host in self._world.hosts:
                for request in self._world.requests:
                    visits.create_task(self._visit(host, request))
        weather.cancel()

    def _change_some(self, ways: Sequence[Callable[[str], None]]) -> None:
        for request in self._world.requests:
            if self._chance.is_so():
                self._chance.pick(ways)(request.values["invoiceId"])

    async def _weather(self) -> None:
        """Data is restated, hosts die and releases are deployed, at any moment."""
        ledger = self._world.ledger
        # Data that is overwritten and back again within one export would pass for data that had always been there.
        ways = [ledger.restate] if self._world.circumstances.in_place else [ledger.restate, ledger.restore]
        while True:
            await self._chance.pass_time(self._world.circumstances.restless_seconds)
            if self._chance.strikes(0.1):
                self._chance.pick(self._world.hosts).die()
            if self._chance.strikes(0.1):
                self._chance.pick(self._world.hosts).deploy(self._world.next_release())
            if self._chance.strikes(0.3):
                self._change_some(ways)

    async def _visit(self, host: Host, request: ExportRequest) -> None:
        await self._chance.pass_time(self._chance.pick([0, 30, 600]))
        running = asyncio.create_task(self._world.export(host, request))
        if self._chance.is_so(0.25):
            await self._chance.pass_time(self._chance.pick([5, 60, 600]))
            await self._cancel(host, request)
        await running

    async def _cancel(self, host: Host, request: ExportRequest) -> None:
        if not await self._world.cancel(host, request):
            return
        await host.ended(request.export_id)
        if self._chance.is_so():
            await self._world.export(host, request)
        elif not self._world.chaos.is_committing(request.export_id) and not self._world.is_active(request):
            await self._require_no_commit(request)

    async def _require_no_commit(self, request: ExportRequest) -> None:
        """Nothing is committed of an export that was cancelled before its commit, until it is started again."""
        starts, committed = self._world.starts[request.export_id], self._world.committed(request)
        await asyncio.sleep(600)
        if starts == self._world.starts[request.export_id]:
            assert committed == self._world.committed(request), "a cancelled export was committed"

    async def _calm_times(self) -> None:
        self._chance.calm_down()
        await self._world.chaos.settle()
        await asyncio.sleep(ABANDONED.total_seconds())
        for request in self._world.requests:
            await self._world.export(self._world.hosts[0], request)
            invariants.require_success(self._world, request, unchanged=False)
            reads = self._world.source.gets.total()
            await self._world.export(self._world.hosts[0], request)
            invariants.require_success(self._world, request, unchanged=True)
            assert reads == self._world.source.gets.total(), "what had landed was copied again"
            invariants.require_swept(self._world, request)
