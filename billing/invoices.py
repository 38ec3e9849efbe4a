"""Partner Center's list of the partner's invoices: what there is to export.

Source: https://learn.microsoft.com/partner-center/developer/get-a-collection-of-invoices
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx

from billing.documents import Document, documents_of
from billing.http import NOT_SERVED, Api
from failures import InvoicesNotServed, NoInvoiceAccess, UnusableAnswer
from failures.doubts import Doubts

PAGE_SIZE = 200
"""Invoices asked for at once."""

MOST_UNREADABLE = 20
"""Documents of no month that are told: no list of nonsense makes a message too long."""

MOST_PAGES = 100
"""Pages read before the list is taken to have no end."""


class InvoiceClient:
    """Partner Center's invoices below one base URL. `http` sends the requests and authenticates them."""

    def __init__(
        self, base_url: str, http: httpx.AsyncClient, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        refusals = dict.fromkeys(NOT_SERVED, InvoicesNotServed) | dict.fromkeys((401, 403), NoInvoiceAccess)
        self._api = Api(base_url, http, now, refusals)
        self._doubts = Doubts(now)

    async def of_month(self, month: str) -> list[Document]:
        """The month's documents of new commerce, by their ids, and then some of those that are of no month.

        Raises:
            ServiceUnavailable: when Partner Center does not answer.
            NoInvoiceAccess: later at first, where it was allowed before.
            RequestRefused: when there is no such list at the base URL, it may not be read, or cannot be used.
        """
        documents = await self._documents()
        unreadable = [document for document in documents if document.month is None]
        return [document for document in documents if document.month == month] + unreadable[:MOST_UNREADABLE]

    async def of_invoice(self, invoice_id: str) -> list[Document]:
        """The invoice and what amends it, by their ids: an invoice by its id is refused to app-only identities.

        Raises:
            ServiceUnavailable, NoInvoiceAccess, RequestRefused: as `of_month`.
        """
        return [document for document in await self._documents() if invoice_id in {document.id, document.amends}]

    async def _documents(self) -> list[Document]:
        with self._doubts.about():
            return documents_of(await self._all())

    async def _all(self) -> list[object]:
        """Pages by offset: the links that the pages carry are relative to a root that the documentation leaves open."""
        items: list[object] = []
        for _ in range(MOST_PAGES):
            url = f"{self._api.base_url}/v1/invoices?size={PAGE_SIZE}&offset={len(items)}"
            page = await self._api.get_object(url)
            listed = page.get("items")
            if not isinstance(listed, list):
                raise _bad_list("Partner Center's answer has no list of invoices.")
            items += listed
            if not listed or not _has_more(page, len(items)):
                return items
        raise _bad_list(f"Partner Center's list does not end after {MOST_PAGES} pages.")


def _bad_list(message: str) -> UnusableAnswer:
    remedy = (
        "Export the invoices by their ids, which needs no list; if this lasts, give the message to Microsoft's support."
    )
    return UnusableAnswer(message, code="BadInvoices", remedy=remedy)


def _has_more(page: Mapping[str, Any], read: int) -> bool:
    links = page.get("links")
    if isinstance(links, Mapping) and links.get("next"):
        return True
    total = page.get("totalCount")
    return isinstance(total, int) and read < total
