"""Of which month are lines?"""

import gzip
import json
import tracemalloc

import pytest

from tables.months import billed_month


def _blob(*lines: object) -> bytes:
    return gzip.compress(b"".join(json.dumps(line).encode() + b"\n" for line in lines), mtime=0)


def test_most_charges_tell_the_month() -> None:
    """Late ones of months before are fewer; how the key is spelled says nothing."""
    lines = [
        {"ChargeStartDate": "2026-09-01"},
        {"chargestartdate": "2026-10-01T00:00:00Z"},
        {"ChargeStartDate": "2026-10-05"},
    ]
    assert billed_month(_blob(*lines)) == "2026-10"


def test_a_blob_that_is_cut_off_tells_by_what_is_there() -> None:
    """Only its beginning is read."""
    whole = _blob(*({"ChargeStartDate": "2026-10-01", "Tags": f"{number:x}" * 9} for number in range(2000)))
    assert billed_month(whole[: len(whole) // 2]) == "2026-10"


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"no gzip",
        _blob(),
        _blob([], "x", 1, None),
        _blob({"ChargeStartDate": 7}),
        _blob({"ChargeStartDate": "../.."}),
        gzip.compress(b"[" * 99_999, mtime=0),
    ],
)
def test_lines_that_do_not_tell_a_month_tell_none(blob: bytes) -> None:
    """Nothing that is no month becomes the name of a folder."""
    assert billed_month(blob) is None


def test_a_blob_that_is_much_larger_than_it_looks_is_not_unpacked_whole() -> None:
    """Its first lines tell."""
    blob = gzip.compress(b'{"ChargeStartDate": "2026-10-01"}\n' + b" " * (64 << 20), mtime=0)
    tracemalloc.start()
    try:
        assert billed_month(blob) == "2026-10"
        assert tracemalloc.get_traced_memory()[1] < 48 << 20
    finally:
        tracemalloc.stop()
