"""A Durable client of our own: instances in a dictionary, and errors that a test asks for."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.durable_functions import OrchestrationRuntimeStatus
from azure.durable_functions.models.DurableOrchestrationStatus import DurableOrchestrationStatus

from messages.instances import ENDED, is_active

BEGINNING = datetime(2026, 11, 1, tzinfo=UTC)


class FakeDurable:
    """Answers as `DurableOrchestrationClient`, each start a minute later than the one before."""

    def __init__(self) -> None:
        self.instances: dict[str, DurableOrchestrationStatus] = {}
        self.started: list[tuple[str, str, Any]] = []
        self.raised: list[tuple[str, str]] = []
        self.when_raised: Callable[[str], None] = lambda _: None
        self.start_fails_after_rival = False

    def add(self, instance_id: str, status: str, created: datetime | None = None, **shown: Any) -> None:
        """An instance that is there already."""
        created = created or BEGINNING + timedelta(minutes=len(self.instances))
        self.instances[instance_id] = DurableOrchestrationStatus(
            "run_export", instance_id, created.isoformat(), created.isoformat(), runtimeStatus=status, **shown
        )

    async def get_status(self, instance_id: str) -> DurableOrchestrationStatus:
        return self.instances.get(instance_id, DurableOrchestrationStatus())

    async def get_status_by(
        self,
        created_time_from: datetime | None = None,
        created_time_to: datetime | None = None,
        runtime_status: Sequence[OrchestrationRuntimeStatus] | None = None,
        instance_id_prefix: str | None = None,
    ) -> list[DurableOrchestrationStatus]:
        found = [
            status
            for status in self.instances.values()
            if (created_time_from is None or status.created_time >= created_time_from)
            and (created_time_to is None or status.created_time <= created_time_to)
            and (not runtime_status or status.runtime_status in runtime_status)
            and status.instance_id.startswith(instance_id_prefix or "")
        ]
        return found[:100]

    async def start_new(self, name: str, instance_id: str, client_input: Any) -> str:
        if self.start_fails_after_rival:
            self.add(instance_id, "Running")
            raise Exception("An instance with this ID already exists.")
        self.started.append((name, instance_id, client_input))
        self.add(instance_id, "Pending")
        return instance_id

    async def purge_instance_history_by(
        self,
        created_time_from: datetime,
        created_time_to: datetime,
        runtime_status: Sequence[OrchestrationRuntimeStatus],
    ) -> None:
        for status in await self.get_status_by(created_time_from, created_time_to, runtime_status):
            del self.instances[status.instance_id]

    async def purge_instance_history(self, instance_id: str) -> None:
        assert self.instances.pop(instance_id).runtime_status in ENDED

    async def raise_event(self, instance_id: str, event_name: str, event_data: str) -> None:
        """Tells a test of the event first, which may have the instance end, or continue as new, at this moment."""
        self.when_raised(instance_id)
        if not is_active(self.instances[instance_id]):
            raise Exception(f"Instance with ID {instance_id} is gone: either completed or failed")
        self.raised.append((instance_id, event_name))

    async def terminate(self, instance_id: str, reason: str) -> None:
        assert reason
        self.add(instance_id, "Terminated")
