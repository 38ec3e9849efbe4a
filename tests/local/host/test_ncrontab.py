"""Schedules as the Functions host reads them."""

from datetime import UTC, datetime
from itertools import islice

import pytest

from local.host.ncrontab import moments

START = datetime(2026, 11, 29, 6, 30, tzinfo=UTC)


def first(expression: str, count: int = 3) -> list[str]:
    """The first moments of a schedule."""
    return [f"{moment:%Y-%m-%d %H:%M:%S}" for moment in islice(moments(expression, START), count)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 0 6 9 * *", ["2026-12-09 06:00:00", "2027-01-09 06:00:00", "2027-02-09 06:00:00"]),
        ("*/20 30 6 * * *", ["2026-11-29 06:30:20", "2026-11-29 06:30:40", "2026-11-30 06:30:00"]),
        ("0 0/30 7 29 11 *", ["2026-11-29 07:00:00", "2026-11-29 07:30:00", "2027-11-29 07:00:00"]),
        ("0 0 6 1,15 Jan *", ["2027-01-01 06:00:00", "2027-01-15 06:00:00", "2028-01-01 06:00:00"]),
        ("0 0 6 1,15 january *", ["2027-01-01 06:00:00", "2027-01-15 06:00:00", "2028-01-01 06:00:00"]),
        ("0 0 6 * * Mon-Wednesday", ["2026-11-30 06:00:00", "2026-12-01 06:00:00", "2026-12-02 06:00:00"]),
        ("0 0 6 * * 0", ["2026-12-06 06:00:00", "2026-12-13 06:00:00", "2026-12-20 06:00:00"]),
        # A day must be both, where cron elsewhere takes either.
        ("0 0 6 1-7 * Mon", ["2026-12-07 06:00:00", "2027-01-04 06:00:00", "2027-02-01 06:00:00"]),
    ],
)
def test_a_schedule_names_its_moments(expression: str, expected: list[str]) -> None:
    """As Microsoft documents them: six fields, lists, ranges, intervals, and names."""
    assert first(expression) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "@daily",
        "@every 1h",
        "monthly",
        "0 6 9 * *",
        "0 0 6 9 * * 2026",
        "0 0 6 L * *",
        "0 0 6 LW * *",
        "0 0 6 15W * *",
        "0 0 6 ? * 1",
        "0 0 6 9 * 5#2",
        "0 0 6 9 * FRIL",
        "0 0 6 9 * L5",
        "0 0 6 9 * 7",
        "0 0 6 9 * 5-7",
        "0 0 6 32 * *",
        "0 0 6 0 * *",
        "0 0 24 9 * *",
        "60 0 6 9 * *",
        "0 0 6 9 13 *",
        "0 0 6 9 Foo *",
        "0 0 Jan 9 * *",
        "0 0 6 9 Mon *",
        "R 0 6 9 * *",
        "H 0 6 9 * *",
        "0 */0 6 9 * *",
        "0 , 6 9 * *",
        "0 1,,2 6 9 * *",
        "0 -5 6 9 * *",
        "0 0 6 31 2 *",
        "0 \u0665 6 9 * *",
    ],
)
def test_what_the_functions_host_does_not_know_is_refused(expression: str) -> None:
    """Other kinds of cron know more; a schedule that works here must work on Azure."""
    with pytest.raises(ValueError, match=r"^(must be|has a field|names no)"):
        moments(expression, START)
