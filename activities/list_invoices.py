"""Finds what the partner was invoiced for in a month."""

from activities.door import JsonObject, activity
from clients.process import clients
from messages.months import InvoicesAnswer, InvoicesOrder
from messages.names import LIST_INVOICES


@activity(LIST_INVOICES)
async def list_invoices(message: JsonObject) -> JsonObject:
    """`InvoicesAnswer` to an `InvoicesOrder`."""
    order = InvoicesOrder.from_json(message)
    documents = await (await clients()).invoices.of_month(order.month)
    return InvoicesAnswer([document.id for document in documents if document.is_exported]).to_json()
