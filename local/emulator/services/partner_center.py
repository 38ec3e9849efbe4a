"""Which invoices does Partner Center list?

Source: https://learn.microsoft.com/rest/api/partner-center/manage-billing/get-a-collection-of-invoices
"""

import codecs
import json
from http import HTTPStatus
from random import Random

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.emulator.clock import Clock, midnight
from local.emulator.data.bill import BILLING_CURRENCY
from local.emulator.data.invoices import Invoice, Invoices
from local.emulator.data.months import last_day
from local.emulator.services.bearer import has_token

_LEGACY = Invoice("D0300AB1CD")

Json = dict[str, object]


class PartnerCenter:
    """The new-commerce invoices that are there, and a legacy one, which has no daily-rated usage."""

    def __init__(self, token: str, invoices: Invoices, now: Clock) -> None:
        self._token = token
        self._invoices = invoices
        self._now = now

    @property
    def route(self) -> Route:
        """The route that lists the invoices."""
        return Route("/v1/invoices", self._list_invoices)

    async def _list_invoices(self, request: Request) -> Response:
        if not has_token(request, self._token):
            return refusal(HTTPStatus.UNAUTHORIZED, "The request was not authenticated.")
        size, offset = (request.query_params.get(name, default) for name, default in (("size", "200"), ("offset", "0")))
        if not (size.isdecimal() and offset.isdecimal() and int(size) > 0):
            return refusal(HTTPStatus.BAD_REQUEST, "The size must be a positive number and the offset a number.")
        return _json(self._page(int(size), int(offset)))

    def _page(self, size: int, offset: int) -> Json:
        invoices = [self._document(invoice) for invoice in (*self._invoices.listed(), _LEGACY)]
        page: Json = {
            "totalCount": len(invoices),
            "items": invoices[offset : offset + size],
            "attributes": {"objectType": "Collection"},
        }
        if offset + size < len(invoices):
            # Partner Center's links are relative to its versioned root: `/invoices`, not `/v1/invoices`.
            uri = f"/invoices?size={size}&offset={offset + size}"
            page["links"] = {"next": {"uri": uri, "method": "GET", "headers": []}}
        return page

    def _document(self, invoice: Invoice) -> Json:
        month = invoice.billed_month(self._now())
        return {
            "id": invoice.id,
            "invoiceDate": midnight(invoice.dated(self._now())),
            "billingPeriodStartDate": midnight(month),
            "billingPeriodEndDate": midnight(last_day(month)),
            "totalCharges": round(Random(f"invoice {invoice.id}").uniform(1_000, 30_000), 2),
            "paidAmount": 0.0,
            "currencyCode": BILLING_CURRENCY,
            "currencySymbol": "€",
            "invoiceType": "Recurring" if invoice is _LEGACY else "OneTime",
            "documentType": "Invoice",
            "state": "Due",
        }


def refusal(status: HTTPStatus, description: str) -> Response:
    """Partner Center's error body: https://learn.microsoft.com/partner-center/developer/error-codes."""
    return _json({"code": str(status.value), "description": description, "data": [], "source": "PartnerFD"}, status)


def _json(body: Json, status: HTTPStatus = HTTPStatus.OK) -> Response:
    # Partner Center puts a byte order mark before its JSON.
    content = codecs.BOM_UTF8 + json.dumps(body, ensure_ascii=False).encode()
    return Response(content, status, media_type="application/json")
