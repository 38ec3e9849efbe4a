"""Plays the Durable extension by hand: writes a history turn by turn, and asks the SDK's own executor."""

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.functions as func

import function_app
from local.engine.protocol import (
    ActionType,
    Event,
    EventType,
    OrchestratorState,
    document,
    event,
    read_failure,
    read_state,
)
from local.functions import Functions, index
from messages.encoding import Message

START = datetime(2026, 10, 8, 6, tzinfo=UTC)
INSTANCE = "billedUsage-G016907411-full"
TIMER = "timer"
CALL = "call"

_KINDS = {
    ActionType.CALL_ACTIVITY: (EventType.TASK_SCHEDULED, EventType.TASK_COMPLETED, EventType.TASK_FAILED),
    ActionType.CALL_SUB_ORCHESTRATOR: (
        EventType.SUB_ORCHESTRATION_CREATED,
        EventType.SUB_ORCHESTRATION_COMPLETED,
        EventType.SUB_ORCHESTRATION_FAILED,
    ),
}


@dataclass(frozen=True)
class Task:
    """Something that the orchestration scheduled. `name` is `timer` for timers, which have a `fire_at`."""

    id: int
    kind: ActionType
    name: str
    input: Any = None
    child_id: str | None = None
    fire_at: str = ""


def call(name: str) -> Task:
    """An external event of this name, which may come whenever a test wants it to."""
    return Task(-1, ActionType.WAIT_FOR_EXTERNAL_EVENT, CALL, name)


Reply = Message | Exception | None
Replies = Mapping[str, Callable[[Any], Reply]]
"""What each activity and sub-orchestration answers to its input."""
Order = Callable[[list[Task]], list[Task]]
"""Which of the tasks under way complete next, all in one turn."""


def one_by_one(pending: list[Task]) -> list[Task]:
    """The task that was scheduled first."""
    return pending[:1]


@dataclass
class Play:
    """One execution, from its first turn to its end. `documents` and `states` are those of its turns."""

    orchestrator: str
    history: list[Event]
    now: datetime
    documents: list[str] = field(default_factory=list)
    states: list[OrchestratorState] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    most_at_once: int = 0
    instance: str = INSTANCE
    left_running: list[Task] = field(default_factory=list)

    @property
    def end(self) -> OrchestratorState:
        """What the last turn answered."""
        return self.states[-1]

    @property
    def output(self) -> Any:
        """What the orchestration returned."""
        assert self.end.failure is None, self.end.failure
        return json.loads(self.end.output or "null")

    @property
    def continued_with(self) -> Any:
        """The input of the next execution; None where this one is the last."""
        for _, action in self.end.actions[-1:]:
            if action["actionType"] == ActionType.CONTINUE_AS_NEW:
                return json.loads(action["input"])
        return None

    @property
    def status(self) -> Any:
        """The custom status in the end."""
        return self.statuses[-1]

    @property
    def statuses(self) -> list[Any]:
        """The custom status of every turn."""
        return [json.loads(state.custom_status or "null") for state in self.states]

    def calls(self, name: str) -> list[Any]:
        """The inputs of all calls of this activity or sub-orchestration; for timers, when they fire."""
        return [task.fire_at if name == TIMER else task.input for task in self.tasks if task.name == name]


@dataclass(frozen=True)
class Story:
    """All executions of one orchestration, as if they were one."""

    plays: Sequence[Play]

    @property
    def end(self) -> OrchestratorState:
        """What the last turn of all answered."""
        return self.plays[-1].end

    @property
    def output(self) -> Any:
        """What the orchestration returned."""
        return self.plays[-1].output

    @property
    def status(self) -> Any:
        """The custom status in the end."""
        return self.plays[-1].status

    @property
    def statuses(self) -> list[Any]:
        """The custom status of every turn."""
        return [status for played in self.plays for status in played.statuses]

    @property
    def tasks(self) -> list[Task]:
        """All that was scheduled."""
        return [task for played in self.plays for task in played.tasks]

    @property
    def now(self) -> datetime:
        """When it ended."""
        return self.plays[-1].now

    @property
    def most_at_once(self) -> int:
        """How many tasks were under way at once, at the most."""
        return max(played.most_at_once for played in self.plays)

    @property
    def longest_history(self) -> int:
        """How many events the longest of the histories has."""
        return max(len(played.history) for played in self.plays)

    def calls(self, name: str) -> list[Any]:
        """The inputs of all calls of this activity or sub-orchestration; for timers, when they fire."""
        return [call for played in self.plays for call in played.calls(name)]

    def require_sound(self) -> None:
        """Every execution is deterministic, and leaves nothing under way."""
        for played in self.plays:
            require_deterministic(played)
            assert not played.left_running


@functools.cache
def _functions() -> Functions:
    return index(function_app.app)


def ask(orchestrator: str, body: str) -> OrchestratorState:
    """What the registered orchestrator function answers to the extension's JSON document."""
    try:
        return read_state(_functions().orchestrators[orchestrator](func.OrchestrationContext(body)))
    except Exception as fault:
        return read_failure(fault)


def play(
    orchestrator: str,
    input_: Mapping[str, Any],
    replies: Replies,
    order: Order = one_by_one,
    at: datetime = START,
    instance: str = INSTANCE,
    early: timedelta = timedelta(0),
    version: str | None = None,
) -> Play:
    """Plays one execution until it ends or continues as new. Timers fire `early`, as on Azure."""
    played = Play(orchestrator, [], at, instance=instance)
    arrived = [event(EventType.EXECUTION_STARTED, at, Name=orchestrator, Input=json.dumps(input_), Version=version)]
    pending: dict[int, Task] = {}
    while True:
        _turn(played, json.dumps(input_), arrived, pending)
        if played.end.is_done or played.end.failure is not None:
            played.left_running = list(pending.values())
            return played
        assert pending, "The orchestration waits for nothing."
        completing = order(list(pending.values()))
        for task in completing:
            pending.pop(task.id, None)
        played.now = _moment_after(played.now, completing, early)
        arrived = [_completion(task, replies, played.now) for task in completing]


def play_on(
    orchestrator: str,
    input_: Mapping[str, Any],
    replies: Replies,
    order: Order = one_by_one,
    at: datetime = START,
    instance: str = INSTANCE,
    early: timedelta = timedelta(0),
    version: str | None = None,
) -> list[Play]:
    """Plays all executions, each with what the one before continued with."""
    plays = [play(orchestrator, input_, replies, order, at, instance, early, version)]
    while (following := plays[-1].continued_with) is not None:
        plays.append(play(orchestrator, following, replies, order, plays[-1].now, instance, early, version))
    return plays


def play_story(
    orchestrator: str,
    input_: Mapping[str, Any],
    replies: Replies,
    order: Order = one_by_one,
    at: datetime = START,
    instance: str = INSTANCE,
    early: timedelta = timedelta(0),
) -> Story:
    """Plays all executions, as one."""
    return Story(play_on(orchestrator, input_, replies, order, at, instance, early))


def require_deterministic(played: Play) -> None:
    """Every prefix of the history, cut between turns, is answered the same each time, and extends the one before."""
    before: Sequence[Any] = []
    for body, state in zip(played.documents, played.states, strict=True):
        assert ask(played.orchestrator, body) == state
        actions = [(id_, {**action, "isCanceled": None}) for id_, action in state.actions]
        assert actions[: len(before)] == before
        before = actions


def _turn(played: Play, input_json: str, arrived: Sequence[Event], pending: dict[int, Task]) -> None:
    played.history += [event(EventType.ORCHESTRATOR_STARTED, played.now), *arrived]
    played.documents.append(document(played.instance, None, input_json, played.history))
    played.states.append(ask(played.orchestrator, played.documents[-1]))
    known = len(played.tasks)
    for id_ in [id_ for id_, action in played.end.actions if action.get("isCanceled")]:
        pending.pop(id_, None)
    scheduled = [_task(id_, action) for id_, action in played.end.actions if _is_task(action)]
    pending |= {task.id: task for task in scheduled[known:]}
    played.tasks = scheduled
    played.most_at_once = max(played.most_at_once, len(pending))
    played.history += [_scheduled(task, played.now) for task in scheduled[known:]]
    played.history.append(event(EventType.ORCHESTRATOR_COMPLETED, played.now))


def _is_task(action: Mapping[str, Any]) -> bool:
    return bool(action["actionType"] != ActionType.CONTINUE_AS_NEW)


def _task(id_: int, action: Mapping[str, Any]) -> Task:
    kind = ActionType(action["actionType"])
    if kind == ActionType.CREATE_TIMER:
        return Task(id_, kind, TIMER, fire_at=action["fireAt"])
    return Task(id_, kind, action["functionName"], json.loads(action["input"]), action.get("instanceId"))


def _scheduled(task: Task, now: datetime) -> Event:
    if task.name == TIMER:
        return event(EventType.TIMER_CREATED, now, task.id, FireAt=task.fire_at)
    return event(_KINDS[task.kind][0], now, task.id, Name=task.name, Input=json.dumps(task.input))


def _moment_after(now: datetime, completing: list[Task], early: timedelta) -> datetime:
    """A timer moves the time to when it fires; anything else takes a second."""
    timers = [datetime.fromisoformat(task.fire_at) - early for task in completing if task.fire_at]
    return max([now, *timers]) if timers else now + timedelta(seconds=1)


def _completion(task: Task, replies: Replies, now: datetime) -> Event:
    if task.name == TIMER:
        return event(EventType.TIMER_FIRED, now, TimerId=task.id, FireAt=task.fire_at)
    if task.name == CALL:
        return event(EventType.EVENT_RAISED, now, Name=task.input, Input=json.dumps("now"))
    _, completed, failed = _KINDS[task.kind]
    reply = replies[task.name](task.input)
    if isinstance(reply, Exception):
        return event(failed, now, TaskScheduledId=task.id, Reason=str(reply), Details="")
    result = json.dumps(reply.to_json() if reply else None)
    return event(completed, now, TaskScheduledId=task.id, Result=result)
