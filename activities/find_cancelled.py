"""Tells which of the instances that failed somebody has cancelled: to their parent both look the same."""

import asyncio

from azure.durable_functions import DurableOrchestrationClient

from activities.door import JsonObject, activity_with_client
from messages.cancelling import CancelledInstances, FailedInstances
from messages.instances import is_active, is_cancelled
from messages.names import FIND_CANCELLED

LOOK_SECONDS = 0.5
MOST_LOOKS = 20
"""A parent may hear of an end before it can be read."""


@activity_with_client(FIND_CANCELLED)
async def find_cancelled(message: JsonObject, client: DurableOrchestrationClient) -> JsonObject:
    """`CancelledInstances` to `FailedInstances`."""
    ids = FailedInstances.from_json(message).ids
    return CancelledInstances([id_ for id_ in ids if await _was_cancelled(client, id_)]).to_json()


async def _was_cancelled(client: DurableOrchestrationClient, instance_id: str) -> bool:
    for _ in range(MOST_LOOKS):
        status = await client.get_status(instance_id)
        if not is_active(status):
            break
        await asyncio.sleep(LOOK_SECONDS)
    return is_cancelled(status)
