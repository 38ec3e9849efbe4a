"""Settles daily usage with reconciliation: the rows that lie between them, and what the whole table comes to."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from activities.door import JsonObject, activity_of_run
from activities.fetching import fetch_parts
from activities.tabulating import LINES, USAGE, Making, engine_turn, temporary_folder
from clients.process import clients
from landing.json_files import json_bytes
from messages.names import SETTLE_TABLE
from messages.tables import SettleAnswer, TableStep

if TYPE_CHECKING:
    from tables.convert import Found
    from tables.table import Parts

T = TypeVar("T")

SETTLEMENT = "settlement"
"""The part that this step makes."""

SETTLED = "settled.parquet"
"""The rows that reconciliation adds."""

TOTALS = "totals.json"
"""What the table comes to, and which parts go into which of its files."""


@activity_of_run(SETTLE_TABLE)
async def settle_table(message: JsonObject) -> JsonObject:
    """`SettleAnswer` to a `TableStep`."""
    making = Making(await clients(), TableStep.from_json(message).plan)
    async with engine_turn(making.using) as is_free:
        if not is_free:
            return SettleAnswer(busy=True).to_json()
        if not await making.work.has(SETTLEMENT):
            await _settle(making)
        settled = await making.work.read(SETTLEMENT, TOTALS)
    return SettleAnswer(files=len(settled["files"])).to_json()


async def _settle(making: Making) -> None:
    from tables.table import Lines, settle_parts

    with temporary_folder(0) as folder:
        usage = await _fetched(making, USAGE, folder, (".keys.parquet", ".json", ".found.json"), _usage)
        lines = await _fetched(making, LINES, folder, (".parquet", ".found.json"), Lines)
        settled = folder / SETTLED
        table = await asyncio.to_thread(
            settle_parts,
            usage,
            lines,
            settled,
            is_without_usage=making.is_without_usage,
            is_reduced=making.is_reduced,
            rows_a_file=making.plan.rows_a_file,
        )
        files = [file.to_json() for file in table.files]
        totals = folder / TOTALS
        totals.write_bytes(
            json_bytes({"table": table.to_json(), "columns": sorted(table.found.columns), "files": files})
        )
        await making.work.keep(SETTLEMENT, [file for file in (settled, totals) if file.exists()])


async def _fetched(
    making: Making, dataset: str, folder: Path, endings: Sequence[str], made: Callable[[Sequence[Path], "Found"], T]
) -> T | None:
    """What is made of the dataset's parts, of which only the files with these endings are fetched."""
    from tables.convert import Found, found_in_all

    blobs = await making.blobs_of(dataset)
    if blobs is None:
        return None
    below = folder / dataset
    below.mkdir()
    await fetch_parts(making.using, blobs, endings, below)
    found = found_in_all(Found.read(below / f"{blob.name}.found.json") for blob in blobs)
    return made([below / f"{blob.name}.parquet" for blob in blobs], found)


def _usage(rows: Sequence[Path], found: "Found") -> "Parts":
    from tables.convert import UsagePart
    from tables.table import Parts

    return Parts([UsagePart(file) for file in rows], found)
