"""Answers that only the app's activities have: an orchestration asks them, and whoever called waits for it."""

import asyncio
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from azure.durable_functions import DurableOrchestrationClient, OrchestrationRuntimeStatus

from http_start.answers import Refused
from messages.instances import is_active

LOOK_SECONDS = 0.2
MOST_LOOKS = 450
"""Within the time for which callers wait, beyond that for which a service is tried that does not answer."""


async def output_of(
    client: DurableOrchestrationClient,
    orchestration: str,
    prefix: str,
    message: Mapping[str, Any] | None = None,
    most_looks: int = MOST_LOOKS,
) -> dict[str, Any]:
    """What the orchestration returns that is started for this; its id begins with the prefix.

    Raises:
        Refused: as unavailable, when it fails or has not ended after so many looks.
    """
    run_id = await client.start_new(orchestration, f"{prefix}-{uuid.uuid4()}", message)
    for _ in range(most_looks):
        status = await client.get_status(run_id)
        if status and not is_active(status):
            if status.runtime_status != OrchestrationRuntimeStatus.Completed:
                raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "The check failed; the app's log says why.")
            output: dict[str, Any] = status.output
            return output
        await asyncio.sleep(LOOK_SECONDS)
    raise Refused(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Orchestrations do not run; the app's identity may lack its roles on the host's storage account.",
    )
