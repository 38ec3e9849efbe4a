"""Which invoices does Partner Center list?

Source: https://learn.microsoft.com/rest/api/partner-center/manage-billing/get-a-collection-of-invoices
"""

import codecs
import json
from datetime import timedelta
from http import HTTPStatus
from random import Random

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.emulator.bearer import has_token
from local.emulator.clock import Clock, whole_seconds
from local.emulator.line_items import BILLING_CURRENCY
from local.emulator.options import EmulatorOptions

_LEGACY_INVOICE = "D0300AB1CD"

Json = dict[str, object]


class PartnerCenter:
    """The invoices of the options, all of this month, and a legacy one, which has no daily-rated usage."""

    def __init__(self, options: EmulatorOptions, now: Clock) -> None:
        self._options = options
        self._now = now

    @property
    def route(self) -> Route:
        """The route that lists the invoices."""
        return Route("/v1/invoices", self._list_invoices)

    async def _list_invoices(self, request: Request) -> Response:
        if not has_token(request, self._options.token):
            return refusal(HTTPStatus.UNAUTHORIZED, "The request was not authenticated.")
        size, offset = (request.query_params.get(name, default) for name, default in (("size", "200"), ("offset", "0")))
        if not (size.isdecimal() and offset.isdecimal() and int(size) > 0):
            return refusal(HTTPStatus.BAD_REQUEST, "The size must be a positive number and the offset a number.")
        return _json(self._page(int(size), int(offset)))

    def _page(self, size: int, offset: int) -> Json:
        invoices = [
            *(self._invoice(invoice_id) for invoice_id in self._options.invoices),
            self._invoice(_LEGACY_INVOICE),
        ]
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

    def _invoice(self, invoice_id: str) -> Json:
        first_of_month = self._now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        last_of_period = first_of_month - timedelta(days=1)
        return {
            "id": invoice_id,
            "invoiceDate": whole_seconds(first_of_month.replace(day=8)),
            "billingPeriodStartDate": whole_seconds(last_of_period.replace(day=1)),
            "billingPeriodEndDate": whole_seconds(last_of_period),
            "totalCharges": round(Random(f"invoice {invoice_id}").uniform(1_000, 30_000), 2),
            "paidAmount": 0.0,
            "currencyCode": BILLING_CURRENCY,
            "currencySymbol": "€",
            "invoiceType": "Recurring" if invoice_id == _LEGACY_INVOICE else "OneTime",
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
