"""Partner Center's part: the list of invoices."""

from __future__ import annotations

import codecs
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.local.emulator.conftest import Call, Caller


def page(caller: Caller, query: str = "") -> Any:
    """A page of invoices."""
    return json.loads(caller.send("GET", f"/v1/invoices{query}").content.decode("utf-8-sig"))


def test_new_commerce_invoices_and_a_legacy_one_are_listed(call: Call) -> None:
    """The list has the invoices of the options and one whose id says that it has no daily-rated usage."""
    invoices = page(call(invoices=("G1", "G2")))
    assert [item["id"] for item in invoices["items"]] == ["G1", "G2", "D0300AB1CD"]
    assert invoices["totalCount"] == 3
    assert "links" not in invoices


@pytest.mark.parametrize(
    ("today", "invoice_date", "period"),
    [
        (datetime(2026, 10, 31, tzinfo=UTC), "2026-10-08", ("2026-09-01", "2026-09-30")),
        (datetime(2027, 1, 1, tzinfo=UTC), "2027-01-08", ("2026-12-01", "2026-12-31")),
    ],
)
def test_invoices_are_of_this_month_for_the_month_before(
    call: Call, today: datetime, invoice_date: str, period: tuple[str, str]
) -> None:
    """Invoices are dated the 8th of this month and bill the month before, across a new year too."""
    caller = call()
    caller.clock.moment = today
    invoice = page(caller)["items"][0]
    dates = invoice["invoiceDate"], invoice["billingPeriodStartDate"], invoice["billingPeriodEndDate"]
    assert dates == tuple(f"{date}T00:00:00Z" for date in (invoice_date, *period))


def ids(caller: Caller) -> list[str]:
    """The new-commerce invoices listed at this moment."""
    return [item["id"] for item in page(caller)["items"] if item["id"].startswith("G")]


def test_invoices_appear_one_after_the_other(call: Call) -> None:
    """An added invoice is listed from its moment on, by the clock, and has data from then on."""
    caller = call(invoices=())
    caller.emulator.add_invoice("G1", listed_from=datetime(2026, 11, 3, 9, tzinfo=UTC))
    caller.emulator.add_invoice("G2", listed_from=datetime(2026, 11, 6, tzinfo=UTC))
    seen = []
    for day, hour in ((2, 0), (3, 8), (3, 9), (5, 23), (6, 0)):
        caller.clock.moment = datetime(2026, 11, day, hour, tzinfo=UTC)
        seen.append(ids(caller))
        ended = {invoice_id: caller.finished(caller.start(invoice_id))["status"] for invoice_id in ("G1", "G2")}
        assert [invoice_id for invoice_id, status in ended.items() if status == "succeeded"] == seen[-1]
    assert seen == [[], [], ["G1"], ["G1"], ["G1", "G2"]]


@pytest.mark.parametrize(
    ("added", "month", "invoice_date"),
    [
        ({"month": "2026-10"}, "2026-10", "2026-11-08"),
        ({"month": "2026-12"}, "2026-12", "2027-01-08"),
        ({"listed_from": datetime(2026, 10, 6, tzinfo=UTC)}, "2026-09", "2026-10-06"),
        ({"month": "2026-08", "listed_from": datetime(2026, 10, 6, tzinfo=UTC)}, "2026-08", "2026-10-06"),
        (
            {"listed_from": datetime(2026, 10, 1, 1, tzinfo=timezone(timedelta(hours=2)))},
            "2026-08",
            "2026-09-30",
        ),
        ({}, "2026-09", "2026-10-08"),
    ],
)
def test_an_added_invoice_bills_its_month(call: Call, added: Any, month: str, invoice_date: str) -> None:
    """It bills the month that it is given, else the one before it is listed, or before the clock's."""
    caller = call(invoices=())
    caller.emulator.add_invoice("G1", **added)
    invoice = page(caller)["items"][0]
    assert invoice["billingPeriodStartDate"] == f"{month}-01T00:00:00Z"
    assert invoice["billingPeriodEndDate"].startswith(month)
    assert invoice["invoiceDate"] == f"{invoice_date}T00:00:00Z"


def test_usage_of_an_added_invoice_is_of_its_month(call: Call) -> None:
    """The rows of an invoice with a month of its own are dated in it."""
    caller = call(rows=50)
    caller.emulator.add_invoice("G1", month="2026-02")
    days = {row["UsageDate"][:10] for row in caller.rows(caller.manifest("G1"))}
    assert {day[:7] for day in days} == {"2026-02"}
    assert max(days) <= "2026-02-28"


def test_an_added_invoice_stays_of_its_month(call: Call) -> None:
    """When the clock has moved on to another month, it is listed for its own still."""
    caller = call()
    caller.emulator.add_invoice("G1", month="2026-09")
    caller.clock.moment = datetime(2026, 12, 9, tzinfo=UTC)
    starts = {item["id"]: item["billingPeriodStartDate"][:7] for item in page(caller)["items"]}
    assert starts == {"G016907411": "2026-11", "G1": "2026-09", "D0300AB1CD": "2026-11"}


def test_adding_an_invoice_again_replaces_it(call: Call) -> None:
    """An invoice of the options can be given a moment of its own, and no invoice is listed twice."""
    caller = call()
    caller.emulator.add_invoice("G016907411", listed_from=caller.clock() + timedelta(hours=1))
    assert ids(caller) == []
    caller.clock.move(3600)
    assert ids(caller) == ["G016907411"]


@pytest.mark.parametrize("month", ["2026-13", "October", "2026", "2026-10-01"])
def test_a_month_of_another_form_is_refused(call: Call, month: str) -> None:
    """A mistake in a test shows at once."""
    with pytest.raises(ValueError, match=r"isoformat|month"):
        call().emulator.add_invoice("G1", month=month)


def test_pages_link_to_the_next(call: Call) -> None:
    """While there is more, a page links to the next one, relative to the versioned root as Partner Center does."""
    caller = call(invoices=("G1", "G2"))
    first = page(caller, "?size=2")
    link = first["links"]["next"]["uri"]
    assert link == "/invoices?size=2&offset=2"
    second = page(caller, link.removeprefix("/invoices"))
    assert [item["id"] for item in first["items"] + second["items"]] == ["G1", "G2", "D0300AB1CD"]
    assert "links" not in second


def test_the_answer_starts_with_a_byte_order_mark(call: Call) -> None:
    """Clients must cope with the mark that Partner Center puts before its JSON."""
    assert call().send("GET", "/v1/invoices").content.startswith(codecs.BOM_UTF8 + b"{")


@pytest.mark.parametrize(
    ("token", "query", "status"),
    [("other", "", 401), ("emulator-token", "?size=0", 400), ("emulator-token", "?offset=-1", 400)],
)
def test_refusals_are_partner_centers(call: Call, token: str, query: str, status: int) -> None:
    """A wrong token or page is refused with Partner Center's error body."""
    response = call().send("GET", f"/v1/invoices{query}", token=token)
    assert response.status_code == status
    assert json.loads(response.content.decode("utf-8-sig")).keys() == {"code", "description", "data", "source"}


@pytest.mark.parametrize("query", ["", "?size=none"])
def test_answers_can_be_traced(call: Call, query: str) -> None:
    """Each has a request id, and the caller's correlation id."""
    caller = call()
    answers = [caller.send("GET", f"/v1/invoices{query}", headers={"MS-CorrelationId": "0c1f6a43"}) for _ in range(2)]
    assert {answer.headers["MS-CorrelationId"] for answer in answers} == {"0c1f6a43"}
    assert len({answer.headers["MS-RequestId"] for answer in answers}) == 2
