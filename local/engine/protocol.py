"""The language between the Durable extension and the SDK: history events in, actions out.

Source: https://github.com/Azure/azure-functions-durable-extension, out-of-process protocol, replay schema 2 and later
"""

import itertools
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

Event = dict[str, Any]


class EventType(IntEnum):
    """The history events that the engine writes."""

    EXECUTION_STARTED = 0
    TASK_SCHEDULED = 4
    TASK_COMPLETED = 5
    TASK_FAILED = 6
    SUB_ORCHESTRATION_CREATED = 7
    SUB_ORCHESTRATION_COMPLETED = 8
    SUB_ORCHESTRATION_FAILED = 9
    TIMER_CREATED = 10
    TIMER_FIRED = 11
    ORCHESTRATOR_STARTED = 12
    ORCHESTRATOR_COMPLETED = 13
    EVENT_RAISED = 15


class ActionType(IntEnum):
    """The actions that the engine carries out."""

    CALL_ACTIVITY = 0
    CALL_SUB_ORCHESTRATOR = 2
    CONTINUE_AS_NEW = 4
    CREATE_TIMER = 5
    WAIT_FOR_EXTERNAL_EVENT = 6
    WHEN_ANY = 11
    WHEN_ALL = 12


def event(kind: EventType, now: datetime, event_id: int = -1, **fields: Any) -> Event:
    """One history event."""
    return {"EventType": int(kind), "EventId": event_id, "IsPlayed": False, "Timestamp": timestamp(now), **fields}


def timestamp(moment: datetime) -> str:
    """The moment (UTC) as the protocol writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def document(instance_id: str, parent_id: str | None, input_json: str | None, history: Sequence[Event]) -> str:
    """The JSON document that an orchestrator function is called with."""
    return json.dumps(
        {
            "history": history,
            "input": input_json,
            "instanceId": instance_id,
            "isReplaying": False,
            "parentInstanceId": parent_id,
            "upperSchemaVersion": 2,
            "upperSchemaVersionNew": 4,
        }
    )


@dataclass(frozen=True)
class Step:
    """What an orchestration awaited at once: actions, each with its task id, and external events.

    Of an event it has the name, and how many of that name were awaited before. `any_` says that one of all is enough.
    """

    actions: Sequence[tuple[int, Mapping[str, Any]]]
    events: Sequence[tuple[str, int]] = ()
    any_: bool = False

    def is_over(self, done: Collection[int], raised: Mapping[str, int]) -> bool:
        """Whether the orchestration awaits it no more, when these tasks are done and so many events were raised."""
        over = [id_ in done or action.get("isCanceled", False) or _ends(action) for id_, action in self.actions]
        over += [raised.get(name, 0) > before for name, before in self.events]
        return any(over) if self.any_ else all(over)


@dataclass(frozen=True)
class OrchestratorState:
    """What an orchestrator function answered. `steps` are all since the beginning.

    `failure` holds the text of the exception that ended it, `output` its JSON.
    """

    is_done: bool
    steps: Sequence[Step]
    output: str | None
    custom_status: str | None
    failure: str | None = None

    @property
    def actions(self) -> list[tuple[int, Mapping[str, Any]]]:
        """The actions of all steps."""
        return [action for step in self.steps for action in step.actions]


_FAILURE_LABEL = "\n\n$OutOfProcData$:"


def read_state(text: str, failure: str | None = None) -> OrchestratorState:
    """The state that the SDK's JSON tells."""
    state = json.loads(text)
    numbered = _Numbering()
    steps = [numbered.step(action) for batch in state["actions"] for action in batch]
    return OrchestratorState(
        state["isDone"], steps, _json(state.get("output")), _json(state.get("customStatus")), failure
    )


def read_failure(fault: Exception) -> OrchestratorState:
    """The state of an orchestrator that raised: the SDK hides its JSON behind a label in the exception's text."""
    reason, label, text = str(fault).partition(_FAILURE_LABEL)
    if not label:
        return OrchestratorState(True, [], None, None, failure=f"{type(fault).__name__}: {fault}")
    return read_state(text, failure=reason)


class _Numbering:
    """Gives out task ids as the SDK does: in the order of the actions, but none to a wait for an external event."""

    def __init__(self) -> None:
        self._ids = itertools.count()
        self._awaited: Counter[str] = Counter()

    def step(self, action: Mapping[str, Any]) -> Step:
        """The step that this action begins, after those before."""
        actions: list[tuple[int, Mapping[str, Any]]] = []
        events: list[tuple[str, int]] = []
        for leaf in _leaves(action):
            if leaf["actionType"] == ActionType.WAIT_FOR_EXTERNAL_EVENT:
                events.append(self._event(leaf["externalEventName"]))
            else:
                actions.append((next(self._ids), leaf))
        return Step(actions, events, action["actionType"] == ActionType.WHEN_ANY)

    def _event(self, name: str) -> tuple[str, int]:
        before = self._awaited[name]
        self._awaited[name] += 1
        return name, before


def _ends(action: Mapping[str, Any]) -> bool:
    return bool(action["actionType"] == ActionType.CONTINUE_AS_NEW)


def _leaves(action: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if action["actionType"] in (ActionType.WHEN_ANY, ActionType.WHEN_ALL):
        for child in action["compoundActions"]:
            yield from _leaves(child)
    else:
        yield action


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value)
