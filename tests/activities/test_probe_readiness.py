"""Trying out what the app needs."""

from collections.abc import Awaitable
from typing import Any

import httpx
import pytest

from messages.encoding import Message
from messages.names import PROBE_READINESS
from tests.activities.conftest import Bench, call

FINE = {"landing": None, "graph": None, "partnerCenter": None}


def _probe() -> Awaitable[Any]:
    return call(PROBE_READINESS, Message())


def test_nothing_is_missing(bench: Bench) -> None:
    """What was tried left nothing behind but the file that proves the right to write: no export."""
    assert bench.run(_probe) == FINE
    assert not [request for request in bench.graph.requests if request.method == "POST"]
    assert [path.name for path in bench.folder.rglob("*") if path.is_file()] == ["_rights"]


@pytest.mark.parametrize(
    ("path", "status", "lacking", "code"),
    [
        ("/billing/operations/", 401, "graph", "HTTP401"),
        ("/billing/operations/", 403, "graph", "HTTP403"),
        ("/billing/operations/", 503, "graph", "HTTP503"),
        ("/invoices", 401, "partnerCenter", "HTTP401"),
        ("/invoices", 403, "partnerCenter", "HTTP403"),
        ("/invoices", 503, "partnerCenter", "HTTP503"),
    ],
)
def test_what_a_service_refuses_is_told_with_its_remedy(
    bench: Bench, path: str, status: int, lacking: str, code: str
) -> None:
    """Each service by itself; the others are tried all the same."""
    bench.graph.interfere = lambda request: httpx.Response(status) if path in request.url.path else None
    found = bench.run(_probe)
    assert found | {lacking: None} == FINE
    assert found[lacking]["code"] == code
    assert found[lacking]["remedy"]


@pytest.mark.parametrize("status", [400, 404, 410])
def test_an_operation_that_nobody_started_need_not_be_there(bench: Bench, status: int) -> None:
    """Who is told so may read partner billing."""
    bench.graph.interfere = lambda request: httpx.Response(status) if "/operations/" in request.url.path else None
    assert bench.run(_probe) == FINE


def test_a_landing_zone_that_takes_nothing_is_told(bench: Bench) -> None:
    """The one thing that the app must be able to write to."""
    bench.folder.mkdir(exist_ok=True)
    (bench.folder / "_rights").mkdir()
    found = bench.run(_probe)
    assert found | {"landing": None} == FINE
    assert found["landing"]["code"] in {"LandingRefused", "LandingUnavailable"}
