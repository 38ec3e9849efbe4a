"""Finds what the partner was invoiced for in a month."""

import logging

from activities.door import JsonObject, activity
from billing.documents import KINDS, Document
from clients.process import clients
from messages.months import InvoicesAnswer, InvoicesOrder
from messages.names import LIST_INVOICES

log = logging.getLogger(__name__)


@activity(LIST_INVOICES)
async def list_invoices(message: JsonObject) -> JsonObject:
    """`InvoicesAnswer` to an `InvoicesOrder`."""
    order = InvoicesOrder.from_json(message)
    documents = await (await clients()).invoices.of_month(order.month)
    for document in documents:
        _warn_of(document)
    return InvoicesAnswer([document.id for document in documents if document.is_exported]).to_json()


def _warn_of(document: Document) -> None:
    if document.month is None:
        log.warning("Partner Center lists %s (%s), which belongs to no month.", document.id, document.kind)
    elif document.kind not in KINDS:
        log.warning("Partner Center lists %s, whose type is not known: %s.", document.id, document.kind)
