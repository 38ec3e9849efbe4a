"""The engine's loop: play turns, call activities, let timers fire, deliver completions. One process, at-least-once."""

import asyncio
import json
import uuid
from collections.abc import Callable
from datetime import datetime

from local.engine.calls import Calls, Outcome
from local.engine.clock import Clock, SystemClock
from local.engine.options import Options
from local.engine.protocol import Event, EventType, event
from local.engine.store import Activity, Instance, Parent, Start, Store
from local.engine.turn import Position, Turn, play
from local.functions import Functions


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
        self._orchestrators = functions.orchestrators
        self._options = options or Options()
        self._woken = asyncio.Event()
        self._calls = Calls(functions.activities, client_binding, self._take_outcome, self._woken)

    def start(self, name: str, instance_id: str, input_json: str | None, version: str | None = None) -> None:
        """Starts an orchestration under an id that is free, or whose last instance has ended.

        Without a `version` it gets the default one. One of an unknown name is accepted, and fails.

        Raises:
            InstanceActive: when the id is taken.
        """
        with self.store.transaction():
            there = self.store.find(instance_id)
            if there and there.is_active:
                raise InstanceActive(f"An instance with ID '{instance_id}' already exists and is {there.status}.")
            instance = self._create(Start(instance_id, name, input_json, version))
            self._deliver_start(instance, self._arrival())
        self._woken.set()

    def terminate(self, instance_id: str, reason: str) -> bool:
        """Has the instance end soon, not its sub-orchestrations, as Durable does; False when it had ended.

        What is ahead of the termination is still played. Activities that run or wait end by themselves; nobody hears
        of their results.
        """
        with self.store.transaction():
            if (instance := self.store.find(instance_id)) is None or not instance.is_active:
                return False
            self.store.add_termination(instance_id, reason, self._arrival())
        self._woken.set()
        return True

    def raise_event(self, instance_id: str, name: str, input_json: str) -> bool:
        """Tells the instance of an external event; False when it had ended.

        One that comes before it is awaited is kept. It is lost where the instance continues as new meanwhile.
        """
        with self.store.transaction():
            if (instance := self.store.find(instance_id)) is None or not instance.is_active:
                return False
            raised = event(EventType.EVENT_RAISED, self.clock.now(), Name=name, Input=input_json)
            self._deliver(instance_id, instance.execution, raised)
        self._woken.set()
        return True

    async def run(self) -> None:
        """Works until it is cancelled; activities are cancelled with it, and called again by the next engine."""
        try:
            while True:
                await self._wait(self._do_what_is_due())
        finally:
            await self._calls.stop()

    async def run_until_idle(self) -> None:
        """Works until nothing is under way any more: no event, activity or timer."""
        try:
            while (following := self._do_what_is_due()) or self._calls:
                await self._wait(following)
        finally:
            await self._calls.stop()

    def _do_what_is_due(self) -> datetime | None:
        """Does all that can be done at this moment; the moment at which there is something again."""
        self._woken.clear()
        now = self.clock.now()
        while self._fire_timers(now) or self._begin_children(now) or self._play_next(now) or self._end_terminated(now):
            pass
        for begun in self._calls.begin(self.store.activities(now)):
            self.store.hold(begun, now + self._options.hold)
        return self.store.next_moment(now)

    async def _wait(self, until: datetime | None) -> None:
        await self.clock.wait(until, self._woken, busy=bool(self._calls))

    def _arrival(self) -> datetime:
        """When a message that is sent now takes effect."""
        return self.clock.now() + self._options.latency

    def _deliver(self, instance_id: str, execution: str, told: Event) -> None:
        self.store.deliver(instance_id, execution, told, self._arrival())

    def _create(self, start: Start) -> Instance:
        return self.store.create(start, start.version or self._options.versions.default, self.clock.now())

    def _deliver_start(self, instance: Instance, due: datetime) -> None:
        content: Event = {"Name": instance.name, "Input": instance.input_json, "Version": instance.version}
        started = event(EventType.EXECUTION_STARTED, self.clock.now(), **content)
        self.store.deliver(instance.id, instance.execution, started, due)

    def _begin_children(self, now: datetime) -> bool:
        """Nobody can find a child before its start has arrived, and it takes its first turn."""
        with self.store.transaction():
            starts = self.store.take_starts(now)
            for start in starts:
                self._deliver_start(self._create(start), now)
        return bool(starts)

    def _play_next(self, now: datetime) -> bool:
        accepts = self._options.versions.accepts
        instance = next((waiting for waiting in self.store.waiting(now) if accepts(waiting.version)), None)
        if instance:
            self._play_turn(instance, now)
        return instance is not None

    def _play_turn(self, instance: Instance, now: datetime) -> None:
        history = self.store.history(instance.execution)
        parent_id = instance.parent.instance_id if instance.parent else None
        position = Position(instance.id, parent_id, instance.input_json, history)
        with self.store.transaction():
            arrived = self.store.take_inbox(instance.execution, now)
            turn = play(self._orchestrator(instance.name), position, arrived, self.clock.now())
            self.store.append(instance.execution, len(history), turn.events)
            self.store.show(instance, "Running", turn.state.custom_status, self.clock.now())
            self._carry_out(instance, turn)

    def _orchestrator(self, name: str) -> Callable[..., str]:
        def missing(_: object) -> str:
            raise LookupError(f"The function '{name}' doesn't exist, is disabled, or is not an orchestrator.")

        return self._orchestrators.get(name, missing)

    def _carry_out(self, instance: Instance, turn: Turn) -> None:
        self._schedule(instance, turn)
        # As in Durable, nothing ends or continues as new while anything is to come, a timer that lost among it.
        if turn.awaits_more:
            return
        if turn.state.failure is not None:
            self._end(instance, "Failed", json.dumps(turn.state.failure), failure=turn.state.failure)
        elif turn.continue_with is not None:
            renewed = self.store.renew(instance, turn.continue_with, self.clock.now())
            self._deliver_start(renewed, self._arrival())
        elif turn.state.is_done:
            self._end(instance, "Completed", turn.state.output, failure=None)

    def _schedule(self, instance: Instance, turn: Turn) -> None:
        for activity in turn.activities:
            call = Activity(instance.id, instance.execution, activity.task_id, activity.name, activity.input_json)
            self.store.add_activity(call, self.clock.now())
        for task_id, fire_at in turn.timers:
            due = self._options.firing(datetime.fromisoformat(fire_at), self.clock.now())
            self.store.add_timer(instance, task_id, fire_at, due)
        for task_id in turn.cancelled_timers:
            self.store.cancel_timer(instance, task_id)
        for child in turn.children:
            parent = Parent(instance.id, instance.execution, child.task_id)
            id_ = child.instance_id or uuid.uuid4().hex
            self.store.add_start(Start(id_, child.name, child.input_json, child.version, parent), self._arrival())

    def _end_terminated(self, now: datetime) -> bool:
        with self.store.transaction():
            terminations = self.store.take_terminations(now)
            for instance_id, reason in terminations:
                if (instance := self.store.find(instance_id)) and instance.is_active:
                    self._end(instance, "Terminated", json.dumps(reason), failure=reason)
        return bool(terminations)

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
        self._deliver(parent.instance_id, parent.execution, told)

    def _fire_timers(self, now: datetime) -> bool:
        with self.store.transaction():
            timers = self.store.take_timers(now)
            for instance_id, execution, task_id, fire_at in timers:
                fired = event(EventType.TIMER_FIRED, now, TimerId=task_id, FireAt=fire_at)
                self.store.deliver(instance_id, execution, fired, now)
        return bool(timers)

    def _take_outcome(self, activity: Activity, outcome: Outcome) -> None:
        now, task_id = self.clock.now(), activity.task_id
        if outcome.failure is None:
            told = event(EventType.TASK_COMPLETED, now, TaskScheduledId=task_id, Result=outcome.result)
        else:
            told = event(EventType.TASK_FAILED, now, TaskScheduledId=task_id, Reason=outcome.failure, Details="")
        with self.store.transaction():
            self.store.remove_activity(activity)
            self._deliver(activity.instance_id, activity.execution, told)
