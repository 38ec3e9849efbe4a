"""Any lines give the rows that a slow and obvious reading of them gives."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import reduce
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tables.attributes import USAGE
from tables.convert import UsagePart, convert
from tables.sums import Sums

COMPARED = (
    "BilledCost",
    "PricingQuantity",
    "ChargePeriodStart",
    "ChargePeriodEnd",
    "ChargeClass",
    "Tags",
    "x_CustomerId",
)
EXACT = Context(prec=60)
"""Amounts of up to 38 digits, and their sums: Decimal's own sums keep 28."""

MONTH = datetime(2026, 10, 1)  # noqa: DTZ001 - what Parquet has is naive


NUMBERS = st.one_of(
    st.decimals(-(10**10), 10**10, allow_nan=False, places=2).map(str),
    st.decimals(-(10**6), 10**6, allow_nan=False, places=25).map(lambda number: f"{number:f}"),
    st.integers(-(10**10), 10**10).map(str),
    st.just("1.5E-7"),
    st.just('"12.5"'),
    st.just('""'),
    st.just("null"),
)
TEXTS = st.one_of(st.none(), st.just(""), st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20))
TAGS = st.sampled_from(['"a": "b"', '{"a": "b"}', '{"a": {"b": "c"}}', "{", "}", "", '"a": "{"', "no JSON", "{}"])
DATES = st.sampled_from(["2026-10-01T00:00:00Z", "2026-10-31", "2026-09-30T00:00:00Z", "2026-10-05T00:00:00.0000001Z"])


@st.composite
def raw_lines(draw: st.DrawFn) -> list[str]:
    """Lines as texts: any order of keys, some missing, some more, each in some case."""
    return [draw(_line()) for _ in range(draw(st.integers(1, 8)))]


@st.composite
def _line(draw: st.DrawFn) -> str:
    members = {
        "CustomerId": json.dumps(draw(TEXTS)),
        "BillingPreTaxTotal": draw(NUMBERS),
        "Quantity": draw(NUMBERS),
        "UsageDate": json.dumps(draw(DATES)),
        "ChargeStartDate": json.dumps("2026-10-01T00:00:00Z"),
        "Tags": json.dumps(draw(TAGS)),
        "Invented": draw(NUMBERS),
        "MeterName": json.dumps(draw(TEXTS)),
    }
    kept = draw(st.permutations(draw(st.lists(st.sampled_from(sorted(members)), unique=True))))
    spelled = {name: draw(st.sampled_from([name, name.lower(), name.upper(), name.swapcase()])) for name in kept}
    return f"{{{', '.join(f'{json.dumps(spelled[name])}: {members[name]}' for name in kept)}}}"


def _modelled(line: str) -> tuple[Any, ...]:
    names = {name.lower(): name for name in USAGE.attributes}
    found = json.loads(line, parse_float=Decimal, parse_int=Decimal)
    has = {names.get(key.lower(), key): value for key, value in found.items() if value not in {None, ""}}
    day = _day(has.get("UsageDate"))
    month = MONTH if "ChargeStartDate" in has else day and day.replace(day=1)
    return (
        _amount(has.get("BillingPreTaxTotal")),
        _amount(has.get("Quantity")),
        day,
        day and day + timedelta(days=1),
        "Correction" if day and month and day < month else None,
        _tags(has.get("Tags")),
        has.get("CustomerId"),
    )


def _day(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text[:10]).replace(tzinfo=UTC).replace(tzinfo=None) if text else None


def _amount(value: Decimal | str | None) -> Decimal | None:
    if value is None:
        return None
    # What is left is no negative zero: its text, by which rows are sorted, would differ.
    return EXACT.plus(Decimal(value).quantize(Decimal("1E-18"), ROUND_HALF_UP, EXACT))


def _tags(text: str | None) -> str | None:
    if text is None:
        return None
    whole = text if text.lstrip().startswith("{") else f"{{{text}}}"
    try:
        values = json.loads(whole).values()
    except ValueError:
        return None
    return None if any(isinstance(value, dict | list) for value in values) else whole


def _in_order(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=repr)


@settings(max_examples=40, deadline=None)
@given(raw_lines())
@example(['{"BillingPreTaxTotal": 10000000000}', '{"BillingPreTaxTotal": 0.000000000000000001}'])
def test_rows_are_what_the_lines_say(lines: list[str]) -> None:
    """Whatever the numbers, the spelling and the order of keys, the dates and the tags."""
    with TemporaryDirectory() as folder:
        blob, part = Path(folder) / "part.json.gz", UsagePart(Path(folder) / "part.parquet")
        blob.write_bytes(gzip.compress("\n".join(lines).encode()))
        convert(blob, part.rows)
        with duckdb.connect() as connection:
            query = f"SELECT {', '.join(COMPARED)} FROM '{part.rows}'"  # noqa: S608
            rows = connection.execute(query).fetchall()
        sums = Sums.read(part.sums)
    modelled = [_modelled(line) for line in lines]
    assert _in_order(rows) == _in_order(modelled)
    assert sums.total.rows == len(lines)
    assert sums.total.billed == reduce(EXACT.add, (row[0] for row in modelled if row[0] is not None), Decimal(0))
    assert sums.counted["withoutAmount"] == sum(row[0] is None for row in modelled)
