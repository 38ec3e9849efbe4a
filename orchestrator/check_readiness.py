"""Has an activity try out what the app needs: that this runs at all shows that Durable and its storage do."""

from typing import Any

from azure.durable_functions import DurableOrchestrationContext

from messages.names import CHECK_READINESS, PROBE_READINESS
from orchestrator.blueprint import blueprint
from orchestrator.run import Steps


@blueprint.orchestration_trigger(context_name="context", orchestration=CHECK_READINESS)
def check_readiness(context: DurableOrchestrationContext) -> Steps[Any]:
    """What `probe_readiness` found."""
    return (yield context.call_activity(PROBE_READINESS, {}))
