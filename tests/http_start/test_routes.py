"""What the routes answer when the app is not configured, and what they make of dates."""

import asyncio
import json
import os
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

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


ID = "monthly-2026-10:billedUsage-G016907411-full"
BASE = "https://exports.example.com/api/exports"


def _look(status: str, url: str, given: str = ID, **query: str) -> func.HttpResponse:
    """What `GET` at this URL answers of a run in this state of Durable's."""
    durable = FakeDurable()
    durable.add(ID, status, output={})
    (get,) = [route for route in index(function_app.app).routes if route.name == "get_export"]
    request = func.HttpRequest("GET", url, params=query, route_params={"id": given}, body=b"")
    answer: func.HttpResponse = asyncio.run(get.call.client_function(req=request, client=durable))  # type: ignore[attr-defined]
    return answer


@pytest.mark.parametrize("status", ["Pending", "Running", "ContinuedAsNew", "Suspended"])
def test_a_run_that_has_not_ended_is_accepted_only(status: str) -> None:
    """202 says where to look again, and when: clients that know the pattern wait by themselves."""
    answer = _look(status, f"{BASE}/{ID}")
    assert (answer.status_code, answer.headers["Location"]) == (202, f"{BASE}/{ID}")
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("status", ["Completed", "Failed", "Terminated", "Canceled"])
def test_a_run_that_has_ended_is_answered_with_200(status: str) -> None:
    """Also one that failed: its state says so."""
    answer = _look(status, f"{BASE}/{ID}")
    assert answer.status_code == 200
    assert not {"Location", "Retry-After"} & set(answer.headers)


@pytest.mark.parametrize("status", ["Running", "Completed"])
def test_no_answer_is_kept_by_a_cache(status: str) -> None:
    """A status holds for now; so does that there is none."""
    assert _look(status, f"{BASE}/{ID}").headers["Cache-Control"] == "no-store"
    unknown = _look(status, f"{BASE}/no-such-run", "no-such-run")
    assert (unknown.status_code, unknown.headers["Cache-Control"]) == (404, "no-store")


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ({}, ""),
        ({"code": "a+b/c=="}, "?code=a%2Bb%2Fc%3D%3D"),
        ({"since": "2026-10-01"}, ""),
        ({"x": "1", "code": "k"}, "?code=k"),
    ],
)
def test_a_location_keeps_of_the_query_only_the_key(query: dict[str, str], kept: str) -> None:
    """Whoever gives the key in the URL may follow the location, and nothing else of the query lives on."""
    answer = _look("Running", f"{BASE}/{ID}?{urlencode(query)}", **query)
    assert answer.headers["Location"] == f"{BASE}/{ID}{kept}"


@pytest.mark.parametrize("given", [ID, ID.replace(":", "%3A"), ID.replace(":", "%3a")])
def test_the_colon_of_an_id_may_be_percent_encoded(given: str) -> None:
    """Some clients encode whatever they put into a path."""
    assert _look("Completed", f"{BASE}/{given}", given).status_code == 200


@pytest.mark.parametrize("given", ["notice-5c2e1d0a", f"cancel-{ID}", f"{ID}:poll:5d1c0f2a", f"{ID}:", "readiness-1"])
def test_what_the_app_does_besides_is_not_found(given: str) -> None:
    """Only what a notice may tell of can be watched."""
    durable = FakeDurable()
    durable.add(given, "Running")
    assert _look("Running", f"{BASE}/{given}", given).status_code == 404


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
