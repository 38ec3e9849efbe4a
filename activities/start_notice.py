"""Has the end of a run told, by an orchestration that nobody waits for."""

from azure.durable_functions import DurableOrchestrationClient

from activities.door import JsonObject, activity_with_client
from messages.names import DELIVER_NOTICE, NOTICE_ID, START_NOTICE
from messages.notices import Notice


@activity_with_client(START_NOTICE)
async def start_notice(message: JsonObject, client: DurableOrchestrationClient) -> JsonObject:
    """Starts the delivery of the `Notice`, unless that was done before; the answer is empty."""
    delivery = f"{NOTICE_ID}{Notice.from_json(message).id}"
    if not await client.get_status(delivery):
        await client.start_new(DELIVER_NOTICE, delivery, message)
    return {}
