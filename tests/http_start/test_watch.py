"""The watch over the months."""

import asyncio
from datetime import UTC, datetime

import pytest

from http_start import watch
from messages.months import MonthlyOrder
from settings import Settings
from tests.http_start.fake_durable import BEGINNING, FakeDurable

SETTINGS = Settings.from_mapping({"LANDING_URL": "file:///landed"})
MONTH = "monthly-2026-10"
KNOWN = {"error": {"code": "NoInvoice", "message": "", "requestId": None, "remedy": ""}}
UNFORESEEN = {"error": {"code": "Unexpected", "message": "", "requestId": None, "remedy": ""}}


def _look(durable: FakeDurable, day: int = 10) -> str:
    return asyncio.run(watch.look(durable, SETTINGS, datetime(2026, 11, day, 6, 30, tzinfo=UTC)))


@pytest.mark.parametrize("day", [10, 20])
def test_a_month_that_was_never_started_is_started(day: int) -> None:
    """The timer did not fire: the watch does what it would have done."""
    durable = FakeDurable()
    assert _look(durable, day) == f"partner.billing.watch {MONTH} started; in 40 days: 1 pending"
    ((name, id_, order),) = durable.started
    assert (name, id_) == ("monthly_exports", MONTH)
    assert MonthlyOrder.from_json(order).month == "2026-10"


@pytest.mark.parametrize("day", [1, 9, 21, 30])
def test_outside_its_days_it_only_looks(day: int) -> None:
    """Before, invoices may not be there; after, a person has decided."""
    durable = FakeDurable()
    assert _look(durable, day) == f"partner.billing.watch {MONTH} unknown; in 40 days: no runs"
    assert not durable.started


@pytest.mark.parametrize("shown", [None, {}, UNFORESEEN])
def test_a_month_that_ended_as_nobody_foresaw_is_started_again(shown: dict[str, object] | None) -> None:
    """A deployment or the platform ended it, be it without a word."""
    durable = FakeDurable()
    durable.add(MONTH, "Failed", customStatus=shown)
    assert " started; " in _look(durable)
    assert len(durable.started) == 1


@pytest.mark.parametrize(
    ("status", "state"),
    [("Failed", "failed"), ("Terminated", "cancelled"), ("Completed", "succeeded"), ("Running", "running")],
)
def test_a_month_that_runs_or_ended_for_a_known_reason_is_left_alone(status: str, state: str) -> None:
    """What a person cancelled, or has to mend first, stays so."""
    durable = FakeDurable()
    durable.add(MONTH, status, customStatus=KNOWN)
    assert _look(durable) == f"partner.billing.watch {MONTH} {state}; in 40 days: 1 {state}"
    assert not durable.started


def test_a_month_of_which_something_still_runs_is_left_for_tomorrow() -> None:
    """What ended it left its exports; the line is written all the same, for whose absence alerts."""
    durable = FakeDurable()
    durable.add(MONTH, "Failed", customStatus=UNFORESEEN)
    durable.add(f"{MONTH}:billedUsage-G016907411-full", "Running")
    assert _look(durable) == f"partner.billing.watch {MONTH} failed; in 40 days: 1 failed"
    assert not durable.started


def test_the_line_counts_what_ran_of_late() -> None:
    """Runs that callers and timers began, by their states; what runs within them is not counted."""
    durable = FakeDurable()
    durable.add(MONTH, "Completed")
    durable.add(f"{MONTH}:billedUsage-G016907411-full", "Completed")
    durable.add("billedUsage-G016907411-full", "Failed")
    durable.add("unbilledUsage-EUR-current-full", "Completed")
    durable.add("billedUsage-G016907412-full", "Failed", BEGINNING.replace(month=9))
    assert _look(durable).endswith("; in 40 days: 1 failed, 2 succeeded")
