"""Which invoices does Partner Center list?

Source: https://learn.microsoft.com/rest/api/partner-center/manage-billing/get-a-collection-of-invoices
"""

import codecs
import uuid
from collections.abc import Callable
from decimal import Decimal
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.emulator.clock import Now, midnight
from local.emulator.data.events import AMENDED_AFTER, CORRECTIONS, EventKind
from local.emulator.data.invoices import Invoice, Invoices, adjustment_note_id, void_note_id
from local.emulator.data.line import json_text
from local.emulator.data.money import cut
from local.emulator.data.months import last_day
from local.emulator.services.bearer import has_token

_LEGACY = Invoice("D0300AB1CD")
_LEGACY_TOTAL = Decimal("412.10")
_SYMBOLS = {"EUR": "€", "USD": "$"}

_PERIOD = ("billingPeriodStartDate", "billingPeriodEndDate")
_NOT_SET = "0001-01-01T00:00:00"
_LEFT_OUT: dict[EventKind, tuple[str, ...]] = {
    "no-date": ("invoiceDate",),
    "no-period": _PERIOD,
    "undated": ("invoiceDate", *_PERIOD),
}

Json = dict[str, object]


class PartnerCenter:
    """The new-commerce invoices that are there, and a legacy one, which has no daily-rated usage."""

    def __init__(self, token: str, invoices: Invoices, total: Callable[[str], Decimal], now: Now) -> None:
        self._token = token
        self._invoices = invoices
        self._total = total
        self._now = now

    @property
    def route(self) -> Route:
        """The route that lists the invoices."""
        return Route("/v1/invoices", self._list_invoices)

    async def _list_invoices(self, request: Request) -> Response:
        if not has_token(request, self._token):
            return refusal(request, HTTPStatus.UNAUTHORIZED, "The request was not authenticated.")
        size, offset = (request.query_params.get(name, default) for name, default in (("size", "200"), ("offset", "0")))
        if not (size.isdecimal() and offset.isdecimal() and int(size) > 0):
            message = "The size must be a positive number and the offset a number."
            return refusal(request, HTTPStatus.BAD_REQUEST, message)
        return _json(request, self._page(int(size), int(offset)))

    def _page(self, size: int, offset: int) -> Json:
        listed = [invoice for invoice in self._invoices.listed() if not self._invoices.is_nested(invoice)]
        count = len(invoices := [*listed, _LEGACY])
        page: Json = {
            "totalCount": count,
            "items": [self._document(invoice) for invoice in invoices[offset : offset + size]],
            "attributes": {"objectType": "Collection"},
        }
        if offset + size < count:
            # Partner Center's links are relative to its versioned root: `/invoices`, not `/v1/invoices`.
            uri = f"/invoices?size={size}&offset={offset + size}"
            page["links"] = {"next": {"uri": uri, "method": "GET", "headers": []}}
        return page

    def _document(self, invoice: Invoice) -> Json:
        month = invoice.billed_month(self._now())
        total = _LEGACY_TOTAL if invoice is _LEGACY else self._total(invoice.id)
        document: Json = {
            "id": invoice.id,
            "invoiceDate": midnight(invoice.dated(self._now())),
            "billingPeriodStartDate": midnight(month),
            "billingPeriodEndDate": midnight(last_day(month)),
            "totalCharges": total,
            "paidAmount": Decimal(0),
            "currencyCode": invoice.currency,
            "currencySymbol": _SYMBOLS[invoice.currency],
            "invoiceType": "Recurring" if invoice is _LEGACY else "OneTime",
            "documentType": "Invoice",
            "state": "Due",
        }
        if invoice.replaces:
            document["amendsOf"] = invoice.replaces
        for kind in self._invoices.happenings(invoice):
            document |= dict.fromkeys(_LEFT_OUT.get(kind, ()), _NOT_SET)
        return self._amended(invoice, document)

    def _amended(self, invoice: Invoice, document: Json) -> Json:
        """An invoice contains what amends it: whole documents of the same form. A void note may stand in its place."""
        kinds = self._invoices.amendments(invoice)
        if not kinds:
            return document
        total = self._total(invoice.id)
        void = self._note(invoice, document, "void_note", void_note_id(invoice.id), -total)
        adjustment = self._note(invoice, document, "adjustment_note", adjustment_note_id(invoice.id), -cut(total / 50))
        if "void" in kinds:
            return void | {"amendments": [adjustment]}
        amendments = [void] if kinds & CORRECTIONS else []
        if "nested-correction" in kinds and (replacing := self._invoices.replacing(invoice)):
            amendments.append(self._document(replacing))
        if "adjustment-note" in kinds:
            amendments.append(adjustment)
        return document | {"amendments": amendments}

    def _note(self, invoice: Invoice, document: Json, kind: str, note_id: str, amount: Decimal) -> Json:
        amended = midnight((invoice.issued(self._now()) + AMENDED_AFTER).date())
        return document | {
            "id": note_id,
            "documentType": kind,
            "totalCharges": amount,
            "invoiceDate": amended,
            "amendsOf": invoice.id,
        }


def refusal(request: Request, status: HTTPStatus, description: str) -> Response:
    """Partner Center's error body: https://learn.microsoft.com/partner-center/developer/error-codes."""
    body: Json = {"code": str(status.value), "description": description, "data": [], "source": "PartnerFD"}
    return _json(request, body, status)


def _json(request: Request, body: Json, status: HTTPStatus = HTTPStatus.OK) -> Response:
    # Partner Center puts a byte order mark before its JSON.
    content = codecs.BOM_UTF8 + json_text(body).encode()
    # What the caller does not name, it names itself: https://learn.microsoft.com/partner-center/developer/headers.
    ids = {name: request.headers.get(name, str(uuid.uuid4())) for name in ("MS-RequestId", "MS-CorrelationId")}
    return Response(content, status, ids, media_type="application/json")
