"""The timers: the month that closed last, what is not billed yet, and the watch over both."""

import logging
from datetime import UTC, datetime

import azure.functions as func
from azure.durable_functions import DurableOrchestrationClient

from http_start import monthly, unbilled, watch
from http_start.blueprint import blueprint
from settings import configured

log = logging.getLogger(__name__)


@blueprint.timer_trigger(arg_name="timer", schedule="%EXPORT_SCHEDULE%", run_on_startup=False, use_monitor=True)
@blueprint.durable_client_input(client_name="client")
async def start_monthly_exports(timer: func.TimerRequest, client: DurableOrchestrationClient) -> None:
    """Starts the month that closed last, unless it is running, and forgets old runs."""
    status = await monthly.begin(client, configured(), datetime.now(UTC))
    log.info("%s is running%s.", status["id"], ", later than scheduled" if timer.past_due else "")


@blueprint.timer_trigger(arg_name="timer", schedule="%UNBILLED_SCHEDULE%", run_on_startup=False, use_monitor=True)
@blueprint.durable_client_input(client_name="client")
async def start_unbilled_exports(timer: func.TimerRequest, client: DurableOrchestrationClient) -> None:
    """Starts the exports of what is not billed yet, in each of `UNBILLED_CURRENCIES`."""
    started = await unbilled.begin(client, configured(), datetime.now(UTC))
    log.info("Exports of what is not billed yet are running: %s.", ", ".join(started) or "none")


@blueprint.timer_trigger(arg_name="timer", schedule="%WATCH_SCHEDULE%", run_on_startup=False, use_monitor=True)
@blueprint.durable_client_input(client_name="client")
async def watch_months(timer: func.TimerRequest, client: DurableOrchestrationClient) -> None:
    """Starts the month that closed last if nothing else has, and writes the line whose absence alerts."""
    log.info("%s", await watch.look(client, configured(), datetime.now(UTC)))
