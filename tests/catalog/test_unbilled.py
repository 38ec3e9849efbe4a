"""What is exported before it is billed."""

from datetime import UTC, datetime

import pytest

from catalog.datasets import UNBILLED_DATASETS
from catalog.unbilled import unbilled_requests


def _ids(day: int, *currencies: str) -> list[str]:
    moment = datetime(2026, 11, day, 23, 59, tzinfo=UTC)
    return [request.export_id for request in unbilled_requests(UNBILLED_DATASETS, currencies, moment)]


@pytest.mark.parametrize(("day", "last_too"), [(1, True), (10, True), (11, False), (30, False)])
def test_the_last_month_is_exported_until_the_tenth(day: int, last_too: bool) -> None:
    """Until then it may still change before it is billed."""
    datasets = ("unbilledUsage", "unbilledReconciliation")
    periods = ("current", "last") if last_too else ("current",)
    assert _ids(day, "EUR") == [f"{dataset}-EUR-{period}-full" for dataset in datasets for period in periods]


def test_each_currency_is_exported_by_itself() -> None:
    """Nothing is exported where no currency is named."""
    assert len(_ids(20, "EUR", "USD")) == 2 * len(_ids(20, "EUR"))
    assert _ids(20) == []
