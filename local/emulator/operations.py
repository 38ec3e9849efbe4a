"""How far is an export?"""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Status = Literal["running", "succeeded", "failed"]


def _new_id() -> str:
    return str(uuid.uuid4())


@dataclass
class Operation:
    """A long-running export. It ends with the first poll after `running_polls`, and then stays as it is."""

    invoice_id: str
    attribute_set: str
    created: datetime
    running_polls: int
    id: str = field(default_factory=_new_id)
    manifest_id: str = field(default_factory=_new_id)
    status: Status = "running"
    last_action: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.last_action = self.created

    def poll(self, now: datetime, *, has_data: bool) -> None:
        """One look at the operation: it takes the operation one step on."""
        if self.status != "running":
            return
        self.last_action = now
        if self.running_polls > 0:
            self.running_polls -= 1
        else:
            self.status = "succeeded" if has_data else "failed"
