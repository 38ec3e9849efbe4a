"""What keeps a step from its work: errors that a person must act on, and what may help."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from failures import ANEW, FINAL, LATER, Kind
from messages.encoding import Message, PublicMessage


@dataclass(frozen=True)
class Problem(PublicMessage):
    """An error that a person must act on; `request_id` is Microsoft's, `remedy` one sentence on what to do."""

    code: str
    message: str
    remedy: str
    request_id: str | None = None


MOST_MET_CHARACTERS = 300
"""Of the message of a problem that was met: a status holds it beside the error and the result."""


@dataclass(frozen=True)
class MetProblem(Problem):
    """The problem that a run met last, at `time` (UTC): the reason why it waits, or why it had to."""

    time: datetime = field(kw_only=True)

    @classmethod
    def at(cls, problem: Problem, time: datetime) -> Self:
        """The problem as it was met, with the beginning of its message."""
        return cls(problem.code, problem.message[:MOST_MET_CHARACTERS], problem.remedy, problem.request_id, time=time)


@dataclass(frozen=True)
class NotDone(Message):
    """Why an activity did not do its work, or not all of it: a failure as it crosses the durable boundary.

    `kind` says what may help, `at_last` what may where waiting has not; `retry_after`: the seconds that the service
    asked to wait, if it did.
    """

    problem: Problem
    kind: Kind = FINAL
    at_last: Kind = FINAL
    retry_after: float | None = None


@dataclass(frozen=True, kw_only=True)
class Answer(Message):
    """Base of all that activities answer. With `not_done` alone it is the answer of any that failed."""

    not_done: NotDone | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The answer that `to_json` wrote, or the activity of a release that had other words for a failure."""
        return super().from_json({**data, **_in_todays_words(data)})


def _in_todays_words(data: Mapping[str, Any]) -> Mapping[str, Any]:
    if data.get("not_now"):
        earlier = data["not_now"]
        return {"not_done": {**earlier, "kind": LATER, "at_last": ANEW if earlier.get("anew") else FINAL}}
    if data.get("problem"):
        anew = data.get("anew") or data.get("state") in {"gone", "failed"}
        return {"not_done": {"problem": data["problem"], "kind": ANEW if anew else FINAL}}
    return {}
