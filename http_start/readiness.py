"""Whether the app can do its work, tried out by an orchestration of its own."""

import asyncio
import uuid
from http import HTTPStatus
from typing import Any

from azure.durable_functions import DurableOrchestrationClient, OrchestrationRuntimeStatus
from azure.durable_functions.models.DurableOrchestrationStatus import DurableOrchestrationStatus

from http_start.answers import Refused
from messages.instances import is_active
from messages.names import CHECK_READINESS

LOOK_SECONDS = 0.5
MOST_LOOKS = 180
"""Within the time for which callers wait, beyond that for which a service is tried that does not answer."""


async def tried_out(client: DurableOrchestrationClient, most_looks: int = MOST_LOOKS) -> dict[str, Any]:
    """`ready`, and `checks`: of each thing that the app needs its name and what is wrong with it.

    Raises:
        Refused: as unavailable, when the orchestration fails or has not ended after so many looks.
    """
    run_id = await client.start_new(CHECK_READINESS, f"readiness-{uuid.uuid4()}", None)
    for _ in range(most_looks):
        status = await client.get_status(run_id)
        if status and not is_active(status):
            return _found(status)
        await asyncio.sleep(LOOK_SECONDS)
    raise Refused(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Orchestrations do not run; the app's identity may lack its roles on the host's storage account.",
    )


def _found(status: DurableOrchestrationStatus) -> dict[str, Any]:
    if status.runtime_status != OrchestrationRuntimeStatus.Completed:
        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "The check failed; the app's log says why.")
    checks = [{"name": name, "problem": problem} for name, problem in status.output.items()]
    return {"ready": not any(check["problem"] for check in checks), "checks": checks}
