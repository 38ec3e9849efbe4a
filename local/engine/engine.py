"""The engine's loop: play turns, call activities, let timers fire, deliver completions. One process, at-least-once."""

import asyncio
import inspect
import json
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from azure.functions.durable_functions import ActivityTriggerConverter
from azure.functions.meta import Datum

from local.engine.clock import Clock, SystemClock
from local.engine.options import Options
from local.engine.protocol import Event, EventType, event
from local.engine.store import Activity, Instance, Parent, Store
from local.engine.turn import Position, Turn, play
from local.functions import ActivityFunction, Functions

MOST_ACTIVITIES = 8
"""Activities that run at once, as `maxConcurrentActivityFunctions` in host.json."""


class UnknownOrchestrator(Exception):
    """No orchestrator of this name is registered."""


class InstanceActive(Exception):
    """An instance of this id has not ended."""


class DurableEngine:
    """Runs the orchestrators and activities of an app on a store and a clock.

    `client_binding` is the JSON that an activity's Durable client is made from, where it has one.
    """

    def __init__(
        self,
        functions: Functions,
        store: Store,
        clock: Clock | None = None,
        client_binding: str = "",
        options: Options | None = None,
    ) -> None:
        self.store = store
        self.clock = clock or SystemClock()
        self._functions = functions
        self._client_binding = client_binding
        self._versions = (options or Options()).versions
        self._woken = asyncio.Event()
        self._running: dict[tuple[str, int], asyncio.Task[None]] = {}

    def start(self, name: str, instance_id: str, input_json: str | None, version: str | None = None) -> None:
        """Starts an orchestration under an id that is free, or whose last instance has ended.

        Without a `version` it gets the default one.

        Raises:
            UnknownOrchestrator: when no such function is registered.
            InstanceActive: when the id is taken.
        """
        if name not in self._functions.orchestrators:
            raise _unknown(name)
        with self.store.transaction():
            there = self.store.find(instance_id)
            if there and there.is_active:
                raise InstanceActive(f"An instance with ID '{instance_id}' already exists and is {there.status}.")
            self._begin(name, instance_id, input_json, None, version)
        self._woken.set()

    def terminate(self, instance_id: str, reason: str) -> bool:
        """Ends the instance, not its sub-orchestrations, as Durable does; False when it had ended.

        Activities that are running end by themselves; nobody hears of their results.
        """
        with self.store.transaction():
            instance = self.store.find(instance_id)
            if instance is None or not instance.is_active:
                return False
            self._end(instance, "Terminated", json.dumps(reason), failure=reason)
        self._woken.set()
        return True

    def raise_event(self, instance_id: str, name: str, input_json: str) -> bool:
        """Tells the instance of an external event; False when it had ended.

        One that comes before it is awaited is kept. It is lost where the instance continues as new meanwhile.
        """
        with self.store.transaction():
            instance = self.store.find(instance_id)
            if instance is None or not instance.is_active:
                return False
            raised = event(EventType.EVENT_RAISED, self.clock.now(), Name=name, Input=input_json)
            self.store.deliver(instance_id, instance.execution, raised)
        self._woken.set()
        return True

    async def run(self) -> None:
        """Works until it is cancelled; activities are cancelled with it, and called again by the next engine."""
        try:
            while True:
                self._do_what_is_due()
                await self._wait()
        finally:
            await self._stop_activities()

    async def run_until_idle(self) -> None:
        """Works until nothing is under way any more: no event, activity or timer."""
        try:
            while self._do_what_is_due():
                await self._wait()
        finally:
            await self._stop_activities()

    def _do_what_is_due(self) -> bool:
        """Fires timers, plays turns, calls activities; whether anything is left to wait for."""
        self._woken.clear()
        self._fire_timers()
        while (instance := self._next_to_play()) is not None:
            self._play_turn(instance)
        self._call_activities()
        return bool(self._running) or self.store.next_timer() is not None

    def _next_to_play(self) -> Instance | None:
        return next((i for i in self.store.waiting() if self._versions.accepts(i.version)), None)

    async def _wait(self) -> None:
        until = self.store.next_timer()
        moment = datetime.fromisoformat(until) if until else None
        await self.clock.wait(moment, self._woken, busy=bool(self._running))

    def _begin(
        self, name: str, instance_id: str, input_json: str | None, parent: Parent | None, version: str | None
    ) -> None:
        now, version = self.clock.now(), version or self._versions.default
        self._deliver_start(self.store.create(instance_id, name, input_json, parent, now, version))

    def _deliver_start(self, instance: Instance) -> None:
        content: Event = {"Name": instance.name, "Input": instance.input_json, "Version": instance.version}
        started = event(EventType.EXECUTION_STARTED, self.clock.now(), **content)
        self.store.deliver(instance.id, instance.execution, started)

    def _play_turn(self, instance: Instance) -> None:
        history = self.store.history(instance.execution)
        parent_id = instance.parent.instance_id if instance.parent else None
        position = Position(instance.id, parent_id, instance.input_json, history)
        with self.store.transaction():
            arrived = self.store.take_inbox(instance.execution)
            turn = play(self._orchestrator(instance.name), position, arrived, self.clock.now())
            self.store.append(instance.execution, len(history), turn.events)
            self.store.show(instance, "Running", turn.answer.custom_status, self.clock.now())
            self._carry_out(instance, turn)

    def _orchestrator(self, name: str) -> Callable[..., str]:
        def missing(_: object) -> str:
            raise _unknown(name)

        return self._functions.orchestrators.get(name, missing)

    def _carry_out(self, instance: Instance, turn: Turn) -> None:
        if turn.answer.failure is not None:
            self._end(instance, "Failed", json.dumps(turn.answer.failure), failure=turn.answer.failure)
        elif turn.continue_with is not None:
            self._deliver_start(self.store.renew(instance, turn.continue_with, self.clock.now()))
        elif turn.answer.is_done:
            self._end(instance, "Completed", turn.answer.output, failure=None)
        else:
            self._schedule(instance, turn)

    def _schedule(self, instance: Instance, turn: Turn) -> None:
        for activity in turn.activities:
            call = Activity(instance.id, instance.execution, activity.task_id, activity.name, activity.input_json)
            self.store.add_activity(call)
        for task_id, fire_at in turn.timers:
            self.store.add_timer(instance, task_id, fire_at)
        for task_id in turn.cancelled_timers:
            self.store.cancel_timer(instance, task_id)
        for child in turn.children:
            parent = Parent(instance.id, instance.execution, child.task_id)
            id_ = child.instance_id or uuid.uuid4().hex
            self._begin(child.name, id_, child.input_json, parent, child.version)

    def _end(self, instance: Instance, status: str, output: str | None, failure: str | None) -> None:
        now = self.clock.now()
        self.store.end(instance, status, output, now)
        parent = instance.parent
        if parent is None:
            return
        if failure is None:
            told = event(
                EventType.SUB_ORCHESTRATION_COMPLETED, now, TaskScheduledId=parent.task_id, Result=output or "null"
            )
        else:
            told = event(
                EventType.SUB_ORCHESTRATION_FAILED, now, TaskScheduledId=parent.task_id, Reason=failure, Details=""
            )
        self.store.deliver(parent.instance_id, parent.execution, told)

    def _fire_timers(self) -> None:
        now = self.clock.now()
        with self.store.transaction():
            for instance_id, execution, task_id, fire_at in self.store.take_due_timers(now):
                fired = event(EventType.TIMER_FIRED, now, TimerId=task_id, FireAt=fire_at)
                self.store.deliver(instance_id, execution, fired)

    def _call_activities(self) -> None:
        for activity in self.store.activities():
            key = (activity.execution, activity.task_id)
            if len(self._running) >= MOST_ACTIVITIES:
                return
            if key not in self._running:
                self._running[key] = asyncio.create_task(self._call(key, activity))

    async def _call(self, key: tuple[str, int], activity: Activity) -> None:
        try:
            told = await self._outcome(activity)
            with self.store.transaction():
                if self.store.remove_activity(activity):
                    self.store.deliver(activity.instance_id, activity.execution, told)
        finally:
            del self._running[key]
            self._woken.set()

    async def _outcome(self, activity: Activity) -> dict[str, Any]:
        task = {"TaskScheduledId": activity.task_id}
        try:
            function = self._functions.activities[activity.name]
            result = await _call_as_worker(function, activity.input_json, self._client_binding)
        except Exception as fault:
            reason = f"Activity function '{activity.name}' failed: {fault}"
            return event(EventType.TASK_FAILED, self.clock.now(), Reason=reason, Details="", **task)
        return event(EventType.TASK_COMPLETED, self.clock.now(), Result=result, **task)

    async def _stop_activities(self) -> None:
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _unknown(name: str) -> UnknownOrchestrator:
    return UnknownOrchestrator(f"The function '{name}' doesn't exist, is disabled, or is not an orchestrator.")


async def _call_as_worker(function: ActivityFunction, input_json: str | None, client_binding: str) -> str:
    """Calls the activity with what the worker's own converters make of its JSON input; its result, as JSON."""
    value = ActivityTriggerConverter.decode(Datum(input_json, "json"), trigger_metadata=None)
    bindings = {function.input_parameter: value}
    if function.client_parameter:
        bindings[function.client_parameter] = client_binding
    if inspect.iscoroutinefunction(function.call):
        result = await function.call(**bindings)
    else:
        result = await asyncio.to_thread(function.call, **bindings)
    return str(ActivityTriggerConverter.encode(result, expected_type=None).value)
