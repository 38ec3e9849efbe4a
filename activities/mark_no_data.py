"""Marks that an invoice has no daily usage, and that none is expected any more."""

from activities.door import JsonObject, activity
from activities.tabulating import FOLDERS, USAGE
from clients.process import clients
from landing.inputs import find_invoice
from messages.names import MARK_NO_DATA
from messages.problems import Answer
from messages.tables import InvoiceOrder


@activity(MARK_NO_DATA)
async def mark_no_data(message: JsonObject) -> JsonObject:
    """An empty `Answer` to an `InvoiceOrder`. Usage that lands all the same counts more than the mark."""
    order = InvoiceOrder.from_json(message)
    invoice = await find_invoice((await clients()).zone, FOLDERS, order.invoice_id)
    await invoice.mark_no_data(USAGE)
    return Answer().to_json()
