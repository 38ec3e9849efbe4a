"""How far is an export?"""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from local.emulator.data.subjects import Subject

Status = Literal["running", "succeeded", "failed"]


@dataclass(frozen=True)
class Failure:
    """What a failed operation says went wrong."""

    code: str
    message: str


NO_DATA = Failure("5000", "No data available")
"""A final answer: there is nothing to export."""


def _new_id() -> str:
    return str(uuid.uuid4())


@dataclass
class Operation:
    """A long-running export. It ends with the first poll after `running_polls`, and then stays as it is."""

    subject: Subject
    attribute_set: str
    created: datetime
    running_polls: int
    id: str = field(default_factory=_new_id)
    manifest_id: str = field(default_factory=_new_id)
    status: Status = "running"
    failure: Failure | None = None
    last_action: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.last_action = self.created

    @property
    def is_early(self) -> bool:
        """Whether the next poll cannot be the one that it ends with, or was not."""
        return self.status != "running" or self.running_polls > 0

    def poll(self, now: datetime, failure: Failure | None) -> None:
        """One look at the operation: it takes the operation one step on, the last one being success or this failure."""
        if self.status != "running":
            return
        self.last_action = now
        if self.running_polls > 0:
            self.running_polls -= 1
        else:
            self.status = "failed" if failure else "succeeded"
            self.failure = failure
