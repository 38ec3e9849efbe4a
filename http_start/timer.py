"""The monthly timer: starts the exports of the billing month that closed last."""

import logging
from datetime import UTC, datetime

import azure.functions as func
from azure.durable_functions import DurableOrchestrationClient

from billing.models import month_before
from http_start.blueprint import blueprint
from http_start.exports import policy
from http_start.status import is_active
from orchestrator.messages import MonthlyOrder
from orchestrator.names import MONTHLY_EXPORTS
from settings import configured

log = logging.getLogger(__name__)


@blueprint.timer_trigger(arg_name="timer", schedule="%EXPORT_SCHEDULE%", run_on_startup=False, use_monitor=True)
@blueprint.durable_client_input(client_name="client")
async def start_monthly_exports(timer: func.TimerRequest, client: DurableOrchestrationClient) -> None:
    """Starts one orchestration for the month before this one, unless it is running: `monthly-2026-10` in November."""
    order = MonthlyOrder(month_before(datetime.now(UTC)), policy(configured()))
    instance_id = f"monthly-{order.month}"
    if is_active(await client.get_status(instance_id)):
        log.info("%s is running already.", instance_id)
        return
    await client.start_new(MONTHLY_EXPORTS, instance_id, order.to_json())
    log.info("Started %s%s.", instance_id, ", later than scheduled" if timer.past_due else "")
