"""What does reconciliation add to the daily rows, so that all rows come to what Microsoft charges?

A line whose subscription, product, SKU and availability occur in daily usage is the sum of those days, cut to cents: it
gives no cost of its own, but what lies between the two, and the tax. Every other line is a row.

Source of the rounding: https://learn.microsoft.com/partner-center/billing/use-the-reconciliation-files
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from failures import UnknownShape
from tables.attributes import RECONCILIATION, SQL_TYPES, Shape
from tables.columns import COLUMNS
from tables.engine import engine
from tables.expressions import moment
from tables.keys import KEY, NOTHING_USED, SUMS_OF_SUMS, same_key
from tables.mapping import invoice_rows, load_lookups
from tables.parquet import IN_ORDER, PART_ROW_GROUP, rows_of, write_parquet
from tables.sql import name_of, path_list, path_literal
from tables.sums import Sums, amount_text, summed

if TYPE_CHECKING:
    import duckdb

MOST_NAMED = 100
"""Differences that are named one by one; the others are counted and summed."""

LINES_AT_ONCE = 60_000
"""Lines that are settled together, about: what one step holds in memory depends on it, what the rows say does not."""

# By every column: the order says nothing about the steps that rows come from.
_IN_ONE_ORDER = f"{IN_ORDER}, {', '.join(column.name for column in COLUMNS)}"

_IS_CREDIT = "(CreditReasonCode IS NOT NULL OR lower(coalesce(ChargeType, '')) = 'customercredit')"
# Lines with few attributes tell only by the product whether they are about usage: Azure's ids begin with DZH.
_IS_ABOUT_USAGE = f"""(NOT {_IS_CREDIT} AND ReservationOrderId IS NULL
    AND (MeterDescription IS NOT NULL OR (NOT {{has_meters}} AND ProductId LIKE 'DZH%')))"""
_CATEGORY = "CASE WHEN is_credit THEN 'Credit' WHEN is_usage THEN 'Usage' ELSE 'Purchase' END"

# A line is cut toward zero twice: to a cent of the pricing currency, and to one of the billing currency.
_CUT = "0.01 * coalesce(PCToBCExchangeRate, 1)::DOUBLE + 0.01"
_IS_NEGATIVE = "(Subtotal < 0 OR coalesce(BillableQuantity, Quantity, 0) < 0)"
# What Microsoft makes of daily amounts may lack the last of many digits.
_HAIR = "1e-9 * used_rows"
# A cut takes less than its bound: at a rate of 1, two whole cents are missing for another reason.
_LESS = "1e-12"
_IS_ROUNDING = f"""(used - subtotals)::DOUBLE BETWEEN
    CASE WHEN cut_up = 0 THEN -{_HAIR} ELSE {_LESS} - cut_up END
    AND CASE WHEN cut_down = 0 THEN {_HAIR} ELSE cut_down - {_LESS} END"""

_CHARGES = f"""
    CREATE OR REPLACE TEMP TABLE matched AS
        WITH sums AS (
            SELECT {", ".join(KEY)}, min(line) AS line, sum(Subtotal) AS subtotals, sum(TaxTotal) AS taxes,
                coalesce(sum({_CUT}) FILTER (NOT {_IS_NEGATIVE}), 0) AS cut_down,
                coalesce(sum({_CUT}) FILTER ({_IS_NEGATIVE}), 0) AS cut_up
            FROM some_lines WHERE is_matched GROUP BY {", ".join(KEY)}
        )
        SELECT some_lines.*, subtotals, taxes, used,
            CASE WHEN {_IS_ROUNDING} THEN 'rounding' ELSE 'unexplained' END AS reason
        FROM sums JOIN some_lines USING (line) JOIN some_used ON {same_key("sums", "some_used")};

    CREATE OR REPLACE TEMP TABLE charges AS
        SELECT *, 'charge' AS kind, {_CATEGORY} AS category, Subtotal AS amount,
            CASE WHEN has_usage AND is_usage AND (Subtotal <> 0 OR TaxTotal <> 0) THEN 'unexplained' END
                AS adjustment_reason
        FROM some_lines WHERE NOT is_matched
    UNION ALL BY NAME
        SELECT *, 'tax' AS kind, 'Tax' AS category, TaxTotal AS amount
        FROM some_lines WHERE NOT is_matched AND TaxTotal <> 0
    UNION ALL BY NAME
        SELECT *, 'adjustment' AS kind, 'Adjustment' AS category, Total - Subtotal - TaxTotal AS amount,
            'unexplained' AS adjustment_reason
        FROM some_lines WHERE Total <> Subtotal + TaxTotal
    UNION ALL BY NAME
        SELECT *, 'adjustment' AS kind, 'Adjustment' AS category, subtotals - used AS amount,
            reason AS adjustment_reason
        FROM matched WHERE subtotals <> used
    UNION ALL BY NAME
        SELECT *, 'tax' AS kind, 'Tax' AS category, taxes AS amount FROM matched WHERE taxes <> 0
    UNION ALL BY NAME
        SELECT some_used.*, true AS is_usage, 'adjustment' AS kind, 'Adjustment' AS category, -used AS amount,
            'unexplained' AS adjustment_reason, (SELECT month FROM billed) AS billed_month
        FROM some_used ANTI JOIN some_lines ON is_matched AND {same_key("some_used", "some_lines")}
        WHERE used <> 0
"""  # noqa: S608


@dataclass(frozen=True)
class Settlement:
    """What reconciliation comes to, and how the daily rows tie to it.

    `sums` are those of its rows, without the daily ones; `charged` is the sum of the lines' Total. `rounding` and
    `unexplained` say how many rows of either kind there are, and what they come to; unexplained amounts count without
    their signs. `differences` are the largest of those, each with its key.
    """

    sums: Sums
    charged: Decimal
    rounding: tuple[int, Decimal]
    unexplained: tuple[int, Decimal]
    differences: tuple[dict[str, str], ...]

    def to_json(self) -> dict[str, Any]:
        """Amounts are texts with all their digits."""
        return {
            "charged": amount_text(self.charged),
            "rounding": {"rows": self.rounding[0], "billedCost": amount_text(self.rounding[1])},
            "unexplained": {"rows": self.unexplained[0], "billedCost": amount_text(self.unexplained[1])},
            "differences": list(self.differences),
        }


def settle(
    keys: Sequence[Path],
    lines: Sequence[Path],
    rows: Path,
    *,
    has_usage: bool,
    found: Collection[str] = (),
    lines_at_once: int = LINES_AT_ONCE,
) -> Settlement:
    """Writes the rows that reconciliation adds to the daily ones, in order.

    `keys` are the sums by key of the parts of daily usage, `lines` the kept lines of reconciliation, `found` the keys
    that those had. `has_usage` says whether daily usage is there at all: without it no line is missing one. Lines with
    the same key are settled together, in as many steps as make about `lines_at_once` lines each.

    Raises:
        UnknownShape: when something that every line needs is in none.
    """
    with TemporaryDirectory(dir=rows.parent) as folder, engine(Path(folder)) as connection:
        load_lookups(connection)
        count, unknown = _prepare(connection, keys, lines, found, has_usage=has_usage)
        buckets = 1 + count // lines_at_once
        pieces = [Path(folder) / f"{bucket}.parquet" for bucket in range(buckets)]
        for bucket, piece in enumerate(pieces):
            _take(connection, f"hash({', '.join(KEY)}) % {buckets} = {bucket}")
            connection.execute(_CHARGES)
            write_parquet(connection, invoice_rows("SELECT * FROM charges", unknown), piece, PART_ROW_GROUP)
        order = ", ".join((_IN_ONE_ORDER, *map(name_of, unknown)))
        in_order = f"SELECT * FROM read_parquet({path_list(pieces)}) {order}"  # noqa: S608
        write_parquet(connection, in_order, rows, PART_ROW_GROUP)
        return _settlement(connection, rows)


def refuse_missing(shape: Shape, missing: Collection[str], found: Collection[str]) -> None:
    """Refuses lines of which none has some attribute that a table needs.

    Raises:
        UnknownShape: with the attributes, and the keys that were found.
    """
    if missing:
        names, keys = ", ".join(sorted(missing)), ", ".join(sorted(found))
        raise UnknownShape(f"No line of {shape.name} has {names}. Keys that were found: {keys}.")


def _prepare(
    connection: "duckdb.DuckDBPyConnection",
    keys: Sequence[Path],
    lines: Sequence[Path],
    found: Collection[str],
    *,
    has_usage: bool,
) -> tuple[int, tuple[str, ...]]:
    """Makes `lines` and `used` of the files; returns how many lines there are, and the columns of unknown keys.

    Where one side has no availabilities, as with few attributes, they are no part of the key.
    """
    source = rows_of(lines, {name: SQL_TYPES[kind] for name, kind in RECONCILIATION.attributes.items()})
    columns = connection.execute(f"SELECT * FROM {source} LIMIT 0").description or ()  # noqa: S608
    unknown = tuple(sorted({name for name, *_ in columns}.difference(RECONCILIATION.attributes)))
    used = f"SELECT * FROM read_parquet({path_list(keys)})" if keys else NOTHING_USED  # noqa: S608
    names = ", ".join(f"count({name}) AS {name}" for name in RECONCILIATION.attributes)
    counted = connection.execute(f"SELECT count(*) AS rows, {names} FROM {source}")  # noqa: S608
    counts = dict(zip((column[0] for column in counted.description or ()), counted.fetchone() or (), strict=True))
    if counts["rows"]:
        refuse_missing(RECONCILIATION, [name for name in RECONCILIATION.required if not counts[name]], found)
    connection.execute(f"CREATE TABLE all_used AS {used}")
    has_offers = connection.execute("SELECT count(*) = 0 OR count(AvailabilityId) > 0 FROM all_used").fetchone()
    offer = "AvailabilityId" if counts["AvailabilityId"] and has_offers and has_offers[0] else "NULL::VARCHAR"
    connection.execute(
        f"""
        CREATE TABLE billed AS
            SELECT month FROM (
                SELECT used_month AS month, true AS is_used, sum(used_rows) AS weight FROM all_used GROUP BY ALL
                UNION ALL
                SELECT date_trunc('month', {moment("ChargeStartDate")})::TIMESTAMP, false, count(*)
                FROM {source} GROUP BY ALL
            ) WHERE month IS NOT NULL ORDER BY is_used DESC, weight DESC, month DESC LIMIT 1;
        CREATE VIEW used AS SELECT * REPLACE ({offer} AS AvailabilityId) FROM all_used;
        CREATE VIEW lines AS
            SELECT {", ".join((*RECONCILIATION.attributes, *map(name_of, unknown)))}, row_number() OVER () AS line,
                {has_usage} AS has_usage, {_IS_CREDIT} AS is_credit,
                {_IS_ABOUT_USAGE.format(has_meters=bool(counts["MeterDescription"]))} AS is_about_usage,
                (SELECT month FROM billed) AS billed_month, (SELECT min(PartnerName) FROM all_used) AS PartnerName
            FROM (SELECT * REPLACE (
                {offer} AS AvailabilityId, coalesce(Subtotal, 0) AS Subtotal, coalesce(TaxTotal, 0) AS TaxTotal,
                coalesce(Total, coalesce(Subtotal, 0) + coalesce(TaxTotal, 0)) AS Total
            ) FROM {source});
        """  # noqa: S608
    )
    return int(counts["rows"]), unknown


def _take(connection: "duckdb.DuckDBPyConnection", condition: str) -> None:
    """Takes the lines and the usage of some keys."""
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE some_used AS {SUMS_OF_SUMS.format(used=f"(SELECT * FROM used WHERE {condition})")};
        CREATE OR REPLACE TEMP TABLE some_lines AS
            SELECT lines.*, some_used.used_rows IS NOT NULL AND NOT is_credit AS is_matched,
                is_about_usage OR is_matched AS is_usage
            FROM (SELECT * FROM lines WHERE {condition}) AS lines
            LEFT JOIN (SELECT {", ".join(KEY)}, used_rows FROM some_used) AS some_used
                ON {same_key("lines", "some_used")};
        """  # noqa: S608
    )


def _settlement(connection: "duckdb.DuckDBPyConnection", rows: Path) -> Settlement:
    source = f"read_parquet({path_literal(rows)})"
    charged = connection.execute("SELECT coalesce(sum(Total), 0) FROM lines").fetchone()
    reasons = {
        reason: (count, billed, size)
        for reason, count, billed, size in connection.execute(
            f"SELECT x_AdjustmentReason, count(*), sum(BilledCost), sum(abs(BilledCost)) FROM {source} GROUP BY ALL"  # noqa: S608
        ).fetchall()
    }
    nothing = (0, Decimal(0), Decimal(0))
    rounding, unexplained = reasons.get("rounding", nothing), reasons.get("unexplained", nothing)
    return Settlement(
        sums=summed(connection, rows),
        charged=charged[0] if charged else Decimal(0),
        rounding=rounding[:2],
        unexplained=(unexplained[0], unexplained[2]),
        differences=_differences(connection, source),
    )


def _differences(connection: "duckdb.DuckDBPyConnection", source: str) -> tuple[dict[str, str], ...]:
    columns = (*KEY.values(), "x_CustomerId", "ChargeDescription")
    found = connection.execute(
        f"SELECT {', '.join(columns)}, BilledCost FROM {source} WHERE x_AdjustmentReason = 'unexplained' "  # noqa: S608
        f"ORDER BY abs(BilledCost) DESC, {', '.join(columns)} LIMIT {MOST_NAMED}"
    ).fetchall()
    return tuple(
        {name: value for name, value in zip(columns, texts, strict=True) if value} | {"BilledCost": amount_text(billed)}
        for *texts, billed in found
    )
