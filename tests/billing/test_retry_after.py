"""How long does the service ask us to wait?"""

from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.retry_after import retry_after

NOW = datetime(2026, 10, 8, 6, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "120"}, 120),
        ({"Retry-After": " 0 "}, 0),
        ({"Retry-After": "Thu, 08 Oct 2026 06:01:30 GMT"}, 90),
        ({"Retry-After": "Thu, 08 Oct 2026 06:01:30 -0000"}, 90),
        ({"Retry-After": "Thu, 08 Oct 2026 05:00:00 GMT"}, 0),
        ({"Retry-After": "Thu, 08 Oct 2026 07:01:30 GMT", "Date": "Thu, 08 Oct 2026 07:01:00 GMT"}, 30),
        ({"Retry-After": "Thu, 08 Oct 2026 06:01:30 GMT", "Date": "yesterday"}, 90),
        ({"Retry-After": ""}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "1.5"}, None),
        ({"Retry-After": "²"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "8 Oct 99999999999 06:01:30"}, None),
        ({}, None),
    ],
)
def test_waits(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds and HTTP dates are understood, the past means at once, and nonsense means no wish."""
    response = httpx.Response(
        429, headers=[(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    )
    assert retry_after(response, NOW) == seconds


WORDS = [
    "Thu,",
    "8",
    "08",
    "Oct",
    "Jan",
    "2026",
    "0",
    "99999999999",
    "06:01:30",
    "6:1",
    "99:99:99",
    "GMT",
    "EST",
    "-0000",
    "+9999",
    "+999999999999",
    "-1",
    "AM",
    "(x)",
    ":",
    "-",
]
HEADERS = st.text(st.characters(max_codepoint=255), max_size=40) | st.lists(st.sampled_from(WORDS), max_size=7).map(
    " ".join
)


@given(HEADERS, HEADERS)
def test_any_header_is_understood_or_ignored(wait: str, date: str) -> None:
    """No header, however broken, ends in an error: it is a number of seconds that is not negative, or no wish."""
    response = httpx.Response(
        429, headers=[(b"Retry-After", wait.encode("latin-1")), (b"Date", date.encode("latin-1"))]
    )
    seconds = retry_after(response, NOW)
    assert seconds is None or seconds >= 0
