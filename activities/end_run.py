"""Ends a run that was cancelled, and what runs within it."""

import asyncio

from azure.durable_functions import DurableOrchestrationClient

from activities.door import JsonObject, activity_with_client
from messages.cancelling import EndAnswer, EndOrder
from messages.instances import ACTIVE, is_active
from messages.names import END_RUN

PAGE = 100
"""Instances that Durable lists at once."""

MOST_PAGES = 50
"""Pages of sub-orchestrations that are ended at once; what is left is found in the next round."""

PAGE_SECONDS = 0.2
"""Durable's time to take note of what was ended, before the next page is read."""


@activity_with_client(END_RUN)
async def end_run(message: JsonObject, client: DurableOrchestrationClient) -> JsonObject:
    """`EndAnswer` to an `EndOrder`."""
    order = EndOrder.from_json(message)
    active = not order.ended and is_active(await client.get_status(order.run_id))
    if active:
        await client.terminate(order.run_id, "cancelled by a caller")
    found = await _end_children(client, order.run_id)
    return EndAnswer(ended=not active, found=found + active).to_json()


async def _end_children(client: DurableOrchestrationClient, run_id: str) -> int:
    """Ends all sub-orchestrations, page by page: what has ended leaves room in Durable's one page for others.

    The answer is how many there were.
    """
    ended: set[str] = set()
    for _ in range(MOST_PAGES):
        page = await client.get_status_by(instance_id_prefix=f"{run_id}:", runtime_status=ACTIVE)
        children = {child.instance_id for child in page}
        for child in sorted(children - ended):
            await client.terminate(child, "its run was cancelled")
        ended |= children
        if len(page) < PAGE:
            break
        await asyncio.sleep(PAGE_SECONDS)
    return len(ended)
