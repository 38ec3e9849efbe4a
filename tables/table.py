"""How does an invoice's table come about, step by step, on one machine?"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from tables.arrange import arrange
from tables.attributes import USAGE
from tables.convert import Found, UsagePart, convert, found_in_all, keep_lines
from tables.cut import cut
from tables.settle import Settlement, refuse_missing, settle
from tables.sums import Sum, Sums, amount_text

State = Literal["partial", "complete"]
"""`complete`: the rows come to what Microsoft charges. `partial`: one of the two documents is not there."""

ROWS_A_FILE = 3_000_000
"""A table of more rows has several files, of so many at most."""

_COLUMNS_OF_REQUIRED: Mapping[str, str] = {
    "PartnerId": "BillingAccountId",
    "SubscriptionId": "x_SkuOrderId",
    "ProductId": "x_ProductId",
    "SkuId": "x_SkuPartId",
    "UsageDate": "ChargePeriodStart",
    "BillingCurrency": "BillingCurrency",
    "Quantity": "PricingQuantity",
    "BillingPreTaxTotal": "BilledCost",
}
"""The columns that show whether any line of daily usage has what a table needs."""


@dataclass(frozen=True)
class FilePlan:
    """One file of a table: the parts whose rows it has, and what they come to."""

    parts: tuple[Path, ...]
    total: Sum

    def to_json(self) -> dict[str, Any]:
        """The parts by name; the amount is a text with all its digits."""
        parts = [part.name for part in self.parts]
        return {"parts": parts, "rows": self.total.rows, "billedCost": amount_text(self.total.billed)}


@dataclass(frozen=True)
class Table:
    """What a table is: its state, its sums, and how daily rows and reconciliation tie, if both are there.

    `is_reduced` says that one of them came with the basic attributes only. `found` is what else the blobs had. `files`
    says what goes where.
    """

    state: State
    is_reduced: bool
    sums: Sums
    settlement: Settlement | None
    found: Found
    files: tuple[FilePlan, ...]

    def to_json(self) -> dict[str, Any]:
        """Amounts are texts with all their digits."""
        return {
            "state": self.state,
            "reduced": self.is_reduced,
            **(self.settlement.to_json() if self.settlement else {}),
            **self.sums.to_json(),
            "rounded": self.found.rounded,
            "unknownKeys": sorted(self.found.uncarried),
        }


@dataclass(frozen=True)
class Parts:
    """Daily usage as it was converted, blob by blob."""

    parts: Sequence[UsagePart]
    found: Found


@dataclass(frozen=True)
class Lines:
    """Lines of reconciliation as they were kept, blob by blob."""

    rows: Sequence[Path]
    found: Found


def state_of(*, has_usage: bool, has_lines: bool, is_without_usage: bool = False) -> State:
    """What a table can say from what landed. `is_without_usage`: the invoice has none, and never will."""
    return "complete" if has_lines and (has_usage or is_without_usage) else "partial"


def refuse_unknown_usage(sums: Sums, found: Found) -> None:
    """Refuses daily usage of which no line, in any blob, has something that a table needs.

    Raises:
        UnknownShape: with the attributes, and the keys that were found.
    """
    rows = sums.total.rows
    missing = [name for name, column in _COLUMNS_OF_REQUIRED.items() if rows and sums.nulls[column] == rows]
    refuse_missing(USAGE, missing, found.keys)


def tabulate(
    usage: Sequence[Path] | None,
    lines: Sequence[Path] | None,
    target: Path,
    *,
    is_without_usage: bool = False,
    is_reduced: bool = False,
    progress: Callable[[Path], None] = lambda _: None,
) -> Table:
    """Writes the FOCUS table of an invoice, a Parquet file, from the blobs of its exports, where there are exports.

    The same blobs make the same bytes. `progress` is told each blob that has been read.

    Raises:
        UnreadableLines: with blob, line number and fault.
        UnknownShape: when something that every line needs is in none.
        InexactEngine: when this DuckDB loses digits.
    """
    with TemporaryDirectory(dir=target.parent) as folder:
        parts = [UsagePart(Path(folder) / f"usage-{index:05}.parquet") for index in range(len(usage or ()))]
        kept = [Path(folder) / f"lines-{index:05}.parquet" for index in range(len(lines or ()))]
        found_usage = found_in_all(
            _told(progress, blob, convert(blob, part.rows)) for blob, part in zip(usage or (), parts, strict=True)
        )
        found_lines = found_in_all(
            _told(progress, blob, keep_lines(blob, rows)) for blob, rows in zip(lines or (), kept, strict=True)
        )
        settled = Path(folder) / "settled.parquet"
        table = settle_parts(
            None if usage is None else Parts(parts, found_usage),
            None if lines is None else Lines(kept, found_lines),
            settled,
            is_without_usage=is_without_usage,
            is_reduced=is_reduced,
            rows_a_file=sys.maxsize,
        )
        arrange(table.files[0].parts, target)
        return table


def settle_parts(
    usage: Parts | None,
    lines: Lines | None,
    settled: Path,
    *,
    is_without_usage: bool = False,
    is_reduced: bool = False,
    rows_a_file: int = ROWS_A_FILE,
) -> Table:
    """Writes the rows that reconciliation adds, if there is any, and tells what all rows come to.

    Raises:
        UnknownShape: when something that every line needs is in none.
    """
    parts = usage.parts if usage else ()
    found = [one.found for one in (usage, lines) if one]
    sums, totals = Sums(), []
    for part in parts:
        of_part = Sums.read(part.sums)
        sums += of_part
        totals.append((part.rows, of_part.total))
    if usage:
        refuse_unknown_usage(sums, usage.found)
    settlement = None
    if lines:
        keys = [part.keys for part in parts]
        settlement = settle(keys, lines.rows, settled, has_usage=usage is not None, found=lines.found.keys)
        sums += settlement.sums
        totals.append((settled, settlement.sums.total))
    state = state_of(has_usage=usage is not None, has_lines=lines is not None, is_without_usage=is_without_usage)
    return Table(state, is_reduced, sums, settlement, found_in_all(found), files_of(totals, rows_a_file))


def files_of(parts: Iterable[tuple[Path, Sum]], rows_a_file: int) -> tuple[FilePlan, ...]:
    """The files of a table, at least one: parts that follow each other share one, as long as it has room."""
    groups = [group for group, _ in cut(((part, part[1].rows) for part in parts), rows_a_file)]
    return tuple(
        FilePlan(tuple(path for path, _ in group), sum((total for _, total in group), start=Sum()))
        for group in groups or [[]]
    )


def _told(progress: Callable[[Path], None], blob: Path, found: Found) -> Found:
    progress(blob)
    return found
