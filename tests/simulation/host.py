"""One function app: its state outlives it, everything else is new when it comes back."""

import asyncio
import functools
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from clients.process import Clients, given_clients
from local.engine import DurableEngine, Instance, Options
from local.functions import ActivityFunction, Functions
from tests.simulation.durable_client import SimulatedDurable
from tests.simulation.release import Release, at_hand
from tests.simulation.virtual_time import LoopClock
from tests.simulation.watched_store import WatchedStore

Json = dict[str, Any]
Activity = Callable[[Json], Awaitable[Json]]
Around = Callable[[str, Activity, "Host"], Activity]
"""What is called in place of the activity of this name, on this host."""

DOWN_SECONDS = 20
"""How long a dead host takes to come back."""


class Host:
    """The real orchestrations and activities on an engine that comes back after each death, with new clients."""

    def __init__(self, new_clients: Callable[[], Clients], around: Around, queues: Options) -> None:
        self.store = WatchedStore()
        self.new_clients = new_clients
        self._around = around
        self._queues = queues
        self._release = at_hand()
        self._begin()
        self._living = asyncio.create_task(self._live())

    def start(self, name: str, instance_id: str, order: Json) -> None:
        """Starts an orchestration, be the engine dead or alive: Durable's state is not the host's."""
        self._engine.start(name, instance_id, json.dumps(order))

    def terminate(self, instance_id: str, reason: str) -> None:
        """Ends an instance."""
        self._engine.terminate(instance_id, reason)

    def die(self) -> None:
        """Ends all that runs here, at once."""
        self._life.cancel()

    def deploy(self, release: Release) -> None:
        """Ends all that runs here; what comes back serves this release."""
        self._release = release
        self.die()

    async def ended(self, instance_id: str) -> Instance:
        """The instance, once it has ended."""
        while (instance := self.store.find(instance_id)) is None or instance.is_active:
            assert not self._living.done(), self._living.exception()
            await asyncio.sleep(10)
        return instance

    async def stop(self) -> None:
        """Ends it for good."""
        self._living.cancel()
        self.die()
        await asyncio.gather(self._living, self._life, return_exceptions=True)
        self.store.close()

    def _surrounded(self, functions: Functions) -> Functions:
        activities = {
            name: replace(activity, call=self._around(name, self._call_of(activity), self), client_parameter=None)
            for name, activity in functions.activities.items()
        }
        return replace(functions, activities=activities)

    def _call_of(self, activity: ActivityFunction) -> Activity:
        """The activity's function; one that has a Durable client, below the SDK's middleware, is given this host's."""
        if activity.client_parameter is None:
            return activity.call
        # One layer and no more: below the middleware is the door, through which failures leave.
        guarded: Activity = activity.call.__wrapped__  # type: ignore[attr-defined]
        return functools.partial(guarded, **{activity.client_parameter: SimulatedDurable(self)})

    def _begin(self) -> None:
        functions = self._surrounded(self._release.functions)
        options = replace(self._queues, versions=self._release.versions)
        self._engine = DurableEngine(functions, self.store, LoopClock(), options=options)
        with given_clients(self.new_clients()):
            self._life = asyncio.create_task(self._engine.run())

    async def _live(self) -> None:
        while True:
            await asyncio.wait([self._life])
            assert self._life.cancelled(), self._life.exception()
            await asyncio.sleep(DOWN_SECONDS)
            self._begin()
