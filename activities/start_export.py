"""Posts the export. The one activity that leaves something behind when it runs twice: a second, harmless operation."""

from activities.blueprint import JsonObject, activity
from activities.clients import clients
from activities.problems import problem_of
from billing.errors import OperationGone, RequestRefused
from landing.errors import LandingRefused
from orchestrator.messages import StartAnswer, StartOrder
from orchestrator.names import START_EXPORT


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
    return StartAnswer(started.value, started.retry_after, posted=posted).to_json()
