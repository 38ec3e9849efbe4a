"""Billing months, written as `2026-10`."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")


def month_of(moment: datetime) -> str:
    """The month that the moment is in."""
    return f"{moment:%Y-%m}"


def month_before(moment: datetime) -> str:
    """The month before the one that the moment is in: `2026-09` for any day of October 2026."""
    return month_of(moment.replace(day=1) - timedelta(days=1))


def months_between(first: str, last: str) -> Iterator[str]:
    """All months from the first to the last, both included."""
    year, month = map(int, first.split("-"))
    while (text := f"{year:04d}-{month:02d}") <= last:
        yield text
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
