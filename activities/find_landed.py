"""Finds a month's invoices of which something has landed."""

from activities.door import JsonObject, activity
from activities.tabulating import FOLDERS
from catalog.datasets import INVOICE_ID
from clients.process import clients
from landing.inputs import landed_invoices
from landing.json_files import json_object
from landing.layout import about_invoice
from messages.months import InvoicesOrder
from messages.names import FIND_LANDED
from messages.tables import LandedInvoices


@activity(FIND_LANDED)
async def find_landed(message: JsonObject) -> JsonObject:
    """`LandedInvoices` to an `InvoicesOrder`. An invoice whose month nobody has asked for yet may be of this one."""
    month = InvoicesOrder.from_json(message).month
    zone = (await clients()).zone
    found = []
    for invoice in await landed_invoices(zone, FOLDERS):
        about = json_object(await zone.read(about_invoice(invoice)))
        if INVOICE_ID.fullmatch(invoice) and about.get("month", month) == month:
            found.append(invoice)
    return LandedInvoices(found).to_json()
