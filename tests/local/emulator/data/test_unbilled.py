"""What is not billed yet: of a month, in a currency, until today."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.local.emulator.conftest import Call, Caller

UNBILLED = pytest.mark.parametrize("dataset", ["unbilledUsage", "unbilledReconciliation"])
DAY = {"unbilledUsage": "UsageDate", "unbilledReconciliation": "ChargeStartDate"}
TOTAL = {"unbilledUsage": "BillingPreTaxTotal", "unbilledReconciliation": "Total"}
CURRENCY = {"unbilledUsage": "BillingCurrency", "unbilledReconciliation": "Currency"}


def manifest(caller: Caller, dataset: str, period: str = "current", currency: str = "EUR", **body: str) -> Any:
    """The manifest of an unbilled dataset."""
    asked = {"currencyCode": currency, "billingPeriod": period, **body}
    return caller.ended(dataset, asked)["resourceLocation"]


@UNBILLED
@pytest.mark.parametrize(
    ("today", "period", "first", "last"),
    [
        (datetime(2026, 10, 9, tzinfo=UTC), "current", "2026-10-01", "2026-10-09"),
        (datetime(2026, 10, 9, tzinfo=UTC), "last", "2026-09-01", "2026-09-30"),
        (datetime(2027, 1, 1, tzinfo=UTC), "current", "2027-01-01", "2027-01-01"),
        (datetime(2027, 1, 31, tzinfo=UTC), "last", "2026-12-01", "2026-12-31"),
    ],
)
def test_rows_are_of_the_month_that_the_period_means(
    call: Call, dataset: str, today: datetime, period: str, first: str, last: str
) -> None:
    """`current` is the clock's month until today, `last` the whole month before, across a new year too."""
    caller = call(rows=200)
    caller.clock.moment = today
    rows = caller.rows(manifest(caller, dataset, period))
    # What is given back is of the month before, as are the few days of usage that come late.
    days = {row[DAY[dataset]] for row in rows if row[TOTAL[dataset]] >= 0}
    assert min(days) == f"{first}T00:00:00Z"
    assert max(days) == f"{last}T00:00:00Z" if dataset == "unbilledUsage" else max(days) <= f"{last}T00:00:00Z"


@UNBILLED
def test_rows_are_in_the_currency_and_on_no_invoice(call: Call, dataset: str) -> None:
    """Every row has the asked currency, and no invoice number as long as there is no invoice."""
    caller = call()
    for currency in ("EUR", "USD"):
        rows = caller.rows(manifest(caller, dataset, currency=currency))
        assert {row[CURRENCY[dataset]] for row in rows} == {currency}
        assert {row["InvoiceNumber"] for row in rows} == {""}


@UNBILLED
@pytest.mark.parametrize("blobs", [0, 2])
def test_periods_and_currencies_differ_in_their_etags(call: Call, dataset: str, blobs: int) -> None:
    """Other data has another eTag, an empty export included."""
    caller = call(blobs=blobs)
    asked = [(period, currency) for period in ("current", "last") for currency in ("EUR", "USD")]
    assert len({manifest(caller, dataset, *one)["eTag"] for one in asked}) == 4


@UNBILLED
def test_a_current_month_grows_by_the_day(call: Call, dataset: str) -> None:
    """On one day the data is the same, on the next one it is new; a month that is over stays as it is."""
    caller = call()
    e_tags = []
    for hours in (0, 1, 24):
        caller.clock.move(hours * 3600)
        e_tags.append([manifest(caller, dataset, period)["eTag"] for period in ("current", "last")])
    current, last = zip(*e_tags, strict=True)
    assert current[0] == current[1] != current[2]
    assert len(set(last)) == 1


@UNBILLED
def test_the_current_month_becomes_the_last_one(call: Call, dataset: str) -> None:
    """What `current` was at the end of a month, `last` is in the next."""
    caller = call()
    caller.clock.moment = datetime(2026, 10, 31, 12, tzinfo=UTC)
    current = manifest(caller, dataset)
    caller.clock.move(24 * 3600)
    last = manifest(caller, dataset, "last")
    assert (last["eTag"], last["rootDirectory"]) == (current["eTag"], current["rootDirectory"])


@UNBILLED
def test_an_operation_keeps_the_month_that_it_was_started_in(call: Call, dataset: str) -> None:
    """An export of the current month still has that month's rows when the next one has begun."""
    caller = call(rows=100)
    caller.clock.moment = datetime(2026, 10, 31, 23, 59, tzinfo=UTC)
    started = caller.post(dataset, {"currencyCode": "EUR", "billingPeriod": "current"})
    caller.clock.move(3600)
    rows = caller.rows(caller.finished(started.headers["Location"])["resourceLocation"])
    assert {row[DAY[dataset]][:7] for row in rows if row[TOTAL[dataset]] >= 0} == {"2026-10"}


@UNBILLED
def test_the_same_seed_gives_the_same_bytes(call: Call, dataset: str) -> None:
    """Two emulators with one seed and one clock agree on the bytes; one with another seed differs."""
    contents = []
    for seed in (7, 7, 8):
        caller = call(seed=seed)
        contents.append(caller.blobs(manifest(caller, dataset)))
    assert contents[0] == contents[1]
    assert not contents[0].keys() & contents[2].keys()


@UNBILLED
def test_basic_has_the_rows_of_full(call: Call, dataset: str) -> None:
    """The two attribute sets differ in columns, not in rows."""
    caller = call()
    full, basic = (caller.rows(manifest(caller, dataset, attributeSet=name)) for name in ("full", "basic"))
    assert basic[0].keys() < full[0].keys()
    assert basic == [{name: row[name] for name in basic[0]} for row in full]
