"""The functions with a timer trigger, called when their NCRONTAB schedule says so (UTC)."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import azure.functions as func

from local.functions import TimerFunction
from local.host.ncrontab import fault_of, moments
from settings import SCHEDULES, SettingsError

log = logging.getLogger(__name__)


async def keep_calling(function: TimerFunction, schedule: str, client_binding: str) -> None:
    """Calls the function at each moment of the schedule, until it is cancelled."""
    for moment in moments(schedule, datetime.now(UTC)):
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


def schedule_of(timer: TimerFunction, settings: Mapping[str, str]) -> str | None:
    """When the timer fires: its schedule, `%NAME%` being replaced by the app setting of that name.

    None where it never does: the setting is missing, or `AzureWebJobs.{function}.Disabled` says so.

    Raises:
        SettingsError: when it is no NCRONTAB expression that the Functions host knows.
    """
    name, schedule = "The timer's schedule", timer.schedule
    if schedule.startswith("%") and schedule.endswith("%"):
        name = schedule.strip("%")
        schedule = settings.get(name, "").strip()
    if not schedule or _is_disabled(timer.name, settings):
        log.info("The timer %s is off.", timer.name)
        return None
    fault = fault_of(schedule)
    if fault:
        raise SettingsError([f"{name} {fault}."])
    return schedule


def _is_disabled(function: str, settings: Mapping[str, str]) -> bool:
    """As the Functions host reads it: https://learn.microsoft.com/azure/azure-functions/disable-function."""
    return settings.get(f"AzureWebJobs.{function}.Disabled", "").strip().lower() in {"true", "1"}


def schedule_faults(settings: Mapping[str, str]) -> list[str]:
    """A sentence for every setting that is a schedule, is given, and cannot be read by the Functions host."""
    given = {name: text for name in SCHEDULES if (text := settings.get(name, "").strip())}
    return [f"{name} {fault}." for name, text in given.items() if (fault := fault_of(text))]
