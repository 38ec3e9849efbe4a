"""The functions with a timer trigger, called when their NCRONTAB schedule says so (UTC)."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import azure.functions as func
from croniter import croniter

from local.functions import TimerFunction
from settings import SettingsError

log = logging.getLogger(__name__)


async def keep_calling(function: TimerFunction, schedule: str, client_binding: str) -> None:
    """Calls the function at each moment of the schedule, until it is cancelled."""
    moments = croniter(schedule, datetime.now(UTC), second_at_beginning=True)
    while True:
        moment = moments.get_next(datetime)
        await asyncio.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))
        await call(function, client_binding)


async def call(function: TimerFunction, client_binding: str) -> None:
    """Calls the function once; what it raises is logged, as the Functions host does."""
    bindings: dict[str, Any] = {function.timer_parameter: func.timer.TimerRequest(past_due=False)}
    if function.client_parameter:
        bindings[function.client_parameter] = client_binding
    try:
        await function.call(**bindings)
    except Exception:
        log.exception("The function %s failed.", function.name)


def resolved(schedule: str, settings: Mapping[str, str]) -> str:
    """The schedule, `%NAME%` being replaced by the app setting of that name.

    Raises:
        SettingsError: when the setting is missing, or is not an NCRONTAB expression of six fields.
    """
    if schedule.startswith("%") and schedule.endswith("%"):
        name = schedule.strip("%")
        if not settings.get(name):
            raise SettingsError([f"{name} is required: the timer's schedule is taken from it."])
        schedule = settings[name]
    if not croniter.is_valid(schedule, second_at_beginning=True) or len(schedule.split()) != 6:
        raise SettingsError([f"The timer's schedule {schedule!r} is not an NCRONTAB expression of six fields."])
    return schedule
