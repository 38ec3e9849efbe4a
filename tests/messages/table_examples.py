"""Messages about tables, one of each kind at least."""

from datetime import UTC, datetime

from messages.encoding import Message
from messages.problems import MetProblem
from messages.tables import (
    Building,
    ConvertAnswer,
    ConvertOrder,
    EngineAnswer,
    InvoiceAnswer,
    InvoiceOrder,
    LandedInvoices,
    PlanAnswer,
    PlanOrder,
    PublishAnswer,
    SettleAnswer,
    TableOrder,
    TablePlan,
    TableResult,
    TablesAnswer,
    TablesOrder,
    TableStep,
)
from tests import export_policy

INVOICE = "G016907411"
MOMENT = datetime(2026, 10, 8, 6, 30, 15, tzinfo=UTC)
PLAN = TablePlan(
    INVOICE,
    "partner_tenant=0e195b37-4574-4539-bc42-0a8b4f2b1c5d",
    "2026-10",
    {"billed_usage": f"attribute_set=full/version={'a' * 16}", "billed_reconciliation": "absent"},
    "5f0c2ab94d3e7a10",
    1_000_000,
    3_000_000,
)
TABLE = TableResult("complete", PLAN.version, 3_000_000, f"79000000000.{'1' * 18}", "EUR", "0.00")


def table_examples(met: MetProblem) -> list[Message]:
    """The examples; `met` is a problem that a run has met."""
    building = Building(PLAN, 999_999, 10**15)
    return [
        InvoiceOrder(INVOICE),
        InvoiceAnswer("2026-10"),
        PlanOrder(INVOICE, "2026-10"),
        PLAN,
        TABLE,
        TableResult("none"),
        PlanAnswer(PLAN),
        PlanAnswer(table=TABLE),
        building,
        TableOrder(INVOICE, export_policy.POLICY),
        TableOrder(INVOICE, export_policy.POLICY, MOMENT, True, MOMENT, 2, building, met),
        ConvertOrder(PLAN, 999_999, f"billedUsage-{INVOICE}-full:table:1f0c3b2a"),
        ConvertAnswer(next=7, bytes=10**12),
        ConvertAnswer(busy=True, next=7),
        EngineAnswer(busy=True),
        TableStep(PLAN),
        TableStep(PLAN, f"billedUsage-{INVOICE}-full:table:1f0c3b2a", 999),
        SettleAnswer(files=1_000),
        PublishAnswer(),
        PublishAnswer(table=TABLE),
        TablesOrder("2026-10", export_policy.POLICY),
        TablesOrder("2026-10", export_policy.POLICY, MOMENT, [INVOICE], [{"invoiceId": INVOICE, **TABLE.to_json()}]),
        LandedInvoices([INVOICE]),
        TablesAnswer([TABLE.to_json()]),
    ]
