"""Partner Center's list of the partner's invoices: what there is to export.

Source: https://learn.microsoft.com/partner-center/developer/get-a-collection-of-invoices
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

import httpx

from billing.http import NOT_SERVED, Api
from catalog.datasets import INVOICE_ID
from catalog.months import month_before, month_of
from failures import NoInvoiceAccess, UnusableAnswer
from failures.doubts import Doubts

PAGE_SIZE = 200
"""Invoices asked for at once."""

MOST_PAGES = 100
"""Pages read before the list is taken to have no end."""


@dataclass(frozen=True)
class Invoice:
    """One entry of the list.

    `month` is the billing month (`2026-09`), where it is known; `document_type` is in lower case.
    """

    id: str
    month: str | None
    document_type: str

    @classmethod
    def from_json(cls, item: Mapping[str, Any]) -> Self:
        """The invoice that Partner Center's JSON describes; without billing period, of the month before its date.

        Raises:
            UnusableAnswer: when it is to be exported, and has neither billing period nor date.
        """
        invoice = cls(str(item.get("id", "")), _month(item), str(item.get("documentType", "")).lower())
        if invoice.is_exported and invoice.month is None:
            message = f"The invoice {invoice.id} has neither billing period nor date."
            raise UnusableAnswer(message, code="BadInvoice")
        return invoice

    @property
    def is_exported(self) -> bool:
        """Whether it is a new-commerce invoice, and no adjustment or void note."""
        return self.document_type == "invoice" and bool(INVOICE_ID.fullmatch(self.id))


class InvoiceClient:
    """Partner Center's invoices below one base URL. `http` sends the requests and authenticates them."""

    def __init__(
        self, base_url: str, http: httpx.AsyncClient, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._api = Api(base_url, http, now, NOT_SERVED | {401: NoInvoiceAccess, 403: NoInvoiceAccess})
        self._doubts = Doubts(now)

    async def of_month(self, month: str) -> list[str]:
        """The ids, sorted, of the month's invoices that have daily-rated usage.

        Raises:
            ServiceUnavailable: when Partner Center does not answer.
            NoInvoiceAccess: later at first, where it was allowed before.
            RequestRefused: when there is no such list at the base URL, it may not be read, or cannot be used.
        """
        with self._doubts.about(NoInvoiceAccess):
            invoices = await self._all()
        return sorted({invoice.id for invoice in invoices if invoice.month == month and invoice.is_exported})

    async def _all(self) -> list[Invoice]:
        """Pages by offset: the links that the pages carry are relative to a root that the documentation leaves open."""
        invoices: list[Invoice] = []
        for _ in range(MOST_PAGES):
            url = f"{self._api.base_url}/v1/invoices?size={PAGE_SIZE}&offset={len(invoices)}"
            page = await self._api.get_object(url)
            items = page.get("items")
            if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
                raise UnusableAnswer("Partner Center's answer has no list of invoices.", code="BadInvoices")
            invoices += [Invoice.from_json(item) for item in items]
            if not items or not _has_more(page, len(invoices)):
                return invoices
        message = f"Partner Center's list does not end after {MOST_PAGES} pages."
        raise UnusableAnswer(message, code="BadInvoices")


def _has_more(page: Mapping[str, Any], read: int) -> bool:
    links = page.get("links")
    if isinstance(links, Mapping) and links.get("next"):
        return True
    total = page.get("totalCount")
    return isinstance(total, int) and read < total


def _month(item: Mapping[str, Any]) -> str | None:
    start, date = _moment(item.get("billingPeriodStartDate")), _moment(item.get("invoiceDate"))
    if start:
        return month_of(start)
    return month_before(date) if date else None


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(text[:10]) if isinstance(text, str) else None
    except ValueError:
        return None
