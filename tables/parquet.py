"""How are rows written, and read again?"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tables.sql import path_list, text_literal

if TYPE_CHECKING:
    import duckdb

MOST_AT_ONCE = 125_000
"""Rows that are sorted in memory at once."""

PART_ROW_GROUP = 4096
"""Small, so that who reads some customers of a part skips most of it."""

IN_ORDER = "ORDER BY x_CustomerId NULLS FIRST, SubAccountId, ChargePeriodStart, ChargeCategory"


def write_parquet(connection: "duckdb.DuckDBPyConnection", query: str, target: Path, row_group: int) -> None:
    """Writes a query's rows, in its order, to a Parquet file."""
    connection.execute(
        f"COPY ({query}) TO {text_literal(str(target))} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {row_group})"
    )


def rows_of(files: Sequence[Path], types: Mapping[str, str]) -> str:
    """SQL: what some files hold, one after the other; no rows of these columns, where there is no file."""
    if files:
        return f"read_parquet({path_list(files)}, union_by_name = true)"
    return f"(SELECT {', '.join(f'NULL::{type_} AS {name}' for name, type_ in types.items())} LIMIT 0)"
