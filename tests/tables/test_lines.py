"""Lines are read with every digit and under whatever spelling of their keys, or refused by number."""

import gzip
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from failures import InexactEngine, UnreadableLines
from tables.attributes import RECONCILIATION, USAGE, Shape
from tables.engine import PROOF, refuse_inexact
from tables.lines import MOST_UNKNOWN, Lines, understand

if TYPE_CHECKING:
    import duckdb

SHAPE = Shape("two attributes", {"Amount": "amount", "Text": "text"}, frozenset())
GOOD = b'{"Amount": 1, "Text": "a"}'
WRITE = Callable[..., Path]


@pytest.fixture
def read(connection: "duckdb.DuckDBPyConnection", tmp_path: Path) -> Callable[[Path], Lines]:
    """How a blob of the two attributes is understood."""
    return lambda blob: understand(connection, blob, SHAPE, tmp_path)


def _rows(connection: "duckdb.DuckDBPyConnection", lines: Lines) -> list[tuple[object, ...]]:
    return connection.execute(lines.select()).fetchall()


def _refused(read: Callable[[Path], Lines], blob: Path) -> str:
    with pytest.raises(UnreadableLines) as refused:
        read(blob)
    return refused.value.message


@pytest.mark.parametrize(
    ("number", "is_read_as"),
    [
        (b"0.123456789012345678", "0.123456789012345678"),
        (b"12345678901.123456789", "12345678901.123456789"),
        (b"-0.000000000000000001", "-0.000000000000000001"),
        (b"1.0E-4", "0.0001"),
        (b"2.5e3", "2500"),
        (b"1234567890123456789012345e-15", "1234567890.123456789012345"),
        (b'"0.123456789012345678"', "0.123456789012345678"),
        (b'"-12"', "-12"),
        (b"78999999999.999999999999999999", "78999999999.999999999999999999"),
    ],
)
def test_an_amount_keeps_its_digits(
    connection: "duckdb.DuckDBPyConnection", read: Callable[[Path], Lines], blob: WRITE, number: bytes, is_read_as: str
) -> None:
    """Whether it is a number or a text, short or long, with an exponent or without."""
    lines = read(blob(b'{"Amount": %b}' % number))
    assert _rows(connection, lines) == [(Decimal(is_read_as), None)]
    assert lines.rounded == 0


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(amounts=st.lists(st.decimals(-(10**10), 10**10, allow_nan=False, places=20), min_size=1, max_size=20))
def test_longer_amounts_are_rounded_half_away_from_zero_and_counted(
    connection: "duckdb.DuckDBPyConnection", read: Callable[[Path], Lines], blob: WRITE, amounts: list[Decimal]
) -> None:
    """DECIMAL(38,18) has no more decimals."""
    lines = read(blob(*(b'{"Amount": %b}' % f"{amount:f}".encode() for amount in amounts)))
    rounded = [amount.quantize(Decimal("1E-18"), ROUND_HALF_UP, Context(prec=60)) for amount in amounts]
    assert [amount for amount, _ in _rows(connection, lines)] == rounded
    assert lines.rounded == sum(amount != short for amount, short in zip(amounts, rounded, strict=True))


def test_a_longer_number_in_another_attribute_is_not_counted(read: Callable[[Path], Lines], blob: WRITE) -> None:
    """Nor one that a text quotes together with the attribute's name."""
    quoted = '"Amount": 0.1234567890123456789'
    assert read(blob({"Amount": 1, "Text": quoted}, b'{"Other": 0.1234567890123456789}')).rounded == 0


def test_keys_match_in_any_case(
    connection: "duckdb.DuckDBPyConnection", read: Callable[[Path], Lines], blob: WRITE
) -> None:
    """Microsoft's own pages differ."""
    assert _rows(connection, read(blob({"amount": 1, "TEXT": "a"}))) == [(1, "a")]


def test_keys_may_differ_from_line_to_line(
    connection: "duckdb.DuckDBPyConnection", read: Callable[[Path], Lines], blob: WRITE
) -> None:
    """In case, in order, in number, and for unknown keys too."""
    lines = read(blob({"Amount": 1, "New": "x"}, {"amount": 2, "Text": "b", "NEW": "y"}, {}))
    assert lines.unknown == ("x_Source_New",)
    assert _rows(connection, lines) == [(1, None, "x"), (2, "b", "y"), (None, None, None)]


def test_an_empty_text_is_none(
    connection: "duckdb.DuckDBPyConnection", read: Callable[[Path], Lines], blob: WRITE
) -> None:
    """Of a text as of an amount."""
    assert _rows(connection, read(blob({"Amount": "", "Text": ""}))) == [(None, None)]


def test_objects_and_numbers_are_read_as_text_where_text_is_expected(
    connection: "duckdb.DuckDBPyConnection", read: Callable[[Path], Lines], blob: WRITE
) -> None:
    """Tags may come as an object."""
    lines = read(blob({"Text": {"a": "b"}}, {"Text": 12}))
    assert [text for _, text in _rows(connection, lines)] == ['{"a":"b"}', "12"]


def test_unknown_keys_become_columns_and_too_many_are_named(read: Callable[[Path], Lines], blob: WRITE) -> None:
    """Their names are letters, digits and underscores, whatever the key."""
    lines = read(blob({"Amount": 1, "": 1, 'a "b"': 2, "a-'b'": 3, **{f"k{index:02}": 1 for index in range(60)}}))
    assert len(lines.unknown) == MOST_UNKNOWN
    assert {"x_Source_a__b_", "x_Source_k00"} <= set(lines.unknown)
    assert len(lines.uncarried) == 63 - MOST_UNKNOWN
    assert "k59" in lines.uncarried


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b'{"Amount": 1, "Amount": 2}', "a key is there twice"),
        (b'{"Amount": 1, "amount": 2}', "a key is there twice"),
        (b'{"New": 1, "new": 2}', "a key is there twice"),
        (b'{"Text": "\xff"}', "it is no UTF-8"),
        (b'{"Text": "\\ud800"}', "it holds half a character"),
        (b"[1]", "it is no JSON object"),
        (b"null", "it is no JSON object"),
        (b"12", "it is no JSON object"),
        (b'{"Amount": 1', "it is no JSON"),
        (b'{"Amount": 1} {"Amount": 2}', "it is no JSON"),
        (b'{"Amount": NaN}', "it is no JSON"),
        (b'{"Amount": "abc"}', "Amount is no number"),
        (b'{"Amount": "NaN"}', "Amount is no number"),
        (b'{"Amount": "1_000"}', "Amount is no number"),
        (b'{"Amount": "1,50"}', "Amount is no number"),
        (b'{"Amount": true}', "Amount is no number"),
        (b'{"Amount": [1]}', "Amount is no number"),
        (b'{"Amount": 79000000000}', "Amount is too large"),
        (b'{"Amount": -1E+11}', "Amount is too large"),
        (b'{"Amount": "99999999999999999999999"}', "Amount is too large"),
    ],
)
def test_a_bad_line_is_named_by_number_and_fault(
    read: Callable[[Path], Lines], blob: WRITE, line: bytes, fault: str
) -> None:
    """Wherever it stands, and never by its content."""
    assert _refused(read, blob(GOOD, b"", line, GOOD)) == f"'part.json.gz', line 3: {fault}."


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda whole: whole[:-1], "line 3: the gzip data is cut off"),
        (lambda whole: whole[:-9], "line 3: the gzip data is cut off"),
        (lambda whole: whole + whole[:12], "line 3: the gzip data is cut off"),
        (lambda whole: b"", "line 1: the gzip data is cut off"),
        (lambda whole: whole + b"\0", "line 3: there are bytes behind the end of the gzip data"),
        (lambda whole: whole + b"more", "line 3: there are bytes behind the end of the gzip data"),
        (lambda whole: whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:], "line 1: the gzip data is damaged"),
        (lambda whole: whole[:-4] + bytes([whole[-4] ^ 1]) + whole[-3:], "line 1: the gzip data is damaged"),
        (gzip.decompress, "line 1: the gzip data is damaged"),
    ],
)
def test_damaged_gzip_is_refused(
    read: Callable[[Path], Lines], blob: WRITE, damage: Callable[[bytes], bytes], fault: str
) -> None:
    """Also where only its checksum or its length is wrong, which DuckDB does not compare."""
    path = blob(GOOD, GOOD)
    path.write_bytes(damage(path.read_bytes()))
    assert _refused(read, path) == f"'part.json.gz', {fault}."


def test_several_members_blank_lines_and_a_byte_order_mark_are_fine(
    connection: "duckdb.DuckDBPyConnection", read: Callable[[Path], Lines], tmp_path: Path
) -> None:
    """A blob may be several gzip files in a row, and its last line may lack the line break."""
    path = tmp_path / "a[1] 'b'*.json.gz"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + GOOD + b"\r\n\n") + gzip.compress(b"") + gzip.compress(GOOD))
    lines = read(path)
    assert (lines.count, _rows(connection, lines)) == (2, [(1, "a"), (1, "a")])


def test_a_blob_without_lines_has_no_rows(
    connection: "duckdb.DuckDBPyConnection", read: Callable[[Path], Lines], blob: WRITE
) -> None:
    """The emulator makes such, where there are fewer lines than blobs."""
    lines = read(blob())
    assert (lines.count, _rows(connection, lines)) == (0, [])


def test_an_engine_that_loses_digits_is_refused() -> None:
    """As DuckDB 2.0.0 would be; which one is installed is told."""
    refuse_inexact(PROOF)
    with pytest.raises(InexactEngine, match=rf"DuckDB {version('duckdb')} has"):
        refuse_inexact([Decimal("0.123456789012345680"), PROOF[1]])


@pytest.mark.parametrize("shape", [USAGE, RECONCILIATION])
def test_what_a_table_requires_is_an_attribute(shape: Shape) -> None:
    """Of the same shape, and none differs from another in case alone."""
    assert shape.required <= shape.attributes.keys()
    assert len({name.lower() for name in shape.attributes}) == len(shape.attributes)
