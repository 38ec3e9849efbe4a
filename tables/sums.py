"""What does a file of rows come to, in all and by customer, subscription, service and day?"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal, localcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tables.columns import COLUMNS
from tables.sql import path_literal

if TYPE_CHECKING:
    import duckdb

EXACT = Context(prec=60)
"""Sums of DECIMAL(38,18) keep all their digits, whatever the precision of the program around."""

DIMENSIONS: Mapping[str, tuple[str, ...]] = {
    "customers": ("x_CustomerId", "x_CustomerName"),
    "subscriptions": ("SubAccountId", "SubAccountName"),
    "services": ("ServiceCategory", "ServiceName"),
    "categories": ("ChargeCategory", "x_ChargeType"),
    "days": ("ChargePeriodStart",),
}
"""What rows are summed by, each for itself: their product would be as long as the table."""

_COUNTED = {
    "withoutAmount": "BilledCost IS NULL",
    "withoutCustomer": "x_CustomerId IS NULL",
    "otherService": "ServiceCategory = 'Other'",
    "unknownRegion": "RegionId IS NOT NULL AND RegionId = RegionName",
    "unknownUnit": "x_PricingUnitDescription IS NOT NULL AND x_PricingBlockSize IS NULL",
    "tagsThatAreNoFlatJson": "x_Tags IS NOT NULL",
}

Key = tuple[str | None, ...]


@dataclass(frozen=True)
class Sum:
    """How many rows, and what they come to."""

    rows: int = 0
    billed: Decimal = Decimal(0)

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(self.rows + other.rows, EXACT.add(self.billed, other.billed))


@dataclass(frozen=True)
class Sums:
    """What rows come to.

    `by` has the sums of each dimension. `nulls` counts, for each column, the rows that have none. `counted` counts what
    is odd about rows.
    """

    total: Sum = Sum()
    by: Mapping[str, Mapping[Key, Sum]] = field(default_factory=dict)
    nulls: Mapping[str, int] = field(default_factory=dict)
    counted: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: "Sums") -> "Sums":
        by = {name: _added(self.by.get(name, {}), other.by.get(name, {}), Sum()) for name in DIMENSIONS}
        return Sums(
            self.total + other.total, by, _added(self.nulls, other.nulls, 0), _added(self.counted, other.counted, 0)
        )

    def to_json(self) -> dict[str, Any]:
        """Amounts are texts with all their digits; each dimension is a list in the order of its keys."""
        return {
            "rows": self.total.rows,
            "billedCost": amount_text(self.total.billed),
            "counted": dict(sorted(self.counted.items())),
            **{
                name: [
                    {column: value for column, value in zip(columns, key, strict=True) if value is not None}
                    | {"rows": one.rows, "billedCost": amount_text(one.billed)}
                    for key, one in sorted(self.by.get(name, {}).items(), key=_in_order)
                ]
                for name, columns in DIMENSIONS.items()
            },
            "nulls": dict(sorted(self.nulls.items())),
        }

    @classmethod
    def from_json(cls, text: Mapping[str, Any]) -> Self:
        """What `to_json` has made text of."""
        by = {
            name: {tuple(one.get(column) for column in columns): _sum_of(one) for one in text[name]}
            for name, columns in DIMENSIONS.items()
        }
        return cls(_sum_of(text), by, text["nulls"], text["counted"])

    def write(self, path: Path) -> None:
        """Puts them beside the rows."""
        path.write_text(json.dumps(self.to_json(), ensure_ascii=False, separators=(",", ":")), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Self:
        """What was put beside the rows."""
        return cls.from_json(json.loads(path.read_text(encoding="utf-8")))


def summed(connection: "duckdb.DuckDBPyConnection", rows: Path) -> Sums:
    """The sums of a Parquet file that has the table's columns."""
    source = f"read_parquet({path_literal(rows)})"
    by = {name: _summed_by(connection, source, columns) for name, columns in DIMENSIONS.items()}
    conditions = ", ".join(f"count(*) FILTER ({condition})" for condition in _COUNTED.values())
    found = connection.execute(
        f"SELECT count(*), coalesce(sum(BilledCost), 0), {conditions} FROM {source}"  # noqa: S608
    ).fetchone()
    assert found is not None  # noqa: S101  # an aggregate has a row
    count, billed, *counts = found
    counted = dict(zip(_COUNTED, counts, strict=True))
    nulls = _nulls(connection, rows)
    return Sums(Sum(count, billed), by, nulls, counted)


def amount_text(amount: Decimal) -> str:
    """An amount with all its digits, without an exponent, and at least two decimals."""
    with localcontext(EXACT):
        short = amount.normalize()
        exponent = short.as_tuple().exponent
        is_short = isinstance(exponent, int) and exponent > -2
        return f"{short.quantize(Decimal('0.01')) if is_short else short:f}"


def _nulls(connection: "duckdb.DuckDBPyConnection", rows: Path) -> dict[str, int]:
    """The rows without a value, by column: the file's own statistics say it, and nothing has to be read."""
    found = connection.execute(
        f"SELECT path_in_schema, sum(stats_null_count)::BIGINT FROM parquet_metadata({path_literal(rows)}) GROUP BY ALL"  # noqa: S608
    ).fetchall()
    counts = dict(found)
    return {column.name: counts.get(column.name, 0) for column in COLUMNS}


def _summed_by(connection: "duckdb.DuckDBPyConnection", source: str, columns: tuple[str, ...]) -> dict[Key, Sum]:
    names = ", ".join(f"{column}::VARCHAR" for column in columns)
    found = connection.execute(
        f"SELECT {names}, count(*), coalesce(sum(BilledCost), 0) FROM {source} GROUP BY ALL"  # noqa: S608
    ).fetchall()
    return {tuple(key): Sum(rows, billed) for *key, rows, billed in found}


def _added(some: Mapping[Any, Any], others: Mapping[Any, Any], nothing: Any) -> dict[Any, Any]:
    return {key: some.get(key, nothing) + others.get(key, nothing) for key in [*some, *others]}


def _in_order(item: tuple[Key, Sum]) -> tuple[str, ...]:
    return tuple(value or "" for value in item[0])


def _sum_of(text: Mapping[str, Any]) -> Sum:
    return Sum(text["rows"], Decimal(text["billedCost"]))
