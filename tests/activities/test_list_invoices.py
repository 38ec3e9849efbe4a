"""Finding what the partner was invoiced for."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from failures import FINAL
from messages.months import Document, InvoicesAnswer, InvoicesOrder
from messages.names import LIST_INVOICES
from tests.activities.conftest import REQUEST, Bench, CalledInVain, call, in_vain


def _listing(month: str) -> Callable[[], Awaitable[Any]]:
    return lambda: call(LIST_INVOICES, InvoicesOrder(month))


def test_the_invoices_of_the_month_are_listed(bench: Bench) -> None:
    """New-commerce invoices of the billing month are told by their ids; legacy ones and other months are left out."""
    assert bench.run(_listing("2026-09")) == InvoicesAnswer([Document(REQUEST.values["invoiceId"])]).to_json()
    assert bench.run(_listing("2026-08")) == InvoicesAnswer([]).to_json()


ODD = [
    {"id": "G000000001", "documentType": "Invoice"},
    {"id": "G000000002", "documentType": "credit_memo", "invoiceDate": "2026-10-08T00:00:00Z"},
    {"id": "G000000003", "documentType": "Invoice", "invoiceDate": "2026-10-08T00:00:00Z"},
]


def test_what_nobody_can_export_is_told_and_warned_of(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """An invoice of no month, and a document of a type that is new: each is told once a look."""
    bench.graph.interfere = lambda _: httpx.Response(200, json={"items": ODD})
    assert (
        bench.run(_listing("2026-09"))
        == InvoicesAnswer(
            [
                Document("G000000002", "credit_memo", exported=False),
                Document("G000000003"),
                Document("G000000001", exported=False, readable=False),
            ]
        ).to_json()
    )
    assert caplog.messages == [
        "Partner Center lists G000000002, whose type is not known: credit_memo.",
        "Partner Center lists G000000001 (invoice), which belongs to no month.",
    ]


@pytest.mark.parametrize("status", [403, 404])
def test_a_refusal_is_an_answer_and_not_an_exception(bench: Bench, status: int) -> None:
    """What no retry can mend is told with a remedy."""
    bench.graph.interfere = lambda _: httpx.Response(status)
    told = in_vain(lambda: bench.run(_listing("2026-09")))
    assert told.kind == FINAL
    assert told.problem.remedy


def test_an_outage_is_for_the_orchestrator_to_wait_through(bench: Bench) -> None:
    """It is told that it may try again later."""
    bench.graph.interfere = lambda _: httpx.Response(503)
    with pytest.raises(CalledInVain, match="HTTP503"):
        bench.run(_listing("2026-09"))
