"""Which month is it, by its first day?"""

from datetime import date, timedelta

_LONGEST = timedelta(days=31)


def month_of(day: date) -> date:
    """The month that the day is in."""
    return date(day.year, day.month, 1)


def month_before(day: date) -> date:
    """The month before the one that the day is in."""
    return month_of(month_of(day) - timedelta(days=1))


def month_after(day: date) -> date:
    """The month after the one that the day is in."""
    return month_of(month_of(day) + _LONGEST)


def last_day(day: date) -> date:
    """The last day of the month that the day is in."""
    return month_after(day) - timedelta(days=1)


def months_back(month: date, count: int) -> date:
    """The month that is so many months before another, by its first day."""
    before = month.year * 12 + month.month - 1 - count
    return date(before // 12, before % 12 + 1, 1)
