"""The partner's books add up: for every seed and month, and after everything that happens to an invoice."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, get_args

import pytest

from local.emulator import Difference, Event, read_difference
from local.emulator.data.books import Books
from local.emulator.data.contents import CONTENTS
from local.emulator.data.invoices import Invoice, Invoices
from local.emulator.data.months import month_after
from local.emulator.options import EmulatorOptions
from tests.local.emulator.data.tie_out import CHECKS, Documents, Row, key, without_invoice

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.emulator.data.bill import Bill
    from local.emulator.data.events import EventKind
    from tests.local.emulator.conftest import Call, Caller

BILLED = (("2024-12", "EUR"), ("2026-02", "USD"), ("2026-10", "EUR"))
BREAKS = {
    "hidden-line": {"T1", "T4", "T5"},
    "doubled-line": {"T1", "T4", "T5"},
    "changed-total": {"T1"},
    "dropped-day": {"T4", "T5"},
    "shifted-rate": {"T5", "T9"},
    "renamed-customer": {"T8"},
}


def texts(dataset: str, *bills: Bill) -> list[str]:
    """The lines of a dataset."""
    return [line for bill in bills for line in CONTENTS[dataset].lines(bill, None)]


def rows(lines: list[str]) -> list[Row]:
    """What lines say."""
    return [json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in lines]


def books(month: str, **options: Any) -> tuple[Books, Invoices]:
    """The books of a small partner on the 9th after a month, and its invoices for it."""
    now = datetime.combine(month_after(date.fromisoformat(f"{month}-01")).replace(day=9), time(), UTC)
    small = EmulatorOptions(**{"blobs": 1, "rows": 60, "customers": 4, "months": 1, **options})
    known = Invoices(small.invoices, lambda: now, small.months)
    return Books(small, known, lambda: now), known


@pytest.mark.parametrize("first", range(0, 200, 10))
def test_every_seed_and_month_adds_up(first: int) -> None:
    """All checks pass, and what was not billed at the end of the month is what is billed then."""
    for seed in range(first, first + 10):
        for month, currency in BILLED:
            ledger, listed = books(month, seed=seed)
            (invoice,) = listed.of(date.fromisoformat(f"{month}-01"), currency)
            billed = ledger.billed(invoice.id, 0)
            assert (billed.month, billed.currency) == (invoice.month, currency)
            lines, usage = texts("billedReconciliation", billed), texts("billedUsage", billed)
            documents = Documents(ledger.total(invoice.id, 0), rows(lines), rows(usage))
            assert not documents.broken(), (seed, month)
            assert len(usage) == 60
            before = ledger.unbilled(currency, billed.month, 0)
            assert texts("unbilledUsage", *before) == [text.replace(invoice.id, "") for text in usage]
            assert texts("unbilledReconciliation", *before) == [text.replace(invoice.id, "") for text in lines]


@pytest.mark.parametrize("seed", range(5))
def test_a_meter_that_was_used_at_two_prices_has_two_lines(seed: int) -> None:
    """One for days with partner earned credit, one for those without, or covered; together they are all its days."""
    ledger, _ = books("2026-10", seed=seed, rows=3000, customers=2)
    bill = ledger.billed("G016907411", 0)
    lines, usage = rows(texts("billedReconciliation", bill)), rows(texts("billedUsage", bill))
    assert not Documents(ledger.total("G016907411", 0), lines, usage).broken()
    prices = Counter(key(line) for line in lines if line["MeterDescription"])
    assert max(prices.values()) > 1
    assert (
        len({(*key(line), line["EffectiveUnitPrice"]) for line in lines if line["MeterDescription"]}) == prices.total()
    )


@pytest.mark.parametrize("currency", ["EUR", "USD"])
def test_a_month_that_is_not_over_adds_up_too(currency: str) -> None:
    """Its lines are the sums of the days until today, and none is of a later day."""
    for seed in range(10):
        ledger, _ = books("2026-09", seed=seed, rows=400)
        bills = ledger.unbilled(currency, date(2026, 10, 1), 0)
        lines, usage = (rows(texts(dataset, *bills)) for dataset in ("unbilledReconciliation", "unbilledUsage"))
        total = sum((line["Total"] for line in lines), Decimal(0))
        assert not Documents(total, lines, usage).broken(), seed
        assert 0 < len(usage) < 400
        assert max(row["UsageDate"] for row in usage) == "2026-10-09T00:00:00Z"
        assert max(line["ChargeStartDate"] for line in lines) <= "2026-10-09T00:00:00Z"


def documents(caller: Caller, invoice: Any) -> Documents:
    """What the emulator says of an invoice that Partner Center lists."""
    usage, lines = (
        caller.ended(dataset, {"invoiceId": invoice["id"]}) for dataset in ("billedUsage", "billedReconciliation")
    )
    found = caller.rows(usage["resourceLocation"]) if usage["status"] == "succeeded" else []
    return Documents(invoice["totalCharges"], caller.rows(lines["resourceLocation"]), found)


def invoices(caller: Caller) -> dict[str, Any]:
    """The new-commerce invoices that are listed, by id."""
    page = caller.send("GET", "/v1/invoices").content.decode("utf-8-sig")
    items = json.loads(page, parse_float=Decimal, parse_int=Decimal)["items"]
    return {item["id"]: item for item in items if item["id"].startswith("G")}


@pytest.mark.parametrize("difference", get_args(Difference))
def test_a_planted_difference_breaks_what_it_should(call: Call, difference: Difference) -> None:
    """Each breaks the checks that could find it, and no other, in whatever data."""
    for seed in range(20):
        caller = call(rows=100, seed=seed, differences=(difference,), running_polls=0)
        assert documents(caller, invoices(caller)["G016907411"]).broken() == BREAKS[difference], seed


def test_differences_come_together() -> None:
    """Two of them break what each of them breaks."""
    ledger, _ = books("2026-10", differences=("changed-total", "renamed-customer"))
    bill = ledger.billed("G016907411", 0)
    lines, usage = rows(texts("billedReconciliation", bill)), rows(texts("billedUsage", bill))
    assert Documents(ledger.total("G016907411", 0), lines, usage).broken() == {"T1", "T8"}


def test_every_check_can_fail_that_a_difference_is_planted_for() -> None:
    """The checks that no difference breaks are about one line's own arithmetic."""
    assert CHECKS.keys() - set().union(*BREAKS.values()) == {"T2", "T3", "T6", "T7"}


def test_two_years_of_invoices_add_up(call: Call) -> None:
    """With a past there are invoices in two currencies for 24 months, and every one of them adds up."""
    caller = call(months=24, rows=20, running_polls=0)
    caller.clock.move(2 * 24 * 3600)  # until usage that is late has come too
    listed = invoices(caller)
    months = {(item["billingPeriodStartDate"][:7], item["currencyCode"]) for item in listed.values()}
    assert len(months) == 48
    assert min(months) == ("2024-10", "EUR")
    assert max(months) == ("2026-09", "USD")
    assert {item["id"]: documents(caller, item).broken() for item in listed.values()} == {id_: set() for id_ in listed}


@pytest.mark.parametrize(
    ("month", "currency", "kind"),
    [
        ("2026-01", "EUR", "restatement"),
        ("2026-03", "EUR", "correction"),
        ("2026-05", "EUR", "adjustment-note"),
        ("2026-07", "USD", "licences-only"),
        ("2026-09", "USD", "late-usage"),
        ("2026-11", "USD", "restatement"),
    ],
)
def test_by_the_calendar_all_events_happen_in_a_year(month: str, currency: str, kind: str) -> None:
    """With a past, each happens in the same month of every year, and in no other currency; without one, none does."""
    day = date.fromisoformat(f"{month}-01")
    (_, partner), (_, other) = books(month), books(month, months=0)
    happenings = {(one, event) for one in ("EUR", "USD") for event in partner.happenings(partner.of(day, one)[0])}
    assert happenings == {(currency, kind)}
    assert other.events(day, currency) == set()
    assert partner.events(day.replace(year=2027), currency) == {kind}


def test_a_restatement_changes_lines_and_total(call: Call) -> None:
    """Three days on, the same invoice has other data: some lines differ, and the total with them."""
    caller = call(rows=100, events=(Event.read("restatement=2026-09"),))
    before, first = documents(caller, invoices(caller)["G016907411"]), caller.manifest()
    caller.clock.move(3 * 24 * 3600)
    after, second = documents(caller, invoices(caller)["G016907411"]), caller.manifest()
    assert not before.broken() | after.broken()
    assert before.total != after.total
    assert len(before.usage) == len(after.usage)
    assert 0 < sum(one != other for one, other in zip(before.usage, after.usage, strict=True)) < len(after.usage)
    assert first["eTag"] != second["eTag"]
    assert first["createdDateTime"] < second["createdDateTime"]


def test_a_correction_makes_an_invoice_void_and_replaces_it(call: Call) -> None:
    """The first one holds a note that takes its total back; another one, which adds up as well, names it."""
    caller = call(events=(Event.read("correction=2026-09"),))
    assert invoices(caller).keys() == {"G016907411"}
    caller.clock.move(5 * 24 * 3600)
    first, second = invoices(caller).values()
    (note,) = first["amendments"]
    assert (note["documentType"], note["totalCharges"]) == ("void_note", -first["totalCharges"])
    assert note["amendsOf"] == second["amendsOf"] == first["id"]
    assert first.keys() | {"amendsOf"} == note.keys() | {"amendments"}
    assert first["totalCharges"] != second["totalCharges"]
    assert not documents(caller, first).broken() | documents(caller, second).broken()


def test_a_correction_may_be_nested_in_what_it_corrects(call: Call) -> None:
    """The invoice that replaces the first one stands in it, whole, behind the note; its data is there all the same."""
    caller = call(events=(Event.read("nested-correction=2026-09"),))
    caller.clock.move(5 * 24 * 3600)
    (first,) = invoices(caller).values()
    note, second = first["amendments"]
    assert (note["documentType"], second["documentType"]) == ("void_note", "Invoice")
    assert note["amendsOf"] == second["amendsOf"] == first["id"]
    assert not documents(caller, first).broken() | documents(caller, second).broken()


def test_a_void_note_may_take_an_invoices_place(call: Call) -> None:
    """It holds what else is about the invoice, which is listed no longer, but has its data still."""
    caller = call(events=(Event.read("void=2026-09"),))
    (first,) = invoices(caller).values()
    caller.clock.move(5 * 24 * 3600)
    (note,) = invoices(caller).values()
    (adjustment,) = note["amendments"]
    assert (note["documentType"], adjustment["documentType"]) == ("void_note", "adjustment_note")
    assert note["amendsOf"] == adjustment["amendsOf"] == first["id"] != note["id"]
    assert not documents(caller, first).broken()


@pytest.mark.parametrize(
    ("kind", "date", "start"),
    [
        ("no-date", "0001-01-01T00:00:00", "2026-09-01T00:00:00Z"),
        ("no-period", "2026-10-08T00:00:00Z", "0001-01-01T00:00:00"),
        ("undated", "0001-01-01T00:00:00", "0001-01-01T00:00:00"),
    ],
)
def test_what_is_not_set_is_the_first_of_days(call: Call, kind: str, date: str, start: str) -> None:
    """As Partner Center writes it; the data is there as ever."""
    caller = call(events=(Event.read(f"{kind}=2026-09"),))
    (invoice,) = invoices(caller).values()
    assert (invoice["invoiceDate"], invoice["billingPeriodStartDate"]) == (date, start)
    assert caller.manifest()["blobCount"] > 0


def test_a_late_invoice_is_listed_three_days_late(call: Call) -> None:
    """It bears the 8th, as the others, and has no data before it is listed."""
    caller = call(events=(Event.read("late-invoice=2026-09"),))
    assert not invoices(caller)
    assert caller.ended("billedReconciliation", {"invoiceId": "G016907411"})["error"]["code"] == "5000"
    caller.clock.move(2 * 24 * 3600)
    (invoice,) = invoices(caller).values()
    assert invoice["invoiceDate"] == "2026-10-08T00:00:00Z"
    assert not documents(caller, invoice).broken()


def test_an_adjustment_stands_beside_the_lines(call: Call) -> None:
    """A note gives back a part of the invoice, whose lines come to its total still."""
    caller = call(events=(Event.read("adjustment-note=2026-09"),))
    caller.clock.move(5 * 24 * 3600)
    (invoice,) = invoices(caller).values()
    (note,) = invoice["amendments"]
    assert note["documentType"] == "adjustment_note"
    assert -invoice["totalCharges"] < note["totalCharges"] < 0
    assert not documents(caller, invoice).broken()


def test_an_invoice_of_licences_has_no_usage(call: Call) -> None:
    """Its usage is never there, billed or not, and its lines come to its total."""
    caller = call(events=(Event.read("licences-only=2026-09"),))
    (invoice,) = invoices(caller).values()
    assert caller.ended("billedUsage", {"invoiceId": invoice["id"]})["error"]["code"] == "5000"
    asked = {"currencyCode": "EUR", "billingPeriod": "last"}
    assert caller.ended("unbilledUsage", asked)["error"]["code"] == "5000"
    found = documents(caller, invoice)
    assert (found.usage, found.broken()) == ([], set())
    assert found.total > 0


def test_late_usage_comes_two_days_after_the_lines(call: Call) -> None:
    """The reconciliation is there with the invoice, usage 48 hours after it was issued."""
    caller = call(events=(Event.read("late-usage=2026-09"),))
    (invoice,) = invoices(caller).values()
    before = documents(caller, invoice)
    assert (before.usage, before.broken()) == ([], {"T4"})
    caller.clock.move(24 * 3600)
    assert not documents(caller, invoice).broken()
    assert documents(caller, invoice).usage


def test_two_invoices_for_a_month_share_its_charges(call: Call) -> None:
    """Each adds up, no line stands on both, and together they are what was not billed before."""
    caller = call(invoices=("G1", "G2"))
    both = [documents(caller, invoice) for invoice in invoices(caller).values()]
    assert [found.broken() for found in both] == [set(), set()]
    unbilled = caller.ended("unbilledReconciliation", {"currencyCode": "EUR", "billingPeriod": "last"})
    assert caller.rows(unbilled["resourceLocation"]) == [
        line for found in both for line in without_invoice(found.lines)
    ]


@pytest.mark.parametrize(
    ("kind", "days", "has_happened"),
    [
        ("restatement", 3, lambda known, invoice: known.restated(invoice) is not None),
        ("correction", 5, lambda known, invoice: len(known.listed()) == 2 and known.amendments(invoice)),
        ("nested-correction", 5, lambda known, invoice: len(known.listed()) == 2 and known.amendments(invoice)),
        ("void", 5, lambda known, invoice: known.amendments(invoice)),
        ("adjustment-note", 5, lambda known, invoice: known.amendments(invoice)),
        ("late-invoice", 3, lambda known, invoice: known.listed()),
        ("late-usage", 2, lambda known, invoice: known.has_usage(invoice)),
    ],
)
def test_events_happen_on_their_day(
    kind: EventKind, days: int, has_happened: Callable[[Invoices, Invoice], object]
) -> None:
    """So many days after midnight of the 8th, when the invoice was issued, and not a moment before."""
    moment = datetime(2026, 11, 8, tzinfo=UTC) + timedelta(days=days)
    for now, expected in ((moment - timedelta.resolution, False), (moment, True)):
        known = Invoices(["G1"], lambda now=now: now, events=[Event(kind, date(2026, 10, 1))])  # type: ignore[misc]
        assert bool(has_happened(known, known.find("G1"))) is expected


@pytest.mark.parametrize("text", ["late-usage=2026-10", "late-usage=2026-10=USD"])
def test_an_event_names_its_month(text: str) -> None:
    """The currency is that of the invoice, which is EUR unless it is said."""
    assert Event.read(text) == Event("late-usage", date(2026, 10, 1), "USD" if "USD" in text else "EUR")


@pytest.mark.parametrize(
    "text",
    [
        "restatement",
        "nothing=2026-09",
        "restatement=October",
        "late-usage=2026-13",
        "late-usage=2026-10=GBP",
        "late-usage=2026-10=USD=",
    ],
)
def test_an_event_of_another_form_is_refused(text: str) -> None:
    """A mistake shows at once, with what there is to ask for."""
    with pytest.raises(ValueError, match=f"'{text}' is no event: give one of restatement, correction, .*late-usage"):
        Event.read(text)


@pytest.mark.parametrize("text", ["hidden", "Hidden-line", ""])
def test_a_difference_of_another_name_is_refused(text: str) -> None:
    """A mistake shows at once, with what there is to ask for."""
    with pytest.raises(ValueError, match=f"'{text}' is no difference: give one of hidden-line, .*renamed-customer"):
        read_difference(text)
