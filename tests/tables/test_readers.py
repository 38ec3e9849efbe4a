"""The tools that people open a table with read the same amounts from it."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas
import polars
import pyarrow.compute
import pyarrow.parquet
import pytest

from tables.table import tabulate
from tests.tables.ledger import Exports, landed


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Exports:
    """A month of which a table is made."""
    return landed(tmp_path_factory.mktemp("landed"), rows=300)


@pytest.fixture(scope="module")
def table(exports: Exports, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table."""
    path = tmp_path_factory.mktemp("focus") / "table.parquet"
    tabulate(exports.usage, exports.lines, path)
    return path


def _by_duckdb(table: Path) -> object:
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT sum(BilledCost) FROM '{table}'").fetchall()[0][0]  # noqa: S608


def _by_pyarrow(table: Path) -> object:
    return pyarrow.compute.sum(pyarrow.parquet.read_table(table)["BilledCost"]).as_py()


def _by_polars(table: Path) -> object:
    return polars.read_parquet(table)["BilledCost"].sum()


def _by_pandas(table: Path) -> object:
    return pandas.read_parquet(table)["BilledCost"].sum()


@pytest.mark.parametrize("total", [_by_duckdb, _by_pyarrow, _by_polars, _by_pandas])
def test_every_reader_comes_to_the_invoices_total(
    total: Callable[[Path], object], table: Path, exports: Exports
) -> None:
    """As a decimal number, to the last digit."""
    read = total(table)
    assert isinstance(read, Decimal)
    assert read == exports.total
