"""Posts the export. The one activity that leaves something behind when it runs twice: a second, harmless operation."""

from activities.door import JsonObject, activity
from activities.problems import problem_of
from billing.errors import OperationGone, RequestRefused
from clients.process import clients
from landing.errors import LandingRefused
from messages.exports import StartAnswer, StartOrder
from messages.names import START_EXPORT


@activity(START_EXPORT)
async def start_export(message: JsonObject) -> JsonObject:
    """`StartAnswer` to a `StartOrder`."""
    order = StartOrder.from_json(message)
    try:
        using = await clients()
        posted = using.now()
        started = await using.billing.start_export(order.request)
    except (RequestRefused, OperationGone, LandingRefused) as refusal:
        return StartAnswer(problem=problem_of(refusal)).to_json()
    return StartAnswer(started.operation_url, started.retry_after, posted=posted).to_json()
