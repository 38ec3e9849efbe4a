"""One turn of an orchestration: its history and what arrived go in, what it wants next comes out."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local.engine.protocol import (
    ActionType,
    Event,
    EventType,
    OrchestratorState,
    Step,
    document,
    event,
    read_failure,
    read_state,
)
from local.worker import call_orchestrator


@dataclass(frozen=True)
class Scheduled:
    """Something that the orchestration scheduled in this turn.

    `instance_id` and `version` are what it gave to a sub-orchestration, if anything.
    """

    task_id: int
    name: str
    input_json: str | None
    instance_id: str | None = None
    version: str | None = None


@dataclass
class Turn:
    """What one turn brought: `events` to append to the history, and what is to be done.

    `continue_with` is the JSON input of a new history; `state` tells whether and how the orchestrator ended, and
    `awaits_more` whether something that it scheduled or awaited is still to come.
    """

    state: OrchestratorState
    events: list[Event]
    activities: list[Scheduled] = field(default_factory=list)
    children: list[Scheduled] = field(default_factory=list)
    timers: list[tuple[int, str]] = field(default_factory=list)
    cancelled_timers: list[int] = field(default_factory=list)
    continue_with: str | None = None
    awaits_more: bool = False

    def open_tasks(self, known: Collection[int], done: Collection[int]) -> set[int]:
        """What is scheduled, and neither done nor cancelled."""
        new = {task.task_id for task in (*self.activities, *self.children)} | {task_id for task_id, _ in self.timers}
        cancelled = {task_id for task_id, action in self.state.actions if action.get("isCanceled")}
        return (new | set(known)) - set(done) - cancelled


class NotDeterministic(Exception):
    """The orchestration did not repeat what its history says that it did."""


@dataclass(frozen=True)
class Position:
    """Where an orchestration stands: who it is, its JSON input, and its history so far."""

    instance_id: str
    parent_id: str | None
    input_json: str | None
    history: Sequence[Event]


def play(orchestrator: Callable[..., str], position: Position, arrived: Sequence[Event], now: datetime) -> Turn:
    """Lets the SDK replay the history with the events that arrived, and sorts the actions that it answers with."""
    events = [event(EventType.ORCHESTRATOR_STARTED, now), *arrived]
    body = document(position.instance_id, position.parent_id, position.input_json, [*position.history, *events])
    turn = Turn(_ask(orchestrator, body), events)
    known, outcomes = _scheduled_before(position.history), _Outcomes([*position.history, *arrived])
    try:
        all_over = _sort_steps(turn, known, outcomes, now)
        turn.awaits_more = not all_over or bool(turn.open_tasks(known, outcomes.done))
    except (NotDeterministic, NotImplementedError) as fault:
        turn.state = read_failure(fault)
    events.append(event(EventType.ORCHESTRATOR_COMPLETED, now))
    return turn


def _ask(orchestrator: Callable[..., str], body: str) -> OrchestratorState:
    try:
        return read_state(call_orchestrator(orchestrator, body))
    except Exception as fault:
        return read_failure(fault)


def _scheduled_before(history: Sequence[Event]) -> dict[int, tuple[int, str | None]]:
    kinds = {EventType.TASK_SCHEDULED, EventType.SUB_ORCHESTRATION_CREATED, EventType.TIMER_CREATED}
    return {e["EventId"]: (e["EventType"], e.get("Name")) for e in history if e["EventType"] in kinds}


class _Outcomes:
    """What has come of what was awaited: the ids of tasks that are done, and how many events of each name came."""

    def __init__(self, history: Sequence[Event]) -> None:
        self.done = {e[kind] for e in history for kind in ("TaskScheduledId", "TimerId") if kind in e}
        self.raised = Counter(e["Name"] for e in history if e["EventType"] == EventType.EVENT_RAISED)


def _sort_steps(turn: Turn, known: Mapping[int, tuple[int, str | None]], outcomes: _Outcomes, now: datetime) -> bool:
    """Whether all steps are over."""
    _require_all(turn.state, known)
    for step in turn.state.steps:
        _sort_actions(turn, step, known, now)
        # The extension awaits each step before it looks at the next.
        if not step.is_over(outcomes.done, outcomes.raised):
            return False
    return True


def _sort_actions(turn: Turn, step: Step, known: Mapping[int, tuple[int, str | None]], now: datetime) -> None:
    for task_id, action in step.actions:
        match action["actionType"]:
            case ActionType.CALL_ACTIVITY:
                if _is_new(known, task_id, EventType.TASK_SCHEDULED, action):
                    turn.activities.append(Scheduled(task_id, action["functionName"], action["input"]))
                    turn.events.append(_created(EventType.TASK_SCHEDULED, now, task_id, action))
            case ActionType.CALL_SUB_ORCHESTRATOR:
                if _is_new(known, task_id, EventType.SUB_ORCHESTRATION_CREATED, action):
                    turn.children.append(_child(task_id, action))
                    turn.events.append(_created(EventType.SUB_ORCHESTRATION_CREATED, now, task_id, action))
            case ActionType.CREATE_TIMER:
                if _is_new(known, task_id, EventType.TIMER_CREATED, action):
                    turn.timers.append((task_id, action["fireAt"]))
                    turn.events.append(event(EventType.TIMER_CREATED, now, task_id, FireAt=action["fireAt"]))
                if action["isCanceled"]:
                    turn.cancelled_timers.append(task_id)
            case ActionType.CONTINUE_AS_NEW:
                turn.continue_with = action["input"]
            case other:
                raise NotImplementedError(f"The local engine does not know actions of type {other}.")


def _child(task_id: int, action: Mapping[str, Any]) -> Scheduled:
    return Scheduled(task_id, action["functionName"], action["input"], action["instanceId"], action.get("version"))


def _require_all(state: OrchestratorState, known: Mapping[int, tuple[int, str | None]]) -> None:
    forgotten = known.keys() - {task_id for task_id, _ in state.actions}
    if forgotten and state.failure is None:
        raise NotDeterministic(f"Tasks {sorted(forgotten)} were scheduled before, and are not now.")


def _is_new(
    known: Mapping[int, tuple[int, str | None]], task_id: int, kind: EventType, action: Mapping[str, Any]
) -> bool:
    if task_id not in known:
        return True
    if known[task_id] != (kind, action.get("functionName")):
        raise NotDeterministic(f"Task {task_id} was {known[task_id]} before, and is {action} now.")
    return False


def _created(kind: EventType, now: datetime, task_id: int, action: Mapping[str, Any]) -> Event:
    return event(kind, now, task_id, Name=action["functionName"], Input=action["input"])
