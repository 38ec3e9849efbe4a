"""Exports and tables of one invoice, activity by activity."""

import json
from dataclasses import replace
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
    InvoiceAnswer,
    InvoiceOrder,
    PlanAnswer,
    PlanOrder,
    PublishAnswer,
    SettleAnswer,
    TablePlan,
    TableResult,
    TableStep,
)
from tables.table import ROWS_A_FILE, tabulate
from tests.activities.conftest import Bench, call

INVOICE = "G016907411"
USAGE, LINES = "billedUsage", "billedReconciliation"


class Tabling:
    """Exports and tables of one invoice on a bench; a file of a table has at most so many rows (`rows_a_file`)."""

    def __init__(self, bench: Bench, rows_a_file: int = ROWS_A_FILE) -> None:
        self.bench = bench
        self.rows_a_file = rows_a_file

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
        planned = PlanAnswer.from_json(await call(PLAN_TABLE, PlanOrder(INVOICE, month)))
        return replace(planned, plan=planned.plan and replace(planned.plan, rows_a_file=self.rows_a_file))

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

    async def settle(self, plan: TablePlan) -> int:
        """Settles: how many files there will be."""
        return SettleAnswer.from_json(await call(SETTLE_TABLE, TableStep(plan))).files

    async def publish_file(self, plan: TablePlan, file: int) -> TableResult | None:
        """Publishes one file."""
        return PublishAnswer.from_json(await call(PUBLISH_TABLE, TableStep(plan, file=file))).table

    async def publish(self, plan: TablePlan, files: int = 1) -> TableResult:
        """Publishes."""
        tables = [await self.publish_file(plan, file) for file in range(files)]
        assert tables[-1] is not None
        return tables[-1]

    async def build(self) -> TableResult:
        """A whole table."""
        planned = await self.plan()
        if planned.table:
            return planned.table
        assert planned.plan is not None
        await self.convert(planned.plan)
        return await self.publish(planned.plan, await self.settle(planned.plan))

    async def both(self) -> TableResult:
        """A whole table of both documents."""
        await self.export(USAGE)
        await self.export(LINES)
        return await self.build()

    @property
    def file(self) -> Path:
        """The table."""
        (file,) = self.files
        return file

    @property
    def files(self) -> list[Path]:
        """The table, in one file or several."""
        return sorted(self.bench.folder.glob("focus/*/*/*.parquet"))

    @property
    def description(self) -> Any:
        """What stands beside it."""
        (description,) = self.bench.folder.glob(f"focus/*/*/_{INVOICE}.json")
        return json.loads(description.read_text())

    def blobs(self, dataset_folder: str) -> list[Path]:
        """The landed blobs."""
        return sorted(self.bench.folder.glob(f"{dataset_folder}/*/*/*/version=*/*.json.gz"))

    def by_hand(self, folder: Path) -> bytes:
        """The bytes of the table that is made in one go of what has landed."""
        folder.mkdir()
        usage, lines = self.blobs("billed_usage"), self.blobs("billed_reconciliation")
        tabulate(usage or None, lines or None, folder / "table.parquet")
        return (folder / "table.parquet").read_bytes()
