"""Of which month is an invoice whose lines alone are known?"""

import json
import zlib
from collections import Counter

from catalog.months import MONTH

_WITH_GZIP_HEADER = 31
_MOST_TEXT = 8 << 20
"""Bytes of lines that are looked at: a blob may be much larger than it looks."""

_CHARGE_START = "chargestartdate"


def billed_month(beginning: bytes) -> str | None:
    """The month, as `2026-10`, in which most charges of a blob begin, by its first lines; None where no line tells."""
    return next((month for month, _ in _months(beginning).most_common(1)), None)


def _months(beginning: bytes) -> Counter[str]:
    try:
        text = zlib.decompressobj(_WITH_GZIP_HEADER).decompress(beginning, _MOST_TEXT)
    except zlib.error:
        return Counter()
    return Counter(month for line in text.splitlines() if (month := _month(line)))


def _month(line: bytes) -> str | None:
    """The line's month; None where it has none, or is cut."""
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    values = fields.items() if isinstance(fields, dict) else ()
    started = next((value for key, value in values if key.lower() == _CHARGE_START), None)
    found = MONTH.match(started) if isinstance(started, str) else None
    return found[0] if found else None
