"""The monthly timer: starts the exports of the billing month that closed last."""

import logging
from datetime import UTC, datetime

import azure.functions as func
from azure.durable_functions import DurableOrchestrationClient

from http_start import monthly
from http_start.blueprint import blueprint
from settings import configured

log = logging.getLogger(__name__)


@blueprint.timer_trigger(arg_name="timer", schedule="%EXPORT_SCHEDULE%", run_on_startup=False, use_monitor=True)
@blueprint.durable_client_input(client_name="client")
async def start_monthly_exports(timer: func.TimerRequest, client: DurableOrchestrationClient) -> None:
    """Starts the month that closed last, unless it is running, and forgets old runs."""
    status = await monthly.begin(client, configured(), datetime.now(UTC))
    log.info("%s is running%s.", status["id"], ", later than scheduled" if timer.past_due else "")
