"""Puts a table together, and in its place, as long as it is made of what is current."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from activities.door import JsonObject, activity_of_run
from activities.fetching import fetch_parts
from activities.settle_table import SETTLED, TOTALS
from activities.tabulating import USAGE, Making, TableBlob, engine_turn, sweep_parts, table_result, temporary_folder
from clients.process import clients
from failures import Incomplete, InputsChanged
from landing.json_files import json_object
from landing.layout import about_invoice
from landing.publishing import built_table, publish, published
from messages.names import PUBLISH_TABLE
from messages.tables import PublishAnswer, TableResult, TableStep
from tables.arrange import arrange, currencies

TIMES_PARTS = 3
"""Room that arranging needs in the temporary folder: the parts, the same in order, and the table."""


@activity_of_run(PUBLISH_TABLE)
async def publish_table(message: JsonObject) -> JsonObject:
    """`PublishAnswer` to a `TableStep`."""
    making = Making(await clients(), TableStep.from_json(message).plan)
    described = await published(making.using.zone, making.place)
    if described and described.get("version") == making.plan.version:
        return PublishAnswer(table=table_result(described)).to_json()
    async with engine_turn(making.using) as is_free:
        if not is_free:
            return PublishAnswer(busy=True).to_json()
        table = await _publish(making)
    await sweep_parts(making.using, making.work)
    return PublishAnswer(table=table).to_json()


async def _publish(making: Making) -> TableResult:
    zone, plan = making.using.zone, making.plan
    totals = json_object(await zone.read(f"{making.work.path}/{TOTALS}"))
    if not totals:
        raise Incomplete("What the table comes to has been removed meanwhile.")
    blobs = await making.blobs_of(USAGE) or []
    with temporary_folder(TIMES_PARTS * await _length_of(making, blobs)) as folder:
        parts = await fetch_parts(making.using, blobs, (".parquet",), folder)
        if await making.work.has(SETTLED):
            parts.append(await making.work.fetch(SETTLED, folder))
        file = folder / "table.parquet"
        await asyncio.to_thread(arrange, parts, file)
        table = built_table(file, await _description(making, file, totals))

        async def is_current() -> bool:
            return await making.invoice.inputs() == plan.inputs

        if not await publish(zone, making.place, table, is_current):
            raise InputsChanged(f"What landed of the invoice {plan.invoice_id} was replaced while its table was made.")
    return table_result(table.description)


async def _description(making: Making, file: Path, totals: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of the table beside it: `invoice` is what Partner Center says."""
    plan = making.plan
    about = json_object(await making.using.zone.read(about_invoice(plan.invoice_id)))
    billed_in = await asyncio.to_thread(currencies, file)
    return {
        "invoiceId": plan.invoice_id,
        "month": plan.month,
        "version": plan.version,
        "inputs": plan.inputs,
        "invoice": {"total": about.get("total"), "currency": about.get("currency")},
        "currency": ", ".join(billed_in) or None,
        **totals,
    }


async def _length_of(making: Making, blobs: Sequence[TableBlob]) -> int:
    """The bytes of all files of parts, and of the settled rows."""
    folders = {blob.work for blob in blobs} | {making.work}
    return sum([landed.length for work in folders async for landed in making.using.zone.list(work.path)])
