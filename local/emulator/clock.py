"""What time is it, and how do Microsoft's services write it?"""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

Now = Callable[[], datetime]


def utc_now() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(UTC)


def seven_digits(moment: datetime) -> str:
    """Graph's precise form: `2023-03-09T08:37:48.5046691Z`."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}0Z"


def without_zone(moment: datetime) -> str:
    """Graph's short form: `2023-03-09T08:12:53`. It is UTC all the same."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}"


def whole_seconds(moment: datetime) -> str:
    """The form of SAS tokens: `2026-10-08T06:12:53Z`."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def midnight(day: date) -> str:
    """The form of Partner Center's dates and of line items: `2026-10-08T00:00:00Z`."""
    return f"{day.isoformat()}T00:00:00Z"


def expiry(now: datetime, seconds: float) -> datetime:
    """The first whole second that is at least `seconds` away."""
    exact = now + timedelta(seconds=seconds)
    return exact.replace(microsecond=0) + timedelta(seconds=math.ceil(exact.microsecond / 1_000_000))
