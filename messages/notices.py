"""The messages that announce the end of a run."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from messages.encoding import Message


@dataclass(frozen=True)
class Notice(Message):
    """Input of `send_notice`: the run `subject` ended at `time` as `succeeded`, `failed` or `unchanged`.

    `id` is the same in every attempt to tell this; `data` is the result or the error, as callers see it.
    """

    id: str
    outcome: str
    subject: str
    time: datetime
    data: dict[str, Any]
    attempt: int = 1
