"""Calls functions as the Python worker does: through its own converters, JSON in and JSON out."""

import asyncio
import inspect
from collections.abc import Callable

from azure.functions.durable_functions import ActivityTriggerConverter, OrchestrationTriggerConverter
from azure.functions.meta import Datum

from local.functions import ActivityFunction


def call_orchestrator(orchestrator: Callable[..., str], context_json: str) -> str:
    """The JSON with which the SDK answers a context; what the orchestrator raises holds the same in its text."""
    return orchestrator(OrchestrationTriggerConverter.decode(Datum(context_json, "json"), trigger_metadata=None))


async def call_activity(function: ActivityFunction, input_json: str | None, client_binding: str) -> str:
    """The activity's result. `client_binding` is the JSON that its Durable client is made from, where it has one.

    Raises:
        Exception: whatever the activity raises.
    """
    bindings = {
        function.input_parameter: ActivityTriggerConverter.decode(Datum(input_json, "json"), trigger_metadata=None)
    }
    if function.client_parameter:
        bindings[function.client_parameter] = client_binding
    if inspect.iscoroutinefunction(function.call):
        result = await function.call(**bindings)
    else:
        result = await asyncio.to_thread(function.call, **bindings)
    return str(ActivityTriggerConverter.encode(result, expected_type=None).value)
