"""Timer triggers on the local host."""

import asyncio
from datetime import UTC, datetime

import pytest

from local.functions import TimerFunction
from local.host.timers import call, schedule_of
from settings import SettingsError


async def _nothing(timer: object) -> None:
    """What a timer that is not called calls."""


MONTHLY = TimerFunction("monthly", _nothing, "%EXPORT_SCHEDULE%", "timer", None)
SCHEDULE = "0 0 6 9 * *"


def test_the_schedule_is_taken_from_the_setting_that_it_names() -> None:
    """`%EXPORT_SCHEDULE%` is resolved as the Functions host does."""
    assert schedule_of(MONTHLY, {"EXPORT_SCHEDULE": SCHEDULE}) == SCHEDULE


@pytest.mark.parametrize("schedule", ["every day", "0 0 6 L * *"])
def test_a_schedule_that_is_none_is_said_at_once(schedule: str) -> None:
    """A host does not start with a timer that would never fire."""
    with pytest.raises(SettingsError, match=r"^The app settings cannot be used: EXPORT_SCHEDULE "):
        schedule_of(MONTHLY, {"EXPORT_SCHEDULE": schedule})


@pytest.mark.parametrize("settings", [{}, {"EXPORT_SCHEDULE": ""}, {"EXPORT_SCHEDULE": " "}])
def test_a_timer_without_schedule_is_left_out(settings: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    """Nobody has to want all timers; the log says which are off."""
    caplog.set_level("INFO")
    assert schedule_of(MONTHLY, settings) is None
    assert caplog.messages == ["The timer monthly is off."]


@pytest.mark.parametrize(
    ("disabled", "fires"), [("true", False), ("True", False), ("1", False), ("false", True), ("0", True), ("", True)]
)
def test_a_timer_that_is_disabled_is_left_out(disabled: str, fires: bool) -> None:
    """The setting of the Functions host turns a timer off, and it alone."""
    settings = {"EXPORT_SCHEDULE": SCHEDULE, "AzureWebJobs.other.Disabled": "true"}
    assert (schedule_of(MONTHLY, settings | {"AzureWebJobs.monthly.Disabled": disabled}) == SCHEDULE) == fires


def test_a_function_that_fails_is_logged_and_called_again(caplog: pytest.LogCaptureFixture) -> None:
    """One bad month does not end the timer."""

    async def fails(timer: object) -> None:
        raise RuntimeError(f"no month on {datetime.now(UTC):%A}")

    asyncio.run(call(TimerFunction("monthly", fails, SCHEDULE, "timer", None), "{}"))
    assert "The function monthly failed." in caplog.text
