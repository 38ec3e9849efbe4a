"""What the routes answer when the app is not configured, and what they make of dates."""

import asyncio
import json
import os
from datetime import UTC, datetime
from typing import Any

import azure.functions as func
import pytest

import function_app
from catalog.invalid_request import InvalidRequest
from http_start import parsing
from local.functions import index
from settings import configured
from tests.http_start.fake_durable import FakeDurable

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


def _get(**params: str) -> func.HttpRequest:
    return func.HttpRequest("GET", "/api/exports", params=params, body=b"")


def test_an_app_without_settings_answers_with_every_fault() -> None:
    """The first call says 500, with the same list that the local host prints."""
    assert "LANDING_URL" not in os.environ
    configured.cache_clear()
    (post,) = [route for route in index(function_app.app).routes if route.name == "post_export"]
    request = func.HttpRequest("POST", "/api/exports", body=b'{"invoiceId": "G016907411"}')
    # Below the SDK's middleware, which makes a client from the binding's JSON.
    handler: Any = post.call.client_function  # type: ignore[attr-defined]
    answer = asyncio.run(handler(req=request, client=FakeDurable()))
    document = json.loads(answer.get_body())
    assert answer.status_code == 500
    assert answer.mimetype == "application/problem+json"
    assert document["errors"] == [{"field": "LANDING_URL", "detail": "LANDING_URL is required."}]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-10-01", datetime(2026, 10, 1, tzinfo=UTC)),
        ("2026-10-01T12:00:00Z", datetime(2026, 10, 1, 12, tzinfo=UTC)),
        ("2026-10-01T12:00:00 02:00", datetime(2026, 10, 1, 10, tzinfo=UTC)),
        ("0001-01-01", datetime(2015, 1, 1, tzinfo=UTC)),
    ],
)
def test_since_is_a_date_or_a_time(text: str, moment: datetime) -> None:
    """ISO 8601, UTC unless it says otherwise; a plus that became a space is understood."""
    assert parsing.since(_get(since=text), NOW) == moment


@pytest.mark.parametrize("body", [b'{"invoiceId": ' + b"1" * 5000 + b"}", b"[" * 9000, b"\xff", b""])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    """Numbers without end, depths without end, bytes that are no text."""
    with pytest.raises(InvalidRequest, match="JSON object"):
        parsing.export_request(func.HttpRequest("POST", "/api/exports", body=body))


def test_without_since_forty_days_are_listed() -> None:
    """The last month's runs and this month's."""
    assert parsing.since(_get(), NOW) == datetime(2026, 10, 13, 8, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "0001-01-01T00:00:00+14:00", "9" * 99])
def test_a_date_that_is_none_is_refused(text: str) -> None:
    """With the field's name."""
    with pytest.raises(InvalidRequest) as refused:
        parsing.since(_get(since=text), NOW)
    assert refused.value.faults[0][0] == "since"
