"""Starts the exports of billing months."""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Any

from azure.durable_functions import DurableOrchestrationClient
from azure.durable_functions.models.DurableOrchestrationStatus import DurableOrchestrationStatus

from catalog.months import month_before
from catalog.months_request import MonthsRequest
from http_start.cancelling import require_not_being_cancelled, require_nothing_left
from http_start.exports import forget_before, policy, start_run, watched
from http_start.status import is_ending, whole_second
from messages.instances import is_active
from messages.months import BackfillOrder, MonthlyOrder
from messages.names import BACKFILL, LOOK_NOW, MONTHLY_EXPORTS
from settings import Settings

log = logging.getLogger(__name__)

MOST_CALLS = 5
"""Of a run to look now: each look is a history of its own, and a call is lost between two of them."""

ENDING_SECONDS = 0.5
"""Given to a run that has its notice sent, and then ends."""

LOOKING = {"phase": "listing", "nextTryAt": None}
"""What a month's status says when it begins to look."""


async def begin(client: DurableOrchestrationClient, settings: Settings, now: datetime) -> dict[str, Any]:
    """Starts the month that closed last, unless it is running; its status. Old runs are forgotten, if that succeeds."""
    status = await start(client, MonthsRequest(month_before(now)), settings, now)
    try:
        await forget_before(client, now - timedelta(days=settings.history_days))
    except Exception:
        log.warning("Old runs could not be removed from the history; the next run tries again.", exc_info=True)
    return status


async def start(
    client: DurableOrchestrationClient, months: MonthsRequest, settings: Settings, now: datetime
) -> dict[str, Any]:
    """The status of the run for these months: the one that is running, else one that begins now.

    Raises:
        Refused: while a run of this id, or an export of an earlier one, is being cancelled, or that export still runs.
    """
    if not is_active(await client.get_status(months.run_id)):
        await require_nothing_left(client, months.run_id)
    if months.last is None:
        return await start_run(client, MONTHLY_EXPORTS, months.run_id, _month(months.first, settings, now), now)
    datasets = list(settings.monthly_datasets)
    order = BackfillOrder(months.first, months.last, policy(settings), datasets, whole_second(now))
    return await start_run(client, BACKFILL, months.run_id, order, now)


async def start_or_look(
    client: DurableOrchestrationClient, months: MonthsRequest, settings: Settings, now: datetime
) -> dict[str, Any]:
    """As `start`; a month that is running looks once more, and one that waits looks at once: its status says so.

    One that is pending has its first look still before it.

    Raises:
        Refused: while a run of this id is being cancelled.
    """
    if months.last is None:
        await require_not_being_cancelled(client, months.run_id)
        for _ in range(MOST_CALLS):
            running = await client.get_status(months.run_id)
            if not is_active(running):
                break
            document = await watched(client, running)
            if document["state"] == "pending" or await _hears(client, running):
                return document | (LOOKING if document["phase"] == "waiting" else {})
    return await start(client, months, settings, now)


async def _hears(client: DurableOrchestrationClient, running: DurableOrchestrationStatus) -> bool:
    """Has the run look now; false where that may have been lost: it ends, or has continued as new meanwhile."""
    try:
        await client.raise_event(running.instance_id, LOOK_NOW, "now")
    except Exception:
        # Of a run that has ended the SDK says so with a bare exception.
        if is_active(await client.get_status(running.instance_id)):
            raise
        return False
    told = await client.get_status(running.instance_id)
    if is_ending(told):
        await asyncio.sleep(ENDING_SECONDS)
    return is_active(told) and not is_ending(told) and bool(told.created_time == running.created_time)


def _month(month: str, settings: Settings, now: datetime) -> MonthlyOrder:
    """Invoices of the month that closed last may still come; those of months before have come long ago."""
    wait_days = settings.invoice_wait_days if month == month_before(now) else 0
    return MonthlyOrder(
        month,
        policy(settings),
        list(settings.monthly_datasets),
        settings.invoice_recheck_hours,
        wait_days,
        whole_second(now),
    )
