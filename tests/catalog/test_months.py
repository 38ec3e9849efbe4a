"""Billing months."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.months import MONTH, month_before, month_of, months_between

DAYS = st.dates(date(2000, 2, 1), date(2099, 12, 31))
MOMENTS = st.builds(datetime.combine, DAYS, st.times(), st.just(UTC))
MONTHS = DAYS.map(lambda day: f"{day:%Y-%m}")


@pytest.mark.parametrize(
    ("moment", "month", "before"),
    [
        (datetime(2026, 10, 1, tzinfo=UTC), "2026-10", "2026-09"),
        (datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC), "2026-10", "2026-09"),
        (datetime(2027, 1, 31, tzinfo=UTC), "2027-01", "2026-12"),
        (datetime(2028, 3, 31, tzinfo=UTC), "2028-03", "2028-02"),
    ],
)
def test_a_moment_is_in_its_month_and_after_the_one_before(moment: datetime, month: str, before: str) -> None:
    """Whichever day of the month it is, across a new year and a February too."""
    assert (month_of(moment), month_before(moment)) == (month, before)


@pytest.mark.parametrize("text", ["2026-10", "2000-01", "2099-12"])
def test_a_month_is_written_with_year_and_month(text: str) -> None:
    """Of this century."""
    assert MONTH.fullmatch(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "2026-1",
        "2026-00",
        "2026-13",
        "1999-12",
        "2100-01",
        "2026-10-01",
        "2026/10",
        "202610",
        " 2026-10",
        "2026-10\n",
        "٢٠٢٦-10",
        "20٢6-10",
    ],
)
def test_nothing_else_is_a_month(text: str) -> None:
    """No other form, no other digits, and nothing before or after."""
    assert not MONTH.fullmatch(text)


@pytest.mark.parametrize(
    ("first", "last", "months"),
    [
        ("2026-10", "2026-10", ["2026-10"]),
        ("2025-11", "2026-02", ["2025-11", "2025-12", "2026-01", "2026-02"]),
        ("2026-10", "2026-09", []),
    ],
)
def test_the_months_between_include_both_ends(first: str, last: str, months: list[str]) -> None:
    """In their order; none where the last is before the first."""
    assert list(months_between(first, last)) == months


@given(MOMENTS)
def test_the_month_before_is_the_one_before(moment: datetime) -> None:
    """Between it and the moment's own month there is no other."""
    assert list(months_between(month_before(moment), month_of(moment))) == [month_before(moment), month_of(moment)]
    assert MONTH.fullmatch(month_before(moment))


@given(MONTHS, MONTHS)
def test_months_follow_one_another(first: str, last: str) -> None:
    """Each is the month before the next, and each is written as a month."""
    months = list(months_between(first, last))
    assert bool(months) == (first <= last)
    assert all(MONTH.fullmatch(month) for month in months)
    later = [datetime.fromisoformat(f"{month}-15").replace(tzinfo=UTC) for month in months[1:]]
    assert [month_before(moment) for moment in later] == months[:-1]
    assert months == sorted(set(months))


def test_the_last_moment_of_a_month_is_still_in_it() -> None:
    """UTC draws the line."""
    turn = datetime(2026, 11, 1, tzinfo=UTC)
    assert (month_of(turn - timedelta(microseconds=1)), month_of(turn)) == ("2026-10", "2026-11")
