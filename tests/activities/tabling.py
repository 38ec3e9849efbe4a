"""Exports and tables of one invoice, activity by activity."""

import json
from pathlib import Path
from typing import Any

from catalog.export_request import ExportRequest
from messages.exports import CommitAnswer, CopyAnswer, CopyOrder, VersionOrder
from messages.names import (
    COMMIT_EXPORT,
    CONVERT_LINES,
    COPY_BLOBS,
    PLAN_TABLE,
    PUBLISH_TABLE,
    READ_INVOICE,
    SETTLE_TABLE,
)
from messages.tables import (
    ConvertAnswer,
    ConvertOrder,
    EngineAnswer,
    InvoiceAnswer,
    InvoiceOrder,
    PlanAnswer,
    PlanOrder,
    PublishAnswer,
    TablePlan,
    TableResult,
    TableStep,
)
from tables.table import tabulate
from tests.activities.conftest import Bench, call

INVOICE = "G016907411"
USAGE, LINES = "billedUsage", "billedReconciliation"


class Tabling:
    """Exports and tables of one invoice on a bench."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    async def export(self, dataset: str, attribute_set: str = "full") -> None:
        """Exports and commits."""
        request = ExportRequest.parse({"dataset": dataset, "invoiceId": INVOICE, "attributeSet": attribute_set})
        started = await self.bench.start(request)
        while (answer := await self.bench.check(started.operation_url)).state == "running":
            pass
        assert answer.plan is not None
        copied = await call(COPY_BLOBS, CopyOrder(request, answer.plan, 0, answer.plan.blob_count))
        assert CopyAnswer.from_json(copied).not_done is None
        CommitAnswer.from_json(await call(COMMIT_EXPORT, VersionOrder(request, answer.plan)))

    async def plan(self) -> PlanAnswer:
        """Reads the invoice, and plans."""
        month = InvoiceAnswer.from_json(await call(READ_INVOICE, InvoiceOrder(INVOICE))).month
        return PlanAnswer.from_json(await call(PLAN_TABLE, PlanOrder(INVOICE, month)))

    async def convert(self, plan: TablePlan) -> int:
        """Converts all blobs: how many bytes were read for it."""
        reached = read = 0
        while reached < plan.blob_count:
            answer = ConvertAnswer.from_json(await call(CONVERT_LINES, ConvertOrder(plan, reached)))
            assert answer.next > reached
            reached, read = answer.next, read + answer.bytes
        return read

    async def converted(self) -> TablePlan:
        """The plan of a table of both documents, whose blobs have been converted."""
        await self.export(USAGE)
        await self.export(LINES)
        plan = (await self.plan()).plan
        assert plan is not None
        await self.convert(plan)
        return plan

    async def settle(self, plan: TablePlan) -> None:
        """Settles."""
        assert not EngineAnswer.from_json(await call(SETTLE_TABLE, TableStep(plan))).busy

    async def publish(self, plan: TablePlan) -> TableResult:
        """Publishes."""
        table = PublishAnswer.from_json(await call(PUBLISH_TABLE, TableStep(plan))).table
        assert table is not None
        return table

    async def build(self) -> TableResult:
        """A whole table."""
        planned = await self.plan()
        if planned.table:
            return planned.table
        assert planned.plan is not None
        await self.convert(planned.plan)
        await self.settle(planned.plan)
        return await self.publish(planned.plan)

    async def both(self) -> TableResult:
        """A whole table of both documents."""
        await self.export(USAGE)
        await self.export(LINES)
        return await self.build()

    @property
    def file(self) -> Path:
        """The table."""
        (file,) = self.bench.folder.glob("focus/*/*/*.parquet")
        return file

    @property
    def description(self) -> Any:
        """What stands beside it."""
        return json.loads(self.file.with_name(f"_{INVOICE}.json").read_text())

    def blobs(self, dataset_folder: str) -> list[Path]:
        """The landed blobs."""
        return sorted(self.bench.folder.glob(f"{dataset_folder}/*/*/*/version=*/*.json.gz"))

    def by_hand(self, folder: Path) -> bytes:
        """The bytes of the table that is made in one go of what has landed."""
        folder.mkdir()
        usage, lines = self.blobs("billed_usage"), self.blobs("billed_reconciliation")
        tabulate(usage or None, lines or None, folder / "table.parquet")
        return (folder / "table.parquet").read_bytes()
