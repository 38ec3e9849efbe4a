"""What is timed of tables, in a process that has little else in its memory."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from bench.parquet_writers import whole_by_duckdb
from tables.convert import convert
from tables.table import tabulate


@dataclass(frozen=True)
class Exports:
    """The blobs of an invoice, and what it comes to."""

    usage: Sequence[Path]
    lines: Sequence[Path]
    total: Decimal


Way = Callable[[Exports, Path], list[float]]
"""Does its work in a folder; the CPU seconds of its steps."""


def in_turns(exports: Exports, folder: Path) -> list[float]:
    """A bare COPY and a conversion of each blob, one after the other."""
    steps = []
    for index, blob in enumerate(exports.usage):
        steps.append(_cpu(whole_by_duckdb, blob, folder / "copied.parquet"))
        steps.append(_cpu(convert, blob, folder / f"{index}.parquet"))
    return steps


def whole(exports: Exports, folder: Path) -> list[float]:
    """The table of the invoice.

    Raises:
        RuntimeError: when it does not come to what the invoice does.
    """
    began = time.process_time()
    table = tabulate(exports.usage, exports.lines, folder / "table.parquet")
    taken = time.process_time() - began
    if table.sums.total.billed != exports.total:
        raise RuntimeError(f"The table comes to {table.sums.total.billed}, the invoice to {exports.total}.")
    return [taken]


def plainly(write: Callable[[Path, Path], None], exports: Exports, folder: Path) -> list[float]:
    """One Parquet file of each blob."""
    return [_cpu(write, blob, folder / f"{index}.parquet") for index, blob in enumerate(exports.usage)]


def _cpu(write: Callable[[Path, Path], object], blob: Path, target: Path) -> float:
    began = time.process_time()
    write(blob, target)
    return time.process_time() - began


def with_peak(way: Way, exports: Exports, folder: Path) -> tuple[list[float], int]:
    """What the way returns, and the most bytes that this process has ever had in memory at once (Linux)."""
    steps = way(exports, folder)
    (kib,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return steps, int(kib) * 1024
