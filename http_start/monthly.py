"""Starts the exports of billing months."""

import logging
from datetime import datetime, timedelta
from typing import Any

from azure.durable_functions import DurableOrchestrationClient

from catalog.months import month_before
from catalog.months_request import MonthsRequest
from http_start.exports import forget_before, policy, start_run
from http_start.status import whole_second
from messages.months import BackfillOrder, MonthlyOrder
from messages.names import BACKFILL, MONTHLY_EXPORTS
from settings import Settings

log = logging.getLogger(__name__)


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
    """The status of the run for these months: the one that is running, else one that begins now."""
    if months.last is None:
        return await start_run(client, MONTHLY_EXPORTS, months.run_id, _month(months.first, settings, now), now)
    datasets = list(settings.monthly_datasets)
    order = BackfillOrder(months.first, months.last, policy(settings), datasets, whole_second(now))
    return await start_run(client, BACKFILL, months.run_id, order, now)


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
