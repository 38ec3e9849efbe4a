"""Whether the app can do its work, tried out by an orchestration of its own."""

from typing import Any

from azure.durable_functions import DurableOrchestrationClient

from http_start.asking import MOST_LOOKS, output_of
from messages.names import CHECK_READINESS


async def tried_out(client: DurableOrchestrationClient, most_looks: int = MOST_LOOKS) -> dict[str, Any]:
    """`ready`, and `checks`: of each thing that the app needs its name and what is wrong with it.

    Raises:
        Refused: as unavailable, when the orchestration fails or has not ended after so many looks.
    """
    found = await output_of(client, CHECK_READINESS, "readiness", most_looks=most_looks)
    checks = [{"name": name, "problem": problem} for name, problem in found.items()]
    return {"ready": not any(check["problem"] for check in checks), "checks": checks}
