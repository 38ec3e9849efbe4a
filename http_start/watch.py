"""Watches over the months, so that nobody has to: starts one that was never started, and counts all that ran."""

import logging
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from azure.durable_functions import DurableOrchestrationClient

from catalog.months import month_before
from catalog.months_request import MonthsRequest
from http_start import exports, monthly
from http_start.answers import Refused
from http_start.parsing import LISTED
from http_start.status import UNEXPECTED, status_document
from settings import Settings

log = logging.getLogger(__name__)

SIGN = "partner.billing.watch"
"""What its line in the log begins with: infra/alerts.bicep looks for it."""

FIRST_DAY, LAST_DAY = 10, 20
"""Days of the month (UTC) on which the month before is started, if nothing else has: its invoices are there by then."""


async def look(client: DurableOrchestrationClient, settings: Settings, now: datetime) -> str:
    """The line for the log: how the month that closed last stands, and how many runs of late are in which state.

    From the 10th to the 20th that month is started if nobody has, or if its run ended as nobody foresaw and nothing of
    it still runs.
    """
    months = MonthsRequest(month_before(now))
    found = await client.get_status(months.run_id)
    month = status_document(found) if found else None
    state = month["state"] if month else "unknown"
    if FIRST_DAY <= now.day <= LAST_DAY and is_lost(month):
        try:
            await monthly.start(client, months, settings, now)
            state = "started"
        except Refused as refused:
            log.warning("%s is left for tomorrow: %s", months.run_id, refused)
    return f"{SIGN} {months.run_id} {state}; {await _counts(client, now)}"


def is_lost(month: Mapping[str, Any] | None) -> bool:
    """Whether a month of this status needs to be started: it is unknown, or ended for a reason that nobody foresaw."""
    return month is None or (month["state"] == "failed" and month["error"]["code"] == UNEXPECTED.code)


async def _counts(client: DurableOrchestrationClient, now: datetime) -> str:
    states = Counter(run["state"] for run in await exports.started_since(client, now - LISTED, now))
    counts = ", ".join(f"{states[state]} {state}" for state in sorted(states))
    return f"in {LISTED.days} days: {counts or 'no runs'}"
