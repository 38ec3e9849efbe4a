"""Which rows, and which sums, does one blob give?"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from tables.attributes import RECONCILIATION, USAGE
from tables.engine import engine
from tables.keys import SUMS_OF_ROWS
from tables.lines import Lines, understand
from tables.mapping import load_lookups, usage_rows
from tables.parquet import IN_ORDER, MOST_AT_ONCE, PART_ROW_GROUP, write_parquet
from tables.sql import path_literal
from tables.sums import summed


@dataclass(frozen=True)
class UsagePart:
    """A blob of daily usage as rows; beside them, in files of the same name, the sums of each key, and all others."""

    rows: Path

    @property
    def keys(self) -> Path:
        """Parquet: the sums by subscription (Azure plan), product, SKU and availability."""
        return self.rows.with_suffix(".keys.parquet")

    @property
    def sums(self) -> Path:
        """JSON: all other sums, and what was found in the blob."""
        return self.rows.with_suffix(".json")


@dataclass(frozen=True)
class Found:
    """What was found in blobs besides rows: the keys as spelled, those that have no column, amounts cut short.

    `columns` are those of unknown keys.
    """

    keys: frozenset[str]
    columns: frozenset[str]
    uncarried: frozenset[str]
    rounded: int

    def write(self, path: Path) -> None:
        """Puts it into a JSON file."""
        names = {name: sorted(getattr(self, name)) for name in ("keys", "columns", "uncarried")}
        path.write_text(json.dumps(names | {"rounded": self.rounded}), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Self:
        """What was put into the file."""
        found = json.loads(path.read_text(encoding="utf-8"))
        keys, columns, uncarried = (frozenset(found[name]) for name in ("keys", "columns", "uncarried"))
        return cls(keys, columns, uncarried, found["rounded"])


def convert(blob: Path, rows: Path) -> Found:
    """Writes the rows of a blob of daily usage to a Parquet file, sorted by customer, and the sums beside it.

    The same blob makes the same bytes.

    Raises:
        UnreadableLines: with blob, line number and fault.
        InexactEngine: when this DuckDB loses digits.
    """
    part = UsagePart(rows)
    with TemporaryDirectory(dir=rows.parent) as folder, engine(Path(folder)) as connection:
        load_lookups(connection)
        lines = understand(connection, blob, USAGE, Path(folder))
        mapped = usage_rows(lines.select(), lines.unknown)
        # A larger blob stays in its own order: it is sorted, some customers at a time, when the table is put together.
        order = IN_ORDER if lines.count <= MOST_AT_ONCE else ""
        write_parquet(connection, f"{mapped} {order}", rows, PART_ROW_GROUP)
        write_parquet(connection, SUMS_OF_ROWS.format(rows=path_literal(rows)), part.keys, PART_ROW_GROUP)
        summed(connection, rows).write(part.sums)
    return _found(lines)


def keep_lines(blob: Path, rows: Path) -> Found:
    """Writes the lines of a blob of reconciliation to a Parquet file, attribute by attribute, in their order.

    Raises:
        UnreadableLines: with blob, line number and fault.
        InexactEngine: when this DuckDB loses digits.
    """
    with TemporaryDirectory(dir=rows.parent) as folder, engine(Path(folder)) as connection:
        lines = understand(connection, blob, RECONCILIATION, Path(folder))
        write_parquet(connection, lines.select(), rows, PART_ROW_GROUP)
    return _found(lines)


def found_in_all(found: Iterable[Found]) -> Found:
    """What was found in several blobs."""
    all_found = list(found)
    return Found(
        frozenset().union(*(one.keys for one in all_found)),
        frozenset().union(*(one.columns for one in all_found)),
        frozenset().union(*(one.uncarried for one in all_found)),
        sum(one.rounded for one in all_found),
    )


def _found(lines: Lines) -> Found:
    return Found(frozenset(lines.keys.values()), frozenset(lines.unknown), frozenset(lines.uncarried), lines.rounded)
