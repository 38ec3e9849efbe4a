"""Starts and watches exports through the Durable client."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from azure.durable_functions import DurableOrchestrationClient
from azure.durable_functions.models.DurableOrchestrationStatus import DurableOrchestrationStatus

from catalog.export_request import ExportRequest
from catalog.run_ids import EXPORT_ID, RUN_ID
from http_start.cancelling import require_not_being_cancelled
from http_start.parsing import BEGINNING, unknown_export
from http_start.status import (
    child_of,
    just_started,
    started_at,
    status_document,
    whole_second,
)
from messages.encoding import Message
from messages.exports import ExportOrder, Policy
from messages.instances import ENDED, is_active
from messages.names import RUN_EXPORT
from settings import Settings

PAGE = 100
"""Instances that Durable lists at once."""

SOON = timedelta(hours=1)
"""Beyond now: what continues as new while instances are listed, and clocks that differ."""


def order(request: ExportRequest, settings: Settings, now: datetime) -> ExportOrder:
    """The orchestration's input: what is to be exported, and how."""
    return ExportOrder(request, policy(settings), started_at=whole_second(now))


def policy(settings: Settings) -> Policy:
    """What the settings say about how to export, copied for orchestrations, which read no settings."""
    return Policy(
        copy_batch_size=settings.copy_batch_size,
        poll_interval_seconds=settings.poll_interval_seconds,
        poll_max_seconds=settings.poll_max_seconds,
        retry_seconds=settings.retry_seconds,
        export_attempts=settings.export_attempts,
        export_deadline_hours=settings.export_deadline_hours,
        tables=settings.tables,
    )


async def start(
    client: DurableOrchestrationClient,
    request: ExportRequest,
    settings: Settings,
    now: datetime,
    *,
    tells_no_data: bool = True,
) -> dict[str, Any]:
    """The status of the export: the one that is running, else one that begins now, and `tells_no_data` or does not."""
    begun = replace(order(request, settings, now), tells_no_data=tells_no_data)
    return await start_run(client, RUN_EXPORT, request.export_id, begun, now)


async def start_run(
    client: DurableOrchestrationClient, name: str, run_id: str, order: Message, now: datetime
) -> dict[str, Any]:
    """The status of the run of this id: the one that is running, else one that begins now.

    Raises:
        Refused: while a run of this id is being cancelled.
    """
    await require_not_being_cancelled(client, run_id)
    running = await client.get_status(run_id)
    if is_active(running):
        return await watched(client, running)
    try:
        await client.start_new(name, run_id, order.to_json())
    except Exception:
        # Durable fails for an id that is running; whoever came first is answered with, whatever the error was.
        running = await client.get_status(run_id)
        if not is_active(running):
            raise
        return await watched(client, running)
    return just_started(run_id, now)


async def find(client: DurableOrchestrationClient, run_id: str, now: datetime) -> dict[str, Any]:
    """The run's status; of an export that never ran by itself, that of its latest run within a month.

    Raises:
        Refused: as not found.
    """
    status = await client.get_status(run_id) or await _latest_within_months(client, run_id, now)
    if not status:
        raise unknown_export()
    return await watched(client, status)


async def _latest_within_months(
    client: DurableOrchestrationClient, export_id: str, now: datetime
) -> DurableOrchestrationStatus | None:
    """Notices of older releases name an export of a month as if it had run by itself."""
    if not EXPORT_ID.fullmatch(export_id):
        return None
    within = await _created_between(client, BEGINNING, now + SOON, "monthly-")
    return max((run for run in within if run.instance_id.endswith(f":{export_id}")), key=started_at, default=None)


async def watched(client: DurableOrchestrationClient, status: DurableOrchestrationStatus) -> dict[str, Any]:
    """What callers see of the run, with what it waits for, if anything."""
    child = child_of(status)
    return status_document(status, await client.get_status(child) if child else None)


async def started_since(client: DurableOrchestrationClient, moment: datetime, now: datetime) -> list[dict[str, Any]]:
    """The statuses of all exports started since that second (UTC), newest first, without sub-orchestrations."""
    since = whole_second(moment)
    # Each history that continues another one counts as created anew: whatever has started since is among these.
    created = {status.instance_id: status for status in await _created_between(client, since, now + SOON)}
    runs = [status for id_, status in created.items() if RUN_ID.fullmatch(id_) and started_at(status) >= since]
    newest_first = sorted(runs, key=started_at, reverse=True)
    return [status_document(status, created.get(child_of(status) or "")) for status in newest_first]


async def _created_between(
    client: DurableOrchestrationClient, start: datetime, end: datetime, prefix: str | None = None
) -> list[DurableOrchestrationStatus]:
    """All instances created in the time between; Durable answers with one page, whose end the SDK does not follow.

    Later halves are read later: what continues as new meanwhile is then in both, but never in neither.
    """
    page: list[DurableOrchestrationStatus] = await client.get_status_by(
        created_time_from=start, created_time_to=end, instance_id_prefix=prefix
    )
    if len(page) < PAGE or end - start < timedelta(seconds=2):
        return page
    middle = (start + (end - start) / 2).replace(microsecond=0)
    halves = await _created_between(client, start, middle, prefix) + await _created_between(client, middle, end, prefix)
    return list({status.instance_id: status for status in halves}.values())


async def forget_before(client: DurableOrchestrationClient, moment: datetime) -> None:
    """Removes what has ended and whose last history began before the moment (UTC)."""
    await client.purge_instance_history_by(BEGINNING, moment, ENDED)
