"""The Durable client that the triggers are given, on a simulated host."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from azure.durable_functions import OrchestrationRuntimeStatus
from azure.durable_functions.models.DurableOrchestrationStatus import DurableOrchestrationStatus

from local.engine import Instance

if TYPE_CHECKING:
    from tests.simulation.host import Host


class SimulatedDurable:
    """Answers as `DurableOrchestrationClient`."""

    def __init__(self, host: "Host") -> None:
        self._host = host

    async def get_status(self, instance_id: str) -> DurableOrchestrationStatus:
        instance = self._host.store.find(instance_id)
        return _status(instance) if instance else DurableOrchestrationStatus()

    async def get_status_by(
        self, instance_id_prefix: str, runtime_status: Sequence[OrchestrationRuntimeStatus]
    ) -> list[DurableOrchestrationStatus]:
        found = [_status(i) for i in self._host.store.instances() if i.id.startswith(instance_id_prefix)]
        return [status for status in found if status.runtime_status in runtime_status]

    async def start_new(self, name: str, instance_id: str, client_input: Any) -> str:
        self._host.start(name, instance_id, client_input)
        return instance_id

    async def terminate(self, instance_id: str, reason: str) -> None:
        self._host.terminate(instance_id, reason)


def _status(instance: Instance) -> DurableOrchestrationStatus:
    return DurableOrchestrationStatus(
        instance.name,
        instance.id,
        instance.created,
        instance.updated,
        runtimeStatus=instance.status,
        customStatus=_value(instance.custom_status_json),
        output=_value(instance.output_json),
    )


def _value(text: str | None) -> Any:
    return None if text is None else json.loads(text)
