"""Tells how the instances ended that failed: cancelled by somebody, or for a reason that stands in their status."""

import asyncio
from collections.abc import Mapping

from azure.durable_functions import DurableOrchestrationClient
from azure.durable_functions.models.DurableOrchestrationStatus import DurableOrchestrationStatus

from activities.door import JsonObject, activity_with_client
from messages.endings import EndedInstances, Ending, Endings
from messages.instances import is_active, is_cancelled
from messages.names import READ_ENDINGS
from messages.problems import Problem

LOOK_SECONDS = 0.5
MOST_LOOKS = 20
"""A parent may hear of an end before it can be read."""


@activity_with_client(READ_ENDINGS)
async def read_endings(message: JsonObject, client: DurableOrchestrationClient) -> JsonObject:
    """`Endings` to `EndedInstances`."""
    ids = EndedInstances.from_json(message).ids
    return Endings([_ending(id_, await _ended(client, id_)) for id_ in ids]).to_json()


async def _ended(client: DurableOrchestrationClient, instance_id: str) -> DurableOrchestrationStatus:
    for _ in range(MOST_LOOKS):
        status = await client.get_status(instance_id)
        if not is_active(status):
            break
        await asyncio.sleep(LOOK_SECONDS)
    return status


def _ending(instance_id: str, status: DurableOrchestrationStatus) -> Ending:
    shown = status.custom_status if isinstance(status.custom_status, Mapping) else {}
    problem = Problem.from_json(shown["error"]) if "error" in shown else None
    return Ending(instance_id, is_cancelled(status), problem)
