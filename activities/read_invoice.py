"""Reads of which month an invoice is, and what it comes to; its lines tell the month where Partner Center does not."""

from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

from activities.door import JsonObject, activity
from activities.tabulating import FOLDERS
from billing.documents import Document
from catalog.months import MONTH
from clients.process import Clients, clients
from failures import BillingFailure, LandingUnavailable, UnknownShape
from landing.inputs import blobs_of, find_invoice
from landing.json_files import json_bytes, json_object
from landing.layout import about_invoice
from messages.names import READ_INVOICE
from messages.tables import InvoiceAnswer, InvoiceOrder

MOST_BLOBS = 8
"""Blobs that are looked into for a month: the first may have no line."""

BEGINNING = 1 << 20
"""Bytes of a blob that are looked at."""

KNOWN: Mapping[str, Any] = {
    "month": str,
    "total": str | None,
    "currency": str | None,
    "amendments": list,
    "voided": bool,
}


@activity(READ_INVOICE)
async def read_invoice(message: JsonObject) -> JsonObject:
    """`InvoiceAnswer` to an `InvoiceOrder`. A month that was written once stays; the rest is what is said now."""
    invoice = InvoiceOrder.from_json(message).invoice_id
    using = await clients()
    path = about_invoice(invoice)
    stored = await using.zone.read(path)
    known = _known(json_object(stored))
    told = _told(await _documents(using, invoice), invoice)
    month = _month(known) or _month(told) or await _month_of_lines(using, invoice)
    about = {"invoiceId": invoice, **known, **told, "month": month}
    if about != json_object(stored) and not await using.zone.swap(
        path, json_bytes(about), stored.tag if stored else None
    ):
        raise LandingUnavailable(f"What is known of the invoice {invoice} was written by somebody else at the moment.")
    return InvoiceAnswer(month).to_json()


async def _documents(using: Clients, invoice: str) -> list[Document]:
    """What Partner Center lists; nothing where it does not let the app read its list, or does not answer."""
    if not using.settings.lists_invoices:
        return []
    try:
        return await using.invoices.of_invoice(invoice)
    except BillingFailure:
        return []


def _told(documents: list[Document], invoice: str) -> dict[str, Any]:
    own = next((document for document in documents if document.id == invoice), None)
    if own is None:
        return {}
    amending = [document for document in documents if document is not own]
    said = {
        "month": own.month,
        "total": own.total,
        "currency": own.currency,
        "voided": own.voided,
        "amendments": [{"id": one.id, "documentType": one.kind, "total": one.total} for one in amending],
    }
    # What is said no longer, as when a void note stands in the invoice's place, stays as it was.
    return {name: value for name, value in said.items() if value is not None}


def _known(stored: Mapping[str, Any]) -> dict[str, Any]:
    """What was written once, without what somebody else may have written there."""
    return {name: value for name, value in stored.items() if isinstance(value, KNOWN.get(name, object))}


def _month(about: Mapping[str, Any]) -> str | None:
    month = about.get("month")
    return month if isinstance(month, str) and MONTH.fullmatch(month) else None


async def _month_of_lines(using: Clients, invoice: str) -> str:
    from tables.months import billed_month

    landed = await find_invoice(using.zone, FOLDERS, invoice)
    inputs = await landed.inputs()
    versions = [version for dataset in FOLDERS if (version := landed.version(dataset, inputs))]
    blobs = [blob for version in versions for blob in await blobs_of(using.zone, version)]
    for blob in blobs[:MOST_BLOBS]:
        month = billed_month(await _beginning(using, blob.path))
        if month:
            return month
    raise UnknownShape(f"No line of the invoice {invoice} says when its charge begins: ChargeStartDate is missing.")


async def _beginning(using: Clients, path: str) -> bytes:
    beginning = b""
    async with aclosing(using.zone.stream(path)) as pieces:
        async for piece in pieces:
            beginning += piece
            if len(beginning) >= BEGINNING:
                break
    return beginning[:BEGINNING]
