"""How long does the service ask us to wait?"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

LONGEST = 7 * 86_400.0
"""Seconds: more than this is past any deadline of ours."""


def retry_after(response: httpx.Response, now: datetime) -> float | None:
    """The seconds (0 and more) that `Retry-After` asks for, as seconds or as an HTTP date; None without a usable one.

    A date is measured against the answer's own `Date` where it has one, so that clocks need not agree.
    Source: RFC 9110, section 10.2.3
    """
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST)
    until = _http_date(text)
    if until is None:
        return None
    seconds = (until - (_http_date(response.headers.get("Date", "")) or now)).total_seconds()
    return min(max(0.0, seconds), LONGEST)


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
