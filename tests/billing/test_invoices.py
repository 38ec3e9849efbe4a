"""Partner Center's invoices, in every form that it lists them."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from billing.auth import EntraToken
from billing.invoices import MOST_UNREADABLE, InvoiceClient
from failures import NoInvoiceAccess, NotServed, UnusableAnswer
from tests.billing.fake_graph import FakeCredential, FakeGraph, answer

BASE = "https://api.partnercenter.microsoft.com"


def _invoice(id_: str, **fields: Any) -> dict[str, Any]:
    return {"id": id_, "invoiceDate": "2026-10-08T00:00:00Z", "documentType": "Invoice"} | fields


def _of_month(month: str, answer: Callable[[httpx.Request], httpx.Response]) -> list[str]:
    async def read() -> list[str]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
            return [document.id for document in await InvoiceClient(BASE, http).of_month(month)]

    return asyncio.run(read())


def _pages(invoices: list[dict[str, Any]], size: int, linked: bool) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        offset = int(request.url.params["offset"])
        page: dict[str, Any] = {"items": invoices[offset : offset + size]}
        if not linked:
            page["totalCount"] = len(invoices)
        elif offset + size < len(invoices):
            page["links"] = {"next": {"uri": f"/invoices?size={size}&offset={offset + size}"}}
        return httpx.Response(200, content=b"\xef\xbb\xbf" + json.dumps(page).encode())

    return answer


@pytest.mark.parametrize("linked", [True, False])
def test_all_pages_are_read(linked: bool) -> None:
    """Whether the list says that there is more by a link or by its total, and whatever mark its bytes begin with."""
    invoices = [_invoice(f"G00000000{i}") for i in range(7)]
    assert _of_month("2026-09", _pages(invoices, 3, linked)) == [f"G00000000{i}" for i in range(7)]


def test_other_months_are_left_out() -> None:
    """What can be placed in no month is told whichever is asked for."""
    invoices = [_invoice("G000000001"), _invoice("G000000002", invoiceDate=None)]
    invoices.append(_invoice("G000000003", invoiceDate="2026-09-08T00:00:00Z"))
    assert _of_month("2026-09", _pages(invoices, 200, False)) == ["G000000001", "G000000002"]
    assert _of_month("2026-07", _pages(invoices, 200, False)) == ["G000000002"]


def test_a_list_of_nonsense_is_told_in_part() -> None:
    """The month's own invoices are all found among it."""
    nonsense = [_invoice(f"G1000000{i:02}", invoiceDate="soon") for i in range(MOST_UNREADABLE + 1)]
    found = _of_month("2026-09", _pages([*nonsense, _invoice("G200000000")], 200, False))
    assert found == ["G200000000", *(f"G1000000{i:02}" for i in range(MOST_UNREADABLE))]


def test_an_empty_list_is_no_error() -> None:
    """No invoice yet is an answer."""
    assert _of_month("2026-09", _pages([], 200, False)) == []


@pytest.mark.parametrize("body", [b"[]", b'{"items": 1}', b"<html>"])
def test_an_answer_that_is_no_list_is_said_to_be_none(body: bytes) -> None:
    """Whatever comes, a typed error."""
    with pytest.raises(UnusableAnswer):
        _of_month("2026-09", lambda _: httpx.Response(200, content=body))


def test_a_list_without_end_is_given_up() -> None:
    """A server that always promises more does not keep an activity for ever."""
    page = {"items": [_invoice("G000000001")], "links": {"next": {"uri": "x"}}}
    with pytest.raises(UnusableAnswer, match="does not end"):
        _of_month("2026-09", lambda _: httpx.Response(200, json=page))


def test_a_missing_permission_is_final() -> None:
    """403 is not asked again, and the remedy speaks of Partner Center."""
    with pytest.raises(NoInvoiceAccess):
        _of_month("2026-09", lambda _: httpx.Response(403))


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_list_that_is_not_there_points_at_the_setting(status: int) -> None:
    """The URL is made of the base URL, and of nothing that a caller gives."""
    with pytest.raises(NotServed) as caught:
        _of_month("2026-09", lambda _: httpx.Response(status))
    assert "PARTNER_CENTER_BASE_URL" in caught.value.remedy
    assert "GRAPH_BASE_URL" not in caught.value.remedy


def test_an_invoice_is_found_in_the_list_with_what_amends_it() -> None:
    """Be it listed beside it or within it; other invoices are left out."""
    nested = _invoice("G000000003", documentType="adjustment_note")
    invoices = [
        _invoice("G000000001", totalCharges=12.5, amendments=[nested]),
        _invoice("G000000002", amendsOf="G000000001"),
        _invoice("G000000004"),
    ]

    async def read() -> list[tuple[str, str | None]]:
        transport = httpx.MockTransport(_pages(invoices, 2, False))
        async with httpx.AsyncClient(transport=transport) as http:
            found = await InvoiceClient(BASE, http).of_invoice("G000000001")
            return [(document.id, document.total) for document in found]

    assert asyncio.run(read()) == [("G000000001", "12.50"), ("G000000002", None), ("G000000003", None)]


@pytest.mark.parametrize("name", ["MS-RequestId", "MS-CorrelationId"])
def test_a_refusal_is_told_in_partner_centers_own_words(name: str) -> None:
    """Its code, its description, and the id that its support asks for, as it calls it."""
    body = b'\xef\xbb\xbf{"code": "900421", "description": "Country is blocked.", "data": [], "source": "PartnerFD"}'
    with pytest.raises(NoInvoiceAccess) as caught:
        _of_month("2026-09", lambda _: httpx.Response(403, content=body, headers={name: "b1b4a0e6"}))
    found = caught.value
    assert (found.code, found.message, found.request_id) == ("900421", "Country is blocked.", "b1b4a0e6")


def test_each_request_has_an_id_as_partner_center_calls_it() -> None:
    """By it the request can be found where no answer names it."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={"items": []})

    for _ in range(2):
        _of_month("2026-09", answer)
    assert len({request.headers["MS-CorrelationId"] for request in requests}) == 2


def test_a_401_is_met_with_a_fresh_token() -> None:
    """A token that was revoked costs one more request, not the month."""
    credential = FakeCredential()
    graph = FakeGraph(answer(401), answer(200, {"items": []}))

    async def read() -> None:
        async with httpx.AsyncClient(transport=graph, auth=EntraToken(credential, f"{BASE}/.default", BASE)) as http:
            assert await InvoiceClient(BASE, http).of_month("2026-09") == []

    asyncio.run(read())
    assert graph.tokens == ["Bearer s3cret-token-1", "Bearer s3cret-token-2"]
    assert credential.renewed == 1
