"""What does an invoice's table take, and how much of that is more than an engine's bare work on the same blobs?"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.parquet_writers import PLAIN, plain_by_duckdb, plain_by_polars, plain_by_pyarrow
from bench.report import Goal, Section
from bench.table_work import Exports, Way, in_turns, plainly, whole, with_peak
from local.emulator import EmulatorOptions
from local.emulator.data.books import Books
from local.emulator.data.generator import Generator
from local.emulator.data.invoices import Invoices
from tables.columns import COLUMNS

MB = 1_000_000
MOST_OF_COPY, MOST_OF_COPY_WHOLE = 1.9, 2.8
"""Times the CPU of DuckDB's COPY with the same mapping: converting the blobs, and the whole table."""

MOST_MEMORY, MOST_DISK = 750 * MB, 600 * MB
CUSTOMERS = 300
INVOICE = "G016907411"

_NOW = datetime(2026, 11, 20, tzinfo=UTC)
_LOOKS_A_SECOND = 20


@dataclass(frozen=True)
class Taken:
    """What one way took: CPU seconds, and at most so many bytes of the process's memory and in its folder."""

    cpu: float
    memory: int
    disk: int


def measure(quick: bool) -> Section:
    """The table of a million daily rows in 20 blobs, and in one; each way in a process of its own."""
    rows = 2_000 if quick else 1_000_000
    with TemporaryDirectory() as name:
        folder = Path(name)
        many, large = (_landed(folder / str(blobs), rows, blobs) for blobs in (2 if quick else 20, 1))
        turns, both = _alone(in_turns, many, folder)
        copies, conversions = turns[::2], turns[1::2]
        taken = {
            "DuckDB's COPY, this app's mapping": replace(both, cpu=sum(copies)),
            "this app, blobs to parts": replace(both, cpu=sum(conversions)),
            "this app, whole table": _alone(whole, many, folder)[1],
            "this app, whole table of one blob": _alone(whole, large, folder)[1],
        } | {f"{name}, plain columns": _alone(way, many, folder)[1] for name, way in _PLAIN_WAYS.items()}
    ratio = median(ours / bare for bare, ours in zip(copies, conversions, strict=True))
    return Section(
        "Tables: an invoice's lines as FOCUS rows",
        ("way", "CPU s", "× COPY", "peak memory MB", "temporary disk MB"),
        [_row(name, one, sum(copies)) for name, one in taken.items()],
        _goals(ratio, taken, sum(copies)),
        (f"{rows:,} daily rows in {len(many.usage)} blobs, or in one.", *_NOTES),
    )


def _goals(ratio: float, taken: Mapping[str, Taken], copy: float) -> Sequence[Goal]:
    table, of_one = taken["this app, whole table"], taken["this app, whole table of one blob"]
    memory, disk = (max(getattr(one, what) for one in (table, of_one)) for what in ("memory", "disk"))
    share = table.cpu / copy
    return (
        Goal(
            f"blobs to parts: at most {MOST_OF_COPY} × DuckDB's COPY, median by blob: {ratio:.2f} ×",
            ratio <= MOST_OF_COPY,
        ),
        Goal(f"whole table: at most {MOST_OF_COPY_WHOLE} × DuckDB's COPY: {share:.2f} ×", share <= MOST_OF_COPY_WHOLE),
        Goal(f"memory: at most {MOST_MEMORY // MB} MB: {memory // MB} MB", memory <= MOST_MEMORY),
        Goal(f"temporary disk: at most {MOST_DISK // MB} MB: {disk // MB} MB", disk <= MOST_DISK),
    )


def _row(name: str, one: Taken, copy: float) -> Sequence[str]:
    return (name, f"{one.cpu:.1f}", f"{one.cpu / copy:.2f}", f"{one.memory // MB}", f"{one.disk // MB}")


_NOTES = (
    "One thread. The first two ways take turns, blob by blob, in one process: memory and disk are those of both.",
    f"The plain columns are those that are an attribute as it is: {len(PLAIN)} of {len(COLUMNS)}. "
    "COPY and the other engines check nothing; polars reads amounts through binary fractions, and loses digits.",
    "Temporary disk has the parts and, at the end, the table.",
)


def _landed(folder: Path, rows: int, blobs: int) -> Exports:
    """The blobs of an invoice as the emulator makes them."""
    options = EmulatorOptions(blobs=blobs, rows=rows // blobs, customers=CUSTOMERS)
    books = Books(options, Invoices((INVOICE,), lambda: _NOW), lambda: _NOW)
    bill, generator = books.billed(INVOICE, 0), Generator(blobs)

    def written(dataset: str) -> list[Path]:
        (folder / dataset).mkdir(parents=True)
        for name, blob in generator.export(dataset, [bill], "full").blobs.items():
            with (folder / dataset / name).open("wb") as file:
                file.writelines(blob.pieces())
        return sorted((folder / dataset).iterdir())

    return Exports(written("billedUsage"), written("billedReconciliation"), books.total(INVOICE, 0))


_PLAIN_WAYS: Mapping[str, Way] = {
    "DuckDB's COPY": partial(plainly, plain_by_duckdb),
    "pyarrow.json": partial(plainly, plain_by_pyarrow),
    "polars": partial(plainly, plain_by_polars),
}


def _alone(way: Way, exports: Exports, folder: Path) -> tuple[list[float], Taken]:
    """The CPU seconds of the way's steps, and all that it took, in a process and a folder of its own."""
    with TemporaryDirectory(dir=folder) as name, ProcessPoolExecutor(1, get_context("spawn")) as process:
        working = process.submit(with_peak, way, exports, Path(name))
        disk = 0
        while not working.done():
            disk = max(disk, _bytes_below(Path(name)))
            wait([working], 1 / _LOOKS_A_SECOND)
        steps, memory = working.result()
    return steps, Taken(sum(steps), memory, disk)


def _bytes_below(folder: Path) -> int:
    length = 0
    for path, _, names in os.walk(folder):
        for name in names:
            # It may be gone by now.
            with suppress(FileNotFoundError):
                length += os.path.getsize(os.path.join(path, name))
    return length
