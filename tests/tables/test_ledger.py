"""The table of an invoice comes to what Microsoft charges, and what does not tie is found and named."""

import gzip
import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from local.emulator.data.differences import Difference
from local.emulator.data.events import Event
from tables.table import Table, tabulate
from tests.tables.ledger import Exports, landed

SEEDS = 20
NOTHING = (0, Decimal(0))


def _table(exports: Exports, folder: Path) -> Table:
    return tabulate(exports.usage, exports.lines, folder / "table.parquet")


def _rows(folder: Path, columns: str, where: str = "true") -> list[Any]:
    query = f"SELECT {columns} FROM '{folder / 'table.parquet'}' WHERE {where}"  # noqa: S608
    with duckdb.connect() as connection:
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("first", range(0, SEEDS, 5))
def test_a_month_comes_to_the_invoices_total_and_nothing_is_unexplained(tmp_path: Path, first: int) -> None:
    """Of every partner, whatever is sold and credited; each difference between the two documents is rounding."""
    for seed in range(first, first + 5):
        folder = tmp_path / str(seed)
        exports = landed(folder, seed=seed, rows=20 + 7 * (seed % 10), blobs=1, customers=1 + seed % 6)
        table = _table(exports, folder)
        assert table.state == "complete"
        assert table.settlement is not None
        assert (table.sums.total.billed, table.settlement.charged) == (exports.total, exports.total)
        assert table.settlement.unexplained == NOTHING
        assert not table.settlement.differences
        assert _rows(folder, "sum(BilledCost), count(*)") == [(exports.total, table.sums.total.rows)]


@pytest.mark.parametrize("difference", ["hidden-line", "doubled-line", "dropped-day", "shifted-rate"])
@pytest.mark.parametrize("seed", range(5))
def test_a_difference_between_the_documents_is_unexplained(tmp_path: Path, difference: Difference, seed: int) -> None:
    """With the key that it is about; the rows still come to what the lines charge."""
    exports = landed(tmp_path, seed=seed, rows=400, differences=(difference,))
    table = _table(exports, tmp_path)
    assert table.settlement is not None
    count, size = table.settlement.unexplained
    assert count > 0
    assert size > 0
    assert table.sums.total.billed == table.settlement.charged
    largest = table.settlement.differences[0]
    assert largest["x_SkuOrderId"]
    amounts = [Decimal(one["BilledCost"]) for one in table.settlement.differences]
    assert sum(map(abs, amounts)) == size or count > len(amounts)


@pytest.mark.parametrize("difference", ["hidden-line", "doubled-line"])
def test_a_line_that_is_missing_or_doubled_is_named_with_its_amount(tmp_path: Path, difference: Difference) -> None:
    """It is the one difference, but for the cents that its key is rounded by."""
    clean = landed(tmp_path / "clean", rows=400)
    exports = landed(tmp_path, rows=400, differences=(difference,))
    table = _table(exports, tmp_path)
    assert table.settlement is not None
    (named,) = table.settlement.differences
    missing = _subtotals(clean.lines)[named["x_SkuOrderId"], named["x_ProductId"], named["x_SkuPartId"]][0]
    sign = -1 if difference == "hidden-line" else 1
    assert abs(Decimal(named["BilledCost"]) - sign * missing) < Decimal("0.10")


@pytest.mark.parametrize("difference", ["changed-total", "renamed-customer"])
def test_what_does_not_touch_the_lines_leaves_nothing_unexplained(tmp_path: Path, difference: Difference) -> None:
    """Another total in Partner Center shows when it is compared; a name is no key."""
    exports = landed(tmp_path, rows=400, differences=(difference,))
    table = _table(exports, tmp_path)
    assert table.settlement is not None
    assert table.settlement.unexplained == NOTHING
    assert exports.total - table.sums.total.billed == (100 if difference == "changed-total" else 0)


def _subtotals(blobs: Iterable[Path]) -> dict[tuple[str, ...], list[Decimal]]:
    """The first Subtotal that is not zero of each key, by Python's own JSON."""
    found: dict[tuple[str, ...], list[Decimal]] = {}
    for line in _lines(blobs):
        if line["Subtotal"]:
            found.setdefault((line["SubscriptionId"], line["ProductId"], line["SkuId"]), []).append(line["Subtotal"])
    return found


def _lines(blobs: Iterable[Path]) -> Iterator[dict[str, Any]]:
    for blob in blobs:
        with gzip.open(blob, "rt", encoding="utf-8") as lines:
            yield from (json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in lines)


def test_usage_alone_is_partial(tmp_path: Path) -> None:
    """Its rows are the daily ones, and come to their sum."""
    exports = landed(tmp_path)
    table = tabulate(exports.usage, None, tmp_path / "table.parquet")
    daily = sum((line["BillingPreTaxTotal"] for line in _lines(exports.usage)), Decimal(0))
    assert (table.state, table.settlement, table.sums.total.billed) == ("partial", None, daily)
    assert _rows(tmp_path, "DISTINCT ChargeCategory") == [("Usage",)]


def test_reconciliation_alone_has_every_line_as_rows(tmp_path: Path) -> None:
    """It comes to the total already, and nothing is missing that was never there."""
    exports = landed(tmp_path)
    table = tabulate(None, exports.lines, tmp_path / "table.parquet")
    assert (table.state, table.sums.total.billed) == ("partial", exports.total)
    assert table.settlement is not None
    assert table.settlement.unexplained == NOTHING
    assert not _rows(tmp_path, "1", "ChargeCategory = 'Adjustment'")


def test_an_invoice_that_has_no_usage_is_complete_without(tmp_path: Path) -> None:
    """As one for licences only."""
    exports = landed(tmp_path)
    table = tabulate(None, exports.lines, tmp_path / "table.parquet", is_without_usage=True)
    assert table.state == "complete"


def test_usage_that_has_landed_without_a_line_is_complete(tmp_path: Path) -> None:
    """A month of licences; its rows keep all ids."""
    exports = landed(tmp_path, events=(Event.read("licences-only=2026-10"),))
    table = _table(exports, tmp_path)
    assert (table.state, table.sums.total.billed) == ("complete", exports.total)
    assert table.settlement is not None
    assert table.settlement.unexplained == NOTHING
    assert _rows(tmp_path, "count(*)", "x_AvailabilityId IS NULL") == [(0,)]
    assert _rows(tmp_path, "count(DISTINCT BillingPeriodStart), min(BillingPeriodStart)::DATE::VARCHAR") == [
        (1, "2026-10-01")
    ]


@pytest.mark.parametrize("seed", range(3))
def test_basic_attributes_tie_too(tmp_path: Path, seed: int) -> None:
    """Without the availability, which then is no part of the key."""
    exports = landed(tmp_path, seed=seed, rows=400, attribute_set="basic")
    table = tabulate(exports.usage, exports.lines, tmp_path / "table.parquet", is_reduced=True)
    assert table.is_reduced
    assert table.settlement is not None
    assert (table.sums.total.billed, table.settlement.unexplained) == (exports.total, NOTHING)


def test_daily_rows_keep_every_digit(tmp_path: Path) -> None:
    """Sums by customer are Python's own, over the raw text."""
    exports = landed(tmp_path, rows=2000, customers=9)
    table = tabulate(exports.usage, None, tmp_path / "table.parquet")
    daily: dict[str | None, Decimal] = {}
    for line in _lines(exports.usage):
        customer = line["CustomerId"] or None
        daily[customer] = daily.get(customer, Decimal(0)) + line["BillingPreTaxTotal"]
    assert {key[0]: one.billed for key, one in table.sums.by["customers"].items()} == daily


def test_the_same_blobs_make_the_same_bytes(tmp_path: Path) -> None:
    """So that a digest tells whether a table has changed."""
    exports = landed(tmp_path, rows=2000)
    first = _bytes(exports, tmp_path)
    assert _bytes(exports, tmp_path) == first


def _bytes(exports: Exports, folder: Path) -> bytes:
    _table(exports, folder)
    return (folder / "table.parquet").read_bytes()
