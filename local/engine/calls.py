"""Calls activities as the worker does: several at once, each with what its parameters are bound to."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from local.engine.store import Activity
from local.functions import ActivityFunction
from local.worker import call_activity

MOST_ACTIVITIES = 8
"""Activities that run at once, as `maxConcurrentActivityFunctions` in host.json."""


@dataclass(frozen=True)
class Outcome:
    """What an activity's call ended with: its result, as JSON, or why it failed."""

    result: str | None = None
    failure: str | None = None


class Calls:
    """The calls that run. `done` is told of each outcome; `woken` is set when there is room for another.

    `client_binding` is the JSON that an activity's Durable client is made from, where it has one.
    """

    def __init__(
        self,
        functions: Mapping[str, ActivityFunction],
        client_binding: str,
        done: Callable[[Activity, Outcome], None],
        woken: asyncio.Event,
    ) -> None:
        self._functions = functions
        self._client_binding = client_binding
        self._done = done
        self._woken = woken
        self._running: dict[tuple[str, int], asyncio.Task[None]] = {}

    def __bool__(self) -> bool:
        """Whether any runs."""
        return bool(self._running)

    def begin(self, waiting: Iterable[Activity]) -> Iterator[Activity]:
        """Begins what waits and does not run yet, as long as there is room; yields what it begins."""
        for activity in waiting:
            if len(self._running) >= MOST_ACTIVITIES:
                return
            if activity.key not in self._running:
                self._running[activity.key] = asyncio.create_task(self._call(activity))
                yield activity

    async def stop(self) -> None:
        """Cancels all that run."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _call(self, activity: Activity) -> None:
        try:
            self._done(activity, await self._outcome(activity))
        finally:
            del self._running[activity.key]
            self._woken.set()

    async def _outcome(self, activity: Activity) -> Outcome:
        try:
            function = self._functions[activity.name]
            return Outcome(await call_activity(function, activity.input_json, self._client_binding))
        except Exception as fault:
            return Outcome(failure=f"Activity function '{activity.name}' failed: {fault}")
