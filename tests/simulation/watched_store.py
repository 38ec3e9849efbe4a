"""A store in memory that complains of what should not get into Durable's state."""

from collections.abc import Sequence
from datetime import datetime

from local.engine import Instance, Store
from local.engine.protocol import Event
from tests.simulation.source_blobs import SECRET

LONGEST_HISTORY = 1_000
"""Events: replay reads all of them at every turn."""

LARGEST_MESSAGE = 4_096
"""Bytes: Durable keeps larger ones elsewhere, and reads them again and again."""


class WatchedStore(Store):
    """Complains of histories that grow too long, and of messages that are too large or hold a secret."""

    def __init__(self) -> None:
        super().__init__()
        self.complaints: list[str] = []

    def append(self, execution: str, position: int, events: Sequence[Event]) -> None:
        super().append(execution, position, events)
        if position + len(events) > LONGEST_HISTORY:
            self.complaints.append(f"a history of {position + len(events)} events")
        for event in events:
            for field in ("Input", "Result", "Reason"):
                self._look_at(event.get(field))

    def show(self, instance: Instance, status: str, custom_status: str | None, now: datetime) -> None:
        super().show(instance, status, custom_status, now)
        self._look_at(custom_status)

    def dump(self) -> str:
        """All that the store holds."""
        return "\n".join(self._database.iterdump())

    def _look_at(self, message: str | None) -> None:
        if message and len(message.encode()) > LARGEST_MESSAGE:
            self.complaints.append(f"a message of {len(message)} characters: {message[:200]}")
        if message and SECRET in message:
            self.complaints.append(f"a secret in a message: {message}")
