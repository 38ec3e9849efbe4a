"""What is known of an invoice, and written beside what landed of it."""

import json
from typing import Any

import httpx

from messages.names import READ_INVOICE
from messages.tables import InvoiceOrder
from tests.activities.conftest import Bench, call

INVOICE = {
    "id": "G000000001",
    "documentType": "Invoice",
    "invoiceDate": "2026-10-08T00:00:00Z",
    "totalCharges": 119.0,
    "currencyCode": "EUR",
}
NOTE = INVOICE | {
    "id": "G600000001",
    "documentType": "void_note",
    "totalCharges": -119.0,
    "amendsOf": "G000000001",
}


def _about(bench: Bench, *listed: dict[str, Any]) -> Any:
    bench.set(partner_center_base_url="http://127.0.0.1:7072")
    bench.graph.interfere = lambda _: httpx.Response(200, json={"items": listed})
    bench.run(lambda: call(READ_INVOICE, InvoiceOrder("G000000001")))
    (about,) = bench.landed("G000000001.json")
    return json.loads(about.read_text())


def test_an_invoice_is_void_as_soon_as_a_note_says_so(bench: Bench) -> None:
    """Wherever the note stands."""
    assert _about(bench, INVOICE)["voided"] is False
    for listed in ([INVOICE, NOTE], [NOTE], [INVOICE | {"amendments": [NOTE]}]):
        assert _about(bench, INVOICE)["voided"] is False
        assert _about(bench, *listed)["voided"] is True


def test_a_void_note_in_its_place_takes_nothing_from_what_is_known_of_an_invoice(bench: Bench) -> None:
    """Its total stays, and the note stands among its amendments."""
    before = _about(bench, INVOICE)
    after = _about(bench, NOTE)
    assert before["total"] == "119.00"
    assert before["amendments"] == []
    assert after.pop("amendments") == [{"id": "G600000001", "documentType": "void_note", "total": "-119.00"}]
    assert after == {name: value for name, value in before.items() if name != "amendments"} | {"voided": True}
