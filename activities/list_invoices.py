"""Finds what the partner was invoiced for in a month."""

import logging

from activities.door import JsonObject, activity
from billing import documents
from clients.process import clients
from messages.months import Document, InvoicesAnswer, InvoicesOrder
from messages.names import LIST_INVOICES

log = logging.getLogger(__name__)


@activity(LIST_INVOICES)
async def list_invoices(message: JsonObject) -> JsonObject:
    """`InvoicesAnswer` to an `InvoicesOrder`."""
    order = InvoicesOrder.from_json(message)
    listed = await (await clients()).invoices.of_month(order.month)
    for document in listed:
        _warn_of(document)
    return InvoicesAnswer([_told(document) for document in listed]).to_json()


def _told(document: documents.Document) -> Document:
    return Document(
        document.id,
        document.kind,
        exported=document.is_exported,
        readable=document.month is not None,
        voided=document.voided,
        replaced_by=document.replaced_by,
    )


def _warn_of(document: documents.Document) -> None:
    if document.month is None:
        log.warning("Partner Center lists %s (%s), which belongs to no month.", document.id, document.kind)
    elif document.kind not in documents.KINDS:
        log.warning("Partner Center lists %s, whose type is not known: %s.", document.id, document.kind)
