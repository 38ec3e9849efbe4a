"""Posts the export. The one activity that leaves something behind when it runs twice: a second, harmless operation."""

from activities.door import JsonObject, activity
from clients.process import clients
from messages.exports import StartAnswer, StartOrder
from messages.names import START_EXPORT


@activity(START_EXPORT)
async def start_export(message: JsonObject) -> JsonObject:
    """`StartAnswer` to a `StartOrder`."""
    order = StartOrder.from_json(message)
    using = await clients()
    posted = using.now()
    started = await using.billing.start_export(order.request)
    return StartAnswer(started.operation_url, started.retry_after, posted).to_json()
