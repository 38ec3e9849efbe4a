"""Parts become one file, however large a customer is."""

from pathlib import Path

import duckdb
import pytest

from tables.arrange import arrange
from tables.convert import UsagePart, convert
from tables.csv import write_csv
from tables.sums import Sums
from tests.tables.ledger import landed


@pytest.mark.parametrize("most_at_once", [1, 150, 10_000])
def test_every_row_is_there_once_by_customer(tmp_path: Path, most_at_once: int) -> None:
    """Whether ranges of customers, single ones or all are sorted at once."""
    exports = landed(tmp_path, rows=600, customers=7)
    parts = [UsagePart(tmp_path / f"{index}.parquet") for index in range(len(exports.usage))]
    for blob, part in zip(exports.usage, parts, strict=True):
        convert(blob, part.rows)
    target = tmp_path / "table.parquet"
    assert arrange([part.rows for part in parts], target, most_at_once) == 600
    with duckdb.connect() as connection:
        table = f"read_parquet('{target}')"
        together = f"read_parquet({[str(part.rows) for part in parts]})"
        missing = f"SELECT count(*) FROM ((FROM {together}) EXCEPT ALL (FROM {table}))"  # noqa: S608
        assert connection.execute(missing).fetchall() == [(0,)]
        customers = [one for (one,) in connection.execute(f"SELECT x_CustomerId FROM {table}").fetchall()]  # noqa: S608
    assert customers == sorted(customers, key=lambda one: one or "")
    assert None in customers


def test_sums_are_the_same_when_read_back(tmp_path: Path) -> None:
    """Each amount with all its digits."""
    exports = landed(tmp_path, rows=200)
    part = UsagePart(tmp_path / "part.parquet")
    convert(exports.usage[0], part.rows)
    sums = Sums.read(part.sums)
    assert Sums.from_json(sums.to_json()) == sums
    assert sums.total.rows == 100
    assert (sums + Sums()).to_json() == sums.to_json()


def test_csv_has_no_formulas(tmp_path: Path) -> None:
    """A customer may be called =1+1."""
    table, target = tmp_path / "table.parquet", tmp_path / "table.csv"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT '=1+1' AS a, '-x' AS b, 'x' AS c, -1.5::DECIMAL(38,18) AS d) TO '{table}'")
    write_csv(table, target)
    assert target.read_text() == "a,b,c,d\n'=1+1,'-x,x,-1.500000000000000000\n"
