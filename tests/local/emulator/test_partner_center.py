"""Partner Center's part: the list of invoices."""

from __future__ import annotations

import codecs
import json
from datetime import UTC, datetime
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
