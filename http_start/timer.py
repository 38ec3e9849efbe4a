"""The monthly timer: starts the exports of the billing month that closed last."""

import logging
from datetime import UTC, datetime, timedelta

import azure.functions as func
from azure.durable_functions import DurableOrchestrationClient

from billing.months import month_before
from http_start import exports, monthly
from http_start.blueprint import blueprint
from http_start.months import Months
from settings import configured

log = logging.getLogger(__name__)


@blueprint.timer_trigger(arg_name="timer", schedule="%EXPORT_SCHEDULE%", run_on_startup=False, use_monitor=True)
@blueprint.durable_client_input(client_name="client")
async def start_monthly_exports(timer: func.TimerRequest, client: DurableOrchestrationClient) -> None:
    """Starts the month before this one, unless it is running: `monthly-2026-10` in November; and forgets old runs."""
    settings, now = configured(), datetime.now(UTC)
    status = await monthly.start(client, Months(month_before(now)), settings, now)
    log.info("%s is running%s.", status["id"], ", later than scheduled" if timer.past_due else "")
    await exports.forget_before(client, now - timedelta(days=settings.history_days))
