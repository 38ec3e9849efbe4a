"""The messages that announce the end of a run."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from messages.encoding import Message

EXPORT, TABLE = "export", "table"
"""What may have ended."""


@dataclass(frozen=True)
class Notice(Message):
    """The run `subject` ended at `time` (UTC) as `succeeded`, `failed` or `unchanged`; it is told in this `attempt`.

    `about` says whether the run was one of exports, or of a table. `id` is the same in every attempt; `data` is the
    result or the error, as callers see it. `retry_seconds` pass before the second attempt.
    """

    id: str
    outcome: str
    subject: str
    time: datetime
    data: dict[str, Any]
    retry_seconds: float = 30.0
    attempt: int = 1
    about: str = EXPORT
