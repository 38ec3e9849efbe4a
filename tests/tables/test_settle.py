"""What lies between the days and their line is rounding within the bound of its lines, and unexplained beyond it."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from failures import UnknownShape
from tables.arrange import arrange
from tables.columns import COLUMNS
from tables.convert import UsagePart, convert, keep_lines
from tables.settle import Settlement, settle
from tables.table import Table, tabulate
from tests.tables.ledger import landed
from tests.tables.test_mapping import LINE

BILLED = {
    "PartnerId": "partner",
    "SubscriptionId": "plan",
    "ProductId": "DZH318Z09118",
    "SkuId": "0856",
    "AvailabilityId": "DZH318ZF9C0D",
    "InvoiceNumber": "G016907411",
    "Currency": "EUR",
    "PricingCurrency": "USD",
    "PCToBCExchangeRate": 0.9,
    "ChargeType": "new",
    "ChargeStartDate": "2026-10-01T00:00:00Z",
    "ChargeEndDate": "2026-10-31T00:00:00Z",
    "MeterDescription": "Virtual Machines - D2s v5",
    "BillableQuantity": 3,
    "Subtotal": 4.59,
    "TaxTotal": 0.87,
    "Total": 5.46,
}
Settle = Callable[..., Table]


@pytest.fixture
def settled(blob: Callable[..., Path], tmp_path: Path) -> Settle:
    """The table of one day and of these lines of reconciliation; without `used` there is another day."""

    def table(*lines: dict[str, Any], used: object = 4.59, plan: str = "plan") -> Table:
        usage = blob(LINE | {"BillingPreTaxTotal": used, "SubscriptionId": plan}, name="usage.gz")
        return tabulate([usage], [blob(*lines, name="lines.gz")], tmp_path / "table.parquet")

    return table


def _rows(folder: Path) -> list[tuple[str, Decimal, str | None]]:
    with duckdb.connect() as connection:
        return connection.execute(
            f"SELECT ChargeCategory, BilledCost, x_AdjustmentReason FROM '{folder / 'table.parquet'}' "  # noqa: S608
            "WHERE x_SourceName = 'billedReconciliation' ORDER BY ALL"
        ).fetchall()


@pytest.mark.parametrize(
    ("used", "reason"),
    [
        ("4.590000000000000001", "rounding"),
        ("4.6089999999", "rounding"),
        ("4.609", "unexplained"),
        ("4.61", "unexplained"),
        ("4.58", "unexplained"),
        ("0", "unexplained"),
    ],
)
def test_a_line_is_cut_by_less_than_a_cent_of_each_currency(
    settled: Settle, tmp_path: Path, used: str, reason: str
) -> None:
    """At a rate of 0.9 that is 0.019, and always down."""
    table = settled(BILLED, used=used)
    difference = Decimal("4.59") - Decimal(used)
    assert _rows(tmp_path) == [("Adjustment", difference, reason), ("Tax", Decimal("0.87"), None)]
    assert table.sums.total.billed == Decimal("5.46")


def test_a_credit_of_usage_is_cut_up(settled: Settle, tmp_path: Path) -> None:
    """Toward zero as well."""
    line = BILLED | {"Subtotal": -4.59, "TaxTotal": 0, "Total": -4.59, "BillableQuantity": -3}
    settled(line, used="-4.6")
    assert _rows(tmp_path) == [("Adjustment", Decimal("0.01"), "rounding")]


def test_two_whole_cents_at_a_rate_of_1_are_no_rounding(settled: Settle, tmp_path: Path) -> None:
    """The second cut takes nothing then, and the first less than one."""
    for sign, quantity in ((1, 3), (-1, -3)):
        line = BILLED | {"PCToBCExchangeRate": 1, "Subtotal": sign * 4.59, "TaxTotal": 0, "Total": sign * 4.59}
        settled(line | {"BillableQuantity": quantity}, used=f"{sign * 4.61}")
        assert _rows(tmp_path) == [("Adjustment", sign * Decimal("-0.02"), "unexplained")]


def test_the_bounds_of_several_lines_add_up(settled: Settle, tmp_path: Path) -> None:
    """Days with and without the partner earned credit have a line each."""
    half = BILLED | {"Subtotal": 2.29, "TaxTotal": 0, "Total": 2.29}
    settled(half, half, used="4.61")
    assert _rows(tmp_path) == [("Adjustment", Decimal("-0.03"), "rounding")]


def test_days_without_a_line_and_a_line_without_days_are_unexplained(settled: Settle, tmp_path: Path) -> None:
    """Each is named with its own key, and neither hides the other."""
    table = settled(BILLED, plan="another plan")
    assert _rows(tmp_path) == [
        ("Adjustment", Decimal("-4.59"), "unexplained"),
        ("Tax", Decimal("0.87"), None),
        ("Usage", Decimal("4.59"), "unexplained"),
    ]
    assert table.settlement is not None
    assert table.settlement.unexplained == (2, Decimal("9.18"))
    assert {one["x_SkuOrderId"] for one in table.settlement.differences} == {"plan", "another plan"}
    assert table.sums.total.billed == Decimal("5.46")


def test_a_credit_is_a_row_of_its_own_also_for_what_was_used(settled: Settle, tmp_path: Path) -> None:
    """It has the same ids, and is no part of what the days come to."""
    credit = BILLED | {"ChargeType": "customerCredit", "Subtotal": -1, "TaxTotal": 0, "Total": -1}
    table = settled(BILLED, credit)
    assert ("Credit", Decimal(-1), None) in _rows(tmp_path)
    assert table.settlement is not None
    assert table.settlement.unexplained == (0, Decimal(0))


def test_a_total_that_is_not_its_parts_is_unexplained(settled: Settle, tmp_path: Path) -> None:
    """The rows come to the total."""
    table = settled(BILLED | {"Total": 6})
    assert ("Adjustment", Decimal("0.54"), "unexplained") in _rows(tmp_path)
    assert table.sums.total.billed == 6


def test_a_key_may_lack_an_id(settled: Settle, tmp_path: Path) -> None:
    """None is a value like another: a plain join would match nothing."""
    usage = {name: value for name, value in BILLED.items() if name != "AvailabilityId"}
    table = settled(usage)
    assert _rows(tmp_path) == [("Tax", Decimal("0.87"), None)]
    assert table.settlement is not None


def test_what_reconciliation_lacks_comes_from_daily_usage_or_from_the_rate(settled: Settle, tmp_path: Path) -> None:
    """The partner's name, and what a line is in the pricing currency: FOCUS wants them in every row."""
    settled(BILLED, plan="another plan")
    table = tmp_path / "table.parquet"
    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT ChargeCategory, BillingAccountName, PricingCurrencyEffectiveCost FROM '{table}' "  # noqa: S608
            "WHERE x_SourceName = 'billedReconciliation' ORDER BY ALL"
        ).fetchall()
    assert found == [
        ("Adjustment", LINE["PartnerName"], Decimal("-5.1")),
        ("Tax", LINE["PartnerName"], Decimal("0.966666666667")),
        ("Usage", LINE["PartnerName"], Decimal("5.1")),
    ]


def test_a_line_at_no_rate_has_no_amount_in_the_pricing_currency(settled: Settle, tmp_path: Path) -> None:
    """None at all, or one that no amount can be divided by."""
    lines = [BILLED | {"PCToBCExchangeRate": rate, "SubscriptionId": "other"} for rate in (None, 0, "1E-18")]
    settled(*(line | {"Subtotal": 7e9, "TaxTotal": 0, "Total": 7e9} for line in lines))
    with duckdb.connect() as connection:
        query = f"SELECT count(PricingCurrencyEffectiveCost) FROM '{tmp_path / 'table.parquet'}' WHERE BilledCost > 100"  # noqa: S608
        assert connection.execute(query).fetchall() == [(0,)]


def test_a_line_with_an_attribute_missing_everywhere_stops_the_table(settled: Settle) -> None:
    """And names the keys that were found."""
    with pytest.raises(UnknownShape, match=r"reconciliation has Total\. .*Subtotal"):
        settled({name: value for name, value in BILLED.items() if name != "Total"})


def test_unknown_keys_of_a_line_are_columns_of_its_rows(settled: Settle, tmp_path: Path) -> None:
    """As those of daily usage are."""
    settled(BILLED | {"SubscriptionId": "other", "New key": "x"})
    with duckdb.connect() as connection:
        query = f"SELECT \"x_Source_New_key\", count(*) FROM '{tmp_path / 'table.parquet'}' GROUP BY ALL ORDER BY ALL"  # noqa: S608
        assert connection.execute(query).fetchall() == [("x", 2), (None, 2)]


def test_an_export_without_any_blob_has_no_lines(blob: Callable[..., Path], tmp_path: Path) -> None:
    """What the other one has is unexplained, as it is where a blob without lines has landed."""
    target = tmp_path / "table.parquet"
    usage, lines = [blob(LINE | {"BillingPreTaxTotal": 4.59}, name="usage.gz")], [blob(BILLED, name="lines.gz")]
    for table, charged in ((tabulate(usage, [], target), "0.00"), (tabulate([], lines, target), "5.46")):
        assert (table.state, table.sums.total.billed) == ("complete", Decimal(charged))
        assert table.settlement is not None
        assert table.settlement.unexplained == (1, Decimal("4.59"))


@pytest.mark.parametrize(
    ("usage", "lines", "state"), [([], None, "partial"), (None, [], "partial"), ([], [], "complete")]
)
def test_a_table_of_nothing_has_all_columns_and_no_row(
    usage: list[Path] | None, lines: list[Path] | None, state: str, tmp_path: Path
) -> None:
    """So that it can take the place of one that had some."""
    target = tmp_path / "table.parquet"
    assert tabulate(usage, lines, target).state == state
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT * FROM '{target}'")  # noqa: S608
        assert [name for name, *_ in found.description] == [column.name for column in COLUMNS]
        assert not found.fetchall()


@pytest.mark.parametrize("attribute_set", ["full", "basic"])
def test_settling_in_many_steps_gives_the_same_bytes(tmp_path: Path, attribute_set: str) -> None:
    """Also of keys that lack an id or occur on one side only: none is lost between the steps, or comes twice."""
    exports = landed(
        tmp_path, rows=300, customers=6, differences=("hidden-line", "dropped-day"), attribute_set=attribute_set
    )
    parts = [UsagePart(tmp_path / f"usage-{index}.parquet") for index in range(len(exports.usage))]
    kept = [tmp_path / f"lines-{index}.parquet" for index in range(len(exports.lines))]
    for blob, part in zip(exports.usage, parts, strict=True):
        convert(blob, part.rows)
    for blob, lines in zip(exports.lines, kept, strict=True):
        keep_lines(blob, lines)

    def settled(lines_at_once: int) -> tuple[Settlement, bytes]:
        rows, table = tmp_path / f"settled-{lines_at_once}.parquet", tmp_path / f"table-{lines_at_once}.parquet"
        keys = [part.keys for part in parts]
        settlement = settle(keys, kept, rows, has_usage=True, lines_at_once=lines_at_once)
        arrange([*(part.rows for part in parts), rows], table)
        return settlement, table.read_bytes()

    at_once = settled(10_000)
    assert at_once[0].unexplained[0] > 1
    assert settled(10) == at_once
