"""How do parts become one file, sorted by customer, in bounded memory?"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tables.columns import COLUMNS
from tables.cut import cut
from tables.engine import engine
from tables.parquet import IN_ORDER, MOST_AT_ONCE, rows_of, write_parquet
from tables.sql import name_of, path_list, text_literal
from tables.sums import Sum

if TYPE_CHECKING:
    import duckdb

_ROW_GROUP = 32_768
# FOCUS allows no row without a cost; how many had none is among the sums.
_WHOLE = "SELECT * REPLACE (coalesce(BilledCost, 0) AS BilledCost, coalesce(EffectiveCost, 0) AS EffectiveCost)"


def arrange(
    parts: Sequence[Path], target: Path, most_at_once: int = MOST_AT_ONCE, *, columns: Collection[str] = ()
) -> int:
    """Writes the rows of some Parquet files to one, sorted by customer, and returns how many they are.

    So many rows are sorted at once; a customer who has more keeps the order of the parts. `columns` are those of
    unknown keys that the table has: a file whose parts have none of it has it too, for readers take files by the first.
    """
    with TemporaryDirectory(dir=target.parent) as folder, engine(Path(folder)) as connection:
        source = rows_of(parts, {column.name: column.type for column in COLUMNS})
        counts: list[tuple[str, int]] = connection.execute(
            f"SELECT coalesce(x_CustomerId, '') AS customer, count(*) FROM {source} GROUP BY customer ORDER BY customer"  # noqa: S608
        ).fetchall()
        pieces = [
            _piece(
                connection, source, customers, is_sorted=rows <= most_at_once, target=Path(folder) / f"{index}.parquet"
            )
            for index, (customers, rows) in enumerate(cut(counts, most_at_once))
        ]
        whole = f"read_parquet({path_list(pieces)})" if pieces else source
        query = f"{_WHOLE}{_nulls(connection, source, columns)} FROM {whole}"
        write_parquet(connection, query, target, _ROW_GROUP)
        return sum(rows for _, rows in counts)


@dataclass(frozen=True)
class Contents:
    """What a table has, as its file says: rows, what they come to, and the currencies that they are billed in."""

    total: Sum
    currencies: tuple[str, ...]


def read_back(table: Path) -> Contents:
    """What is in a table's file."""
    with TemporaryDirectory(dir=table.parent) as folder, engine(Path(folder)) as connection:
        found = connection.execute(
            "SELECT BillingCurrency, count(*), sum(BilledCost) "  # noqa: S608
            f"FROM read_parquet({path_list([table])}) GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    total = sum((Sum(rows, billed) for _, rows, billed in found), start=Sum())
    return Contents(total, tuple(currency for currency, _, _ in found if currency))


def _nulls(connection: "duckdb.DuckDBPyConnection", source: str, columns: Collection[str]) -> str:
    """SQL of those of the columns that the source has not; names that differ in case alone are one."""
    found = connection.execute(f"SELECT * FROM {source} LIMIT 0").description or ()  # noqa: S608
    known = {name.lower() for name, *_ in found}
    others = {name.lower(): name for name in sorted(columns) if name.lower() not in known}
    return "".join(f", NULL::VARCHAR AS {name_of(name)}" for name in others.values())


def _piece(
    connection: "duckdb.DuckDBPyConnection", source: str, customers: list[str], *, is_sorted: bool, target: Path
) -> Path:
    first, last = text_literal(customers[0]), text_literal(customers[-1])
    nobody = "OR x_CustomerId IS NULL" if customers[0] == "" else ""
    order = IN_ORDER if is_sorted else ""
    query = f"SELECT * FROM {source} WHERE x_CustomerId BETWEEN {first} AND {last} {nobody} {order}"  # noqa: S608
    write_parquet(connection, query, target, _ROW_GROUP)
    return target
