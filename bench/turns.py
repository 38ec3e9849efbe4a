"""Plays orchestrations turn by turn through the SDK's own executor. Each turn gets one completion: the worst case."""

import heapq
import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from local.engine.protocol import Answer, Event, EventType, event
from local.engine.turn import Position, Scheduled, Turn, play

START = datetime(2026, 10, 8, 6, tzinfo=UTC)

Answers = Mapping[str, Callable[[Any], Any]]
"""What each activity answers, as JSON values, to its input."""


@dataclass(frozen=True)
class TurnCost:
    """One turn: the history it ends with and the events that are new in it, bytes of the JSON it began with, seconds.

    `sent`: messages for activities, sub-orchestrations, timers and the next history. `to_parent`: whether it ended and
    its parent is told.
    """

    events: int
    new_events: int
    document_bytes: int
    cpu_seconds: float
    sent: int
    to_parent: bool


@dataclass
class _Instance:
    id: str
    name: str
    input_json: str | None
    parent: "tuple[_Instance, int, int] | None"
    execution: int = 0
    history: list[Event] = field(default_factory=list)


class Playing:
    """One run of an orchestration with its sub-orchestrations; time passes only for timers, activities take none.

    `turns` are its turns in order, `calls` the calls of each activity, `largest` the bytes of the largest message of
    each kind, `now` the time that it is, `failure` what the run ended with where it did not succeed.
    """

    def __init__(self, orchestrators: Mapping[str, Callable[..., str]], answers: Answers) -> None:
        self.turns: list[TurnCost] = []
        self.calls: Counter[str] = Counter()
        self.largest: dict[str, int] = {}
        self.now = START
        self.failure: str | None = None
        self._orchestrators = orchestrators
        self._answers = answers
        self._numbers: Iterator[int] = itertools.count()
        self._due: list[tuple[datetime, int, _Instance, int, Event]] = []

    @property
    def cpu_seconds(self) -> float:
        """Processor time spent in orchestrator functions."""
        return sum(turn.cpu_seconds for turn in self.turns)

    @property
    def most_events(self) -> int:
        """Events of the longest history."""
        return max(turn.events for turn in self.turns)

    def run(self, name: str, input_: Any) -> None:
        """Plays the orchestration until nothing is under way any more."""
        self._begin(_Instance("billedUsage-G016907411-full", name, json.dumps(input_), None))
        while self._due:
            moment, _, instance, execution, arrived = heapq.heappop(self._due)
            self.now = max(self.now, moment)
            if execution == instance.execution:
                self._play(instance, arrived)

    def _begin(self, instance: _Instance) -> None:
        self._note("input of an orchestration", instance.input_json)
        started = event(
            EventType.EXECUTION_STARTED, self.now, Name=instance.name, Input=instance.input_json, Version=None
        )
        self._deliver(instance, started)

    def _deliver(self, instance: _Instance, arrived: Event, moment: datetime | None = None) -> None:
        row = (moment or self.now, next(self._numbers), instance, instance.execution, arrived)
        heapq.heappush(self._due, row)

    def _play(self, instance: _Instance, arrived: Event) -> None:
        timed = _Timed(self._orchestrators[instance.name])
        parent_id = instance.parent[0].id if instance.parent else None
        turn = play(timed, Position(instance.id, parent_id, instance.input_json, instance.history), [arrived], self.now)
        self.turns.append(_cost(instance, turn, timed))
        instance.history += turn.events
        self._note("custom status", turn.answer.custom_status)
        self._carry_out(instance, turn)

    def _carry_out(self, instance: _Instance, turn: Turn) -> None:
        if turn.answer.failure is not None or (turn.answer.is_done and turn.continue_with is None):
            self._end(instance, turn)
        elif turn.continue_with is not None:
            instance.execution += 1
            instance.history, instance.input_json = [], turn.continue_with
            self._begin(instance)
        else:
            self._schedule(instance, turn)

    def _schedule(self, instance: _Instance, turn: Turn) -> None:
        for activity in turn.activities:
            self._call(instance, activity)
        for task_id, fire_at in turn.timers:
            moment = datetime.fromisoformat(fire_at)
            fired = event(EventType.TIMER_FIRED, moment, TimerId=task_id, FireAt=fire_at)
            self._deliver(instance, fired, moment)
        for child in turn.children:
            parent = (instance, instance.execution, child.task_id)
            self._begin(_Instance(child.instance_id or child.name, child.name, child.input_json, parent))

    def _call(self, instance: _Instance, activity: Scheduled) -> None:
        self.calls[activity.name] += 1
        result = json.dumps(self._answers[activity.name](json.loads(activity.input_json or "null")))
        self._note("input of an activity", activity.input_json)
        self._note("result of an activity", result)
        told = event(EventType.TASK_COMPLETED, self.now, TaskScheduledId=activity.task_id, Result=result)
        self._deliver(instance, told)

    def _end(self, instance: _Instance, turn: Turn) -> None:
        instance.execution += 1
        self._note("result of an orchestration", turn.answer.output)
        if instance.parent is None:
            self.failure = turn.answer.failure
            return
        parent, execution, task_id = instance.parent
        if parent.execution == execution:
            self._deliver(parent, _ended(turn.answer, task_id, self.now))

    def _note(self, kind: str, message: str | None) -> None:
        self.largest[kind] = max(self.largest.get(kind, 0), len((message or "").encode()))


def _ended(answer: Answer, task_id: int, now: datetime) -> Event:
    if answer.failure is None:
        kind, fields = EventType.SUB_ORCHESTRATION_COMPLETED, {"Result": answer.output or "null"}
    else:
        kind, fields = EventType.SUB_ORCHESTRATION_FAILED, {"Reason": answer.failure, "Details": ""}
    return event(kind, now, TaskScheduledId=task_id) | fields


class _Timed:
    """An orchestrator function that notes the size of what it is called with, and the processor time it takes."""

    def __init__(self, function: Callable[..., str]) -> None:
        self._function = function
        self.document_bytes = 0
        self.seconds = 0.0

    def __call__(self, context: Any) -> str:
        self.document_bytes = len(context.body.encode())
        began = time.thread_time()
        try:
            return self._function(context)
        finally:
            self.seconds = time.thread_time() - began


def _cost(instance: _Instance, turn: Turn, timed: _Timed) -> TurnCost:
    return TurnCost(
        events=len(instance.history) + len(turn.events),
        new_events=len(turn.events),
        document_bytes=timed.document_bytes,
        cpu_seconds=timed.seconds,
        sent=len(turn.activities) + len(turn.children) + len(turn.timers) + (turn.continue_with is not None),
        to_parent=bool(instance.parent) and turn.answer.is_done and turn.continue_with is None,
    )
