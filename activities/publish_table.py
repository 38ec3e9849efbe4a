"""Puts a table together, and in its place, as long as it is made of what is current."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from activities.door import JsonObject, activity_of_run
from activities.fetching import fetch_parts
from activities.settle_table import SETTLED, SETTLEMENT, TOTALS
from activities.tabulating import (
    USAGE,
    Making,
    TableBlob,
    engine_turn,
    standing_table,
    sweep_parts,
    table_result,
    temporary_folder,
)
from clients.process import clients
from failures import Incomplete, InputsChanged
from landing.json_files import json_object
from landing.layout import about_invoice
from landing.publishing import built_table, publish
from messages.names import PUBLISH_TABLE
from messages.tables import PublishAnswer, TablePlan, TableResult, TableStep

if TYPE_CHECKING:
    from tables.arrange import Contents

TIMES_PARTS = 3
"""Room that arranging needs in the temporary folder: the parts, the same in order, and the table."""


@activity_of_run(PUBLISH_TABLE)
async def publish_table(message: JsonObject) -> JsonObject:
    """`PublishAnswer` to a `TableStep`."""
    making = Making(await clients(), TableStep.from_json(message).plan)
    async with engine_turn(making.using) as is_free:
        if not is_free:
            return PublishAnswer(busy=True).to_json()
        table = await standing_table(making) or await _publish(making)
    await sweep_parts(making.using, making.work)
    return PublishAnswer(table=table).to_json()


async def _publish(making: Making) -> TableResult:
    from tables.arrange import arrange

    blobs = await making.blobs_of(USAGE) or []
    with temporary_folder(TIMES_PARTS * await _length_of(making, blobs)) as folder:
        (about,) = await making.work.fetch(SETTLEMENT, [TOTALS], folder)
        totals = json.loads(about.read_bytes())
        parts = await fetch_parts(making.using, blobs, (".parquet",), folder)
        if "charged" in totals:
            parts += await making.work.fetch(SETTLEMENT, [SETTLED], folder)
        file = folder / "table.parquet"
        await asyncio.to_thread(arrange, parts, file)
        return await _replace(making, file, totals)


async def _replace(making: Making, file: Path, totals: Mapping[str, Any]) -> TableResult:
    from tables.arrange import read_back

    zone, plan = making.using.zone, making.plan
    contents = await asyncio.to_thread(read_back, file)
    _require_totals(contents, totals)
    about = json_object(await zone.read(about_invoice(plan.invoice_id)))
    table = built_table(file, _description(plan, about, contents, totals))

    async def is_current() -> bool:
        return await making.invoice.inputs() == plan.inputs

    if not await publish(zone, making.place, table, is_current):
        raise InputsChanged(f"What landed of the invoice {plan.invoice_id} was replaced while its table was made.")
    return table_result(table.description)


def _require_totals(contents: "Contents", totals: Mapping[str, Any]) -> None:
    """Returns only if the file has what was settled.

    Raises:
        Incomplete: if it has not.
    """
    from tables.sums import amount_text

    found = {"rows": contents.total.rows, "billedCost": amount_text(contents.total.billed)}
    if found != {name: totals[name] for name in found}:
        raise Incomplete(f"The table that was put together has {found}, which is not what was settled.")


def _description(
    plan: TablePlan, about: Mapping[str, Any], contents: "Contents", totals: Mapping[str, Any]
) -> dict[str, Any]:
    """What is said of the table beside it: `invoice` is what Partner Center says."""
    return {
        "invoiceId": plan.invoice_id,
        "month": plan.month,
        "version": plan.version,
        "inputs": plan.inputs,
        "invoice": {"total": about.get("total"), "currency": about.get("currency")},
        "currency": ", ".join(contents.currencies) or None,
        **totals,
    }


async def _length_of(making: Making, blobs: Sequence[TableBlob]) -> int:
    """The bytes of all files of parts, and of the settled rows."""
    folders = {blob.work for blob in blobs} | {making.work}
    return sum([landed.length for work in folders async for landed in making.using.zone.list(work.path)])
