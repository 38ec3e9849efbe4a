"""Puts one file of a table together, and in its place; with the last one the table is published."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePath
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
from landing.json_files import json_bytes, json_object
from landing.layout import about_invoice
from landing.publishing import TableFile, complete, replace_file
from messages.names import PUBLISH_TABLE
from messages.tables import PublishAnswer, TableResult, TableStep

if TYPE_CHECKING:
    from tables.arrange import Contents

TIMES_PARTS = 3
"""Room that arranging needs in the temporary folder: the parts, the same in order, and the file."""


@activity_of_run(PUBLISH_TABLE)
async def publish_table(message: JsonObject) -> JsonObject:
    """`PublishAnswer` to a `TableStep`."""
    step = TableStep.from_json(message)
    making = Making(await clients(), step.plan)
    async with engine_turn(making.using) as is_free:
        if not is_free:
            return PublishAnswer(busy=True).to_json()
        table = await standing_table(making) or await _publish(making, step.file)
    if table:
        await sweep_parts(making.using, making.work)
    return PublishAnswer(table=table).to_json()


async def _publish(making: Making, index: int) -> TableResult | None:
    settled = await making.work.read(SETTLEMENT, TOTALS)
    count = len(settled["files"])
    path = making.place.files(count)[index]
    await _replace(making, path, settled["files"][index], settled["columns"])
    return await _complete(making, settled) if index == count - 1 else None


async def _replace(making: Making, path: str, wanted: Mapping[str, Any], columns: Sequence[str]) -> None:
    """Puts a file in its place that is as settled, and keeps what is said of it."""
    from tables.arrange import arrange, read_back

    names = wanted["parts"]
    blobs = [blob for blob in await making.blobs_of(USAGE) or () if f"{blob.name}.parquet" in names]
    with temporary_folder(TIMES_PARTS * await _length_of(making, blobs, names)) as folder:
        parts = await fetch_parts(making.using, blobs, (".parquet",), folder)
        if SETTLED in names:
            parts += await making.work.fetch(SETTLEMENT, [SETTLED], folder)
        file = folder / PurePath(path).name
        await asyncio.to_thread(arrange, parts, file, columns=columns)
        contents = await asyncio.to_thread(read_back, file)
        _require_settled(contents, wanted)
        if not await replace_file(making.using.zone, path, file, making.is_current):
            raise _changed(making)
        said = file.with_suffix(".json")
        told = {"file": TableFile.of(file, contents.total.rows).to_json(), "currencies": contents.currencies}
        said.write_bytes(json_bytes(told))
        await making.work.keep(file.stem, [said])


async def _complete(making: Making, settled: Mapping[str, Any]) -> TableResult:
    """Says what the whole table comes to, beside it: `invoice` is what Partner Center says."""
    zone, plan = making.using.zone, making.plan
    names = [PurePath(path).stem for path in making.place.files(len(settled["files"]))]
    told = [await making.work.read(name, f"{name}.json") for name in names]
    about = json_object(await zone.read(about_invoice(plan.invoice_id)))
    description = {
        "invoiceId": plan.invoice_id,
        "month": plan.month,
        "version": plan.version,
        "inputs": plan.inputs,
        "invoice": {"total": about.get("total"), "currency": about.get("currency")},
        "currency": ", ".join(sorted({currency for one in told for currency in one["currencies"]})) or None,
        **settled["table"],
        "files": [one["file"] for one in told],
    }
    if not await complete(zone, making.place, description, making.is_current):
        raise _changed(making)
    return table_result(description)


def _require_settled(contents: "Contents", wanted: Mapping[str, Any]) -> None:
    """Returns only if the file has what was settled.

    Raises:
        Incomplete: if it has not.
    """
    from tables.sums import amount_text

    found = {"rows": contents.total.rows, "billedCost": amount_text(contents.total.billed)}
    if found != {name: wanted[name] for name in found}:
        raise Incomplete(f"The file that was put together has {found}, which is not what was settled.")


def _changed(making: Making) -> InputsChanged:
    return InputsChanged(f"What landed of the invoice {making.plan.invoice_id} was replaced while its table was made.")


async def _length_of(making: Making, blobs: Sequence[TableBlob], names: Collection[str]) -> int:
    """The bytes of the parts of these names, which are those of the blobs, or the settled rows."""
    folders = {blob.work for blob in blobs} | {making.work}
    landed = [one for work in folders async for one in making.using.zone.list(work.path)]
    return sum(one.length for one in landed if one.path.rpartition("/")[2] in names)
