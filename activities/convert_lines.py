"""Converts blobs of lines into parts of a table, one after the other for one slice of time, and says how far it got."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from activities.door import JsonObject, activity_of_run
from activities.tabulating import USAGE, Making, TableBlob, engine_turn, temporary_folder
from clients.process import clients
from failures import Incomplete, UnreadableLines
from landing.inputs import InputBlob
from landing.work import Fetched, fetch
from messages.names import CONVERT_LINES
from messages.tables import ConvertAnswer, ConvertOrder

if TYPE_CHECKING:
    from tables.convert import Found

TIMES_A_BLOB = 4
"""Room that a blob needs in the temporary folder: itself, a plainer copy, and the parts made of it."""


@activity_of_run(CONVERT_LINES)
async def convert_lines(message: JsonObject) -> JsonObject:
    """`ConvertAnswer` to a `ConvertOrder`."""
    order = ConvertOrder.from_json(message)
    using = await clients()
    end = time.monotonic() + using.settings.copy_slice_seconds
    async with engine_turn(using) as is_free:
        if not is_free:
            return ConvertAnswer(busy=True, next=order.start).to_json()
        reached, read = order.start, 0
        # Time is looked at after a blob, not before: every slice gets further, however short it is.
        for blob in (await Making(using, order.plan).blobs())[order.start :]:
            read += await _convert(blob)
            reached += 1
            if time.monotonic() >= end:
                break
    return ConvertAnswer(next=reached, bytes=read).to_json()


async def _convert(blob: TableBlob) -> int:
    """Makes the blob's part, unless it is there: the bytes that were read for it."""
    # Here, as wherever rows are made: an app that copies should not wait for what only tables need.
    from tables.convert import convert, keep_lines

    if await blob.work.has(blob.name):
        return 0
    with temporary_folder(TIMES_A_BLOB * blob.blob.length) as folder, _saying_where_it_is(blob.blob):
        source = folder / blob.blob.path.rpartition("/")[2]
        _require_same(await fetch(blob.work.zone, blob.blob.path, source), blob.blob)
        parts = folder / "parts"
        parts.mkdir()
        rows = parts / f"{blob.name}.parquet"
        found = await asyncio.to_thread(convert if blob.dataset == USAGE else keep_lines, source, rows)
        await blob.work.keep(blob.name, _files(rows, found))
    return blob.blob.length


@contextmanager
def _saying_where_it_is(blob: InputBlob) -> Iterator[None]:
    """Both documents of an invoice have blobs, in all their versions: whoever is to remove one must find it."""
    try:
        yield
    except (UnreadableLines, Incomplete) as failure:
        failure.message += f" It is in {blob.path.rpartition('/')[0]}."
        raise


def _files(rows: Path, found: "Found") -> list[Path]:
    """The part's files."""
    from tables.convert import UsagePart

    beside = rows.with_suffix(".found.json")
    found.write(beside)
    part = UsagePart(rows)
    return [file for file in (rows, part.keys, part.sums, beside) if file.exists()]


def _require_same(fetched: Fetched, blob: InputBlob) -> None:
    """Returns only if what was read is what was committed.

    Raises:
        Incomplete: if it is not.
    """
    if fetched.length != blob.length or blob.md5 not in (None, fetched.md5):
        raise Incomplete(f"The blob {blob.path.rpartition('/')[2]!r} is not the one that was committed.")
