"""What keeps a step from its work: errors that a person must act on, and when to try again."""

from dataclasses import dataclass

from messages.encoding import Message, PublicMessage


@dataclass(frozen=True)
class Problem(PublicMessage):
    """An error that a person must act on; `request_id` is Microsoft's, `remedy` one sentence on what to do."""

    code: str
    message: str
    remedy: str
    request_id: str | None = None


@dataclass(frozen=True)
class NotNow(Message):
    """What keeps an activity from its work for now: it may be called again.

    `retry_after`: the seconds that the service asked to wait, if it did. `anew`: where waiting does not help, a new
    export may.
    """

    problem: Problem
    retry_after: float | None = None
    anew: bool = False


@dataclass(frozen=True)
class PutOff(Message):
    """The answer of any activity that could do nothing yet. In the JSON of other answers it finds no `not_now`."""

    not_now: NotNow | None = None
