"""Cancels runs, keeps them from being started meanwhile, and forgets them."""

import asyncio
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from azure.durable_functions import DurableOrchestrationClient
from azure.durable_functions.models.DurableOrchestrationStatus import DurableOrchestrationStatus

from http_start.answers import Refused
from http_start.parsing import unknown_export
from http_start.status import status_document
from messages.cancelling import CancelOrder
from messages.instances import ACTIVE, is_active
from messages.names import CANCEL_ID, CANCEL_RUN

RETRY_SECONDS = 30
"""After which callers may ask again who were refused because a cancellation is under way; it takes a minute or more."""

STUCK = timedelta(hours=2)
"""What has not begun after this time will not begin by itself any more."""

LOOK_SECONDS = 0.5
MOST_LOOKS = 40
"""For as long as is waited for the end of what was stuck."""

_STILL_RUNS = "Something still runs within the export: cancel it first."


async def cancel(client: DurableOrchestrationClient, run_id: str) -> dict[str, Any]:
    """Has the run end with all that runs within it; the status that it had.

    Raises:
        Refused: when there is none, or it has ended already.
    """
    status = await _known(client, run_id)
    if not await _is_being_cancelled(client, run_id):
        # Also of one that has ended: whoever ended it by other means left what ran within it.
        if not (is_active(status) or await _children(client, run_id, active=True)):
            raise Refused(HTTPStatus.CONFLICT, "The export has already ended.")
        await _begin(client, run_id)
        if is_active(status):
            # At once: the cancellation's own activity waits for its turn behind all that is being copied.
            await client.terminate(run_id, "cancelled by a caller")
    return status_document(status)


async def require_not_being_cancelled(client: DurableOrchestrationClient, run_id: str) -> None:
    """Keeps a run from being started while one of its id is being cancelled: it would be taken for that one.

    Raises:
        Refused: with the seconds after which to ask again.
    """
    if await _is_being_cancelled(client, run_id):
        raise Refused(HTTPStatus.CONFLICT, "An export of this id is being cancelled.", RETRY_SECONDS)


async def require_nothing_left(client: DurableOrchestrationClient, run_id: str) -> None:
    """Keeps a run of months from being started whose exports still run, or are being cancelled, within an earlier one.

    They would be called again under the same ids.

    Raises:
        Refused: with the seconds after which to ask again, if waiting is all that it takes.
    """
    await require_not_being_cancelled(client, run_id)
    if await _children(client, f"{CANCEL_ID}{run_id}", active=True):
        raise Refused(HTTPStatus.CONFLICT, "What ran within this export is being cancelled.", RETRY_SECONDS)
    if await _children(client, run_id, active=True):
        raise Refused(HTTPStatus.CONFLICT, _STILL_RUNS)


async def forget(client: DurableOrchestrationClient, run_id: str, now: datetime) -> dict[str, Any]:
    """Removes a run that has ended, or has not begun for hours, and all that ran within it; the status that it had.

    Raises:
        Refused: when there is none, or it is active.
    """
    status = await _known(client, run_id)
    await require_not_being_cancelled(client, run_id)
    if is_active(status):
        await _end_stuck(client, status, now)
    if await _children(client, run_id, active=True):
        raise Refused(HTTPStatus.CONFLICT, _STILL_RUNS)
    while children := await _children(client, run_id):
        for child in children:
            await client.purge_instance_history(child.instance_id)
    await client.purge_instance_history(run_id)
    return status_document(status)


async def _known(client: DurableOrchestrationClient, run_id: str) -> DurableOrchestrationStatus:
    status = await client.get_status(run_id)
    if not status:
        raise unknown_export()
    return status


async def _is_being_cancelled(client: DurableOrchestrationClient, run_id: str) -> bool:
    return is_active(await client.get_status(f"{CANCEL_ID}{run_id}"))


async def _begin(client: DurableOrchestrationClient, run_id: str) -> None:
    try:
        await client.start_new(CANCEL_RUN, f"{CANCEL_ID}{run_id}", CancelOrder(run_id).to_json())
    except Exception:
        # Durable fails for an id that is running: somebody else has cancelled it at the same moment.
        if not await _is_being_cancelled(client, run_id):
            raise


async def _children(
    client: DurableOrchestrationClient, run_id: str, *, active: bool = False
) -> list[DurableOrchestrationStatus]:
    """One page of the instances within the run."""
    statuses = ACTIVE if active else None
    found: list[DurableOrchestrationStatus] = await client.get_status_by(
        instance_id_prefix=f"{run_id}:", runtime_status=statuses
    )
    return found


async def _end_stuck(client: DurableOrchestrationClient, status: DurableOrchestrationStatus, now: datetime) -> None:
    pending = status_document(status)["state"] == "pending"
    if not pending or now - status.created_time.replace(tzinfo=UTC) < STUCK:
        raise Refused(HTTPStatus.CONFLICT, "The export has not ended: cancel it first.")
    await client.terminate(status.instance_id, "forgotten by a caller")
    for _ in range(MOST_LOOKS):
        if not is_active(await client.get_status(status.instance_id)):
            return
        await asyncio.sleep(LOOK_SECONDS)
    raise Refused(HTTPStatus.CONFLICT, "The export is being ended; ask again.", RETRY_SECONDS)
