"""Timer triggers on the local host."""

import asyncio
from datetime import UTC, datetime

import pytest

from local.functions import TimerFunction
from local.host.timers import call, resolved
from settings import SettingsError


def test_the_schedule_is_taken_from_the_setting_that_it_names() -> None:
    """`%EXPORT_SCHEDULE%` is resolved as the Functions host does."""
    assert resolved("%EXPORT_SCHEDULE%", {"EXPORT_SCHEDULE": "0 0 6 9 * *"}) == "0 0 6 9 * *"


@pytest.mark.parametrize(
    "settings", [{}, {"EXPORT_SCHEDULE": ""}, {"EXPORT_SCHEDULE": "every day"}, {"EXPORT_SCHEDULE": "0 0 6 L * *"}]
)
def test_a_schedule_that_is_none_is_said_at_once(settings: dict[str, str]) -> None:
    """A host does not start with a timer that would never fire."""
    with pytest.raises(SettingsError, match=r"^The app settings cannot be used: EXPORT_SCHEDULE "):
        resolved("%EXPORT_SCHEDULE%", settings)


def test_a_function_that_fails_is_logged_and_called_again(caplog: pytest.LogCaptureFixture) -> None:
    """One bad month does not end the timer."""

    async def fails(timer: object) -> None:
        raise RuntimeError(f"no month on {datetime.now(UTC):%A}")

    asyncio.run(call(TimerFunction("monthly", fails, "0 0 6 9 * *", "timer", None), "{}"))
    assert "The function monthly failed." in caplog.text
