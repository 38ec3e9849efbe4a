"""A table's activities as they answer when all goes well; a test says what goes otherwise."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from messages.encoding import Message
from messages.names import (
    CONVERT_LINES,
    MARK_NO_DATA,
    PLAN_TABLE,
    PUBLISH_TABLE,
    READ_INVOICE,
    SETTLE_TABLE,
    START_NOTICE,
)
from messages.problems import Answer
from messages.tables import (
    ConvertAnswer,
    ConvertOrder,
    EngineAnswer,
    InvoiceAnswer,
    PlanAnswer,
    PublishAnswer,
    SettleAnswer,
    TableOrder,
    TablePlan,
    TableResult,
)
from tests.replay import exports
from tests.replay.player import START, Replies, Reply

INVOICE = "G016907411"
ORDER = TableOrder(INVOICE, exports.POLICY, started_at=START)
TABLE = TableResult("complete", "069b0c476d8cb77c", 48, "7511.34", "EUR", "0.00")


def plan(blob_count: int) -> TablePlan:
    """A plan for a table of so many blobs."""
    inputs = {"billed_usage": f"attribute_set=full/version={'a' * 16}", "billed_reconciliation": "absent"}
    return TablePlan(INVOICE, "partner_tenant=0e195b37", "2026-10", inputs, "069b0c476d8cb77c", blob_count, 3_000_000)


def converted(data: Any) -> ConvertAnswer:
    """One blob a slice."""
    return ConvertAnswer(next=ConvertOrder.from_json(data).start + 1, bytes=10)


def replies(blob_count: int, **other: Callable[[Any], Reply]) -> Replies:
    """What activities answer for a table of so many blobs; `other` by name."""
    return {
        MARK_NO_DATA: lambda _: Answer(),
        READ_INVOICE: lambda _: InvoiceAnswer("2026-10"),
        PLAN_TABLE: lambda _: PlanAnswer(plan(blob_count)),
        CONVERT_LINES: converted,
        SETTLE_TABLE: lambda _: SettleAnswer(files=1),
        PUBLISH_TABLE: lambda _: PublishAnswer(table=TABLE),
        START_NOTICE: lambda _: Message(),
        **other,
    }


def busy_at_first(reply: Reply, times: int = 1) -> Callable[[Any], Reply]:
    """The engine is another table's at first."""
    busy: Sequence[Reply] = [replace(reply, busy=True) if isinstance(reply, EngineAnswer) else reply] * times
    return exports.in_turn(*busy, reply)
