"""Plans an invoice's table: what it is made of, whether it stands there already, and whether it may."""

from dataclasses import replace

from activities.door import JsonObject, activity
from activities.tabulating import FOLDERS, Making, standing_table
from clients.process import clients
from landing.inputs import find_invoice, table_version
from landing.layout import TablePlace
from landing.publishing import withdraw
from messages.names import PLAN_TABLE
from messages.tables import PlanAnswer, PlanOrder, TablePlan, TableResult


@activity(PLAN_TABLE)
async def plan_table(message: JsonObject) -> JsonObject:
    """`PlanAnswer` to a `PlanOrder`. That of a voided invoice is withdrawn: what replaces it has its own."""
    from tables.release import mapping_digest
    from tables.table import ROWS_A_FILE

    order = PlanOrder.from_json(message)
    using = await clients()
    invoice = await find_invoice(using.zone, FOLDERS, order.invoice_id)
    if await invoice.is_void():
        await withdraw(using.zone, TablePlace(invoice.partner, order.month, invoice.id))
        return PlanAnswer(table=TableResult("voided")).to_json()
    inputs = dict(await invoice.inputs())
    if not any(invoice.version(dataset, inputs) for dataset in FOLDERS):
        return PlanAnswer(table=TableResult("none")).to_json()
    version = table_version(inputs, order.month, mapping_digest())
    plan = TablePlan(order.invoice_id, invoice.partner, order.month, inputs, version, 0, ROWS_A_FILE)
    making = Making(using, plan)
    if table := await standing_table(making):
        return PlanAnswer(table=table).to_json()
    return PlanAnswer(plan=replace(plan, blob_count=len(await making.blobs()))).to_json()
