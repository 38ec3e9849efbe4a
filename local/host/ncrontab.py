"""When does an NCRONTAB expression say? The form of cron that the Functions host reads, told to croniter.

Source: https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions, and what the
host's parser takes (https://github.com/atifaziz/NCrontab): names in full or shortened, and neither `?`, `L`, `W`, `#`
nor a word such as `@daily`.
"""

import itertools
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from croniter import CroniterBadDateError, croniter

FIELDS = 6
"""Seconds, minutes, hours, days, months, days of the week."""

_PART = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/[1-9]\d*)?", re.ASCII)
_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_DAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]


def moments(expression: str, start: datetime) -> Iterator[datetime]:
    """The moments after `start` that the expression names. A day must be of its month and of its week.

    Raises:
        ValueError: when the host could not read it, or it names none; the text says what it must be.
    """
    cron = _as_cron(expression)
    if not croniter.is_valid(cron, second_at_beginning=True):
        raise ValueError("has a field that is out of its range")
    named = croniter(cron, start, datetime, second_at_beginning=True, day_or=False)
    try:
        return itertools.chain([named.get_next()], named)
    except CroniterBadDateError:
        raise ValueError("names no moment that will ever come") from None


def fault_of(expression: str) -> str | None:
    """What is wrong with the expression, as the end of a sentence; None where nothing is."""
    try:
        moments(expression, datetime.now(UTC))
    except ValueError as fault:
        return str(fault)
    return None


def _as_cron(expression: str) -> str:
    fields = expression.split()
    if len(fields) != FIELDS:
        raise ValueError("must be an NCRONTAB expression of six fields, e.g. 0 0 6 9 * *")
    *others, months, days = fields
    if re.search(r"(?<!/)\b0*7\b", days):
        raise ValueError("has a field that is out of its range: days of the week are 0 to 6, from Sunday on")
    return " ".join([*(_field(field, ()) for field in others), _field(months, _MONTHS), _field(days, _DAYS)])


def _field(field: str, names: Sequence[str]) -> str:
    parts = field.split(",")
    for part in parts:
        found = _PART.fullmatch(part)
        if not found or not all(_is_value(value, names) for value in found.groups() if value is not None):
            raise ValueError(f"has a field that the Functions host does not know: {field!r}")
    return ",".join(re.sub(r"[a-z]+", lambda name: _named(name[0], names)[:3], part.lower()) for part in parts)


def _is_value(value: str, names: Sequence[str]) -> bool:
    return value.isdecimal() or bool(_named(value.lower(), names))


def _named(text: str, names: Sequence[str]) -> str:
    """The first of the names that begins like this."""
    return next((name for name in names if name.startswith(text)), "")
