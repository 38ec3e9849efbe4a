"""Whatever callers send and Microsoft answers: an answer, an end, and no exception that nobody foresaw."""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.responses import JSONResponse, Response

from tests.faults.bench import INVOICE, WITHOUT_TLS, App, Bench

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
)
FIELDS = st.sampled_from(["invoiceId", "attributeSet", "dataset", "more"])
VALUES = JSON | st.sampled_from([INVOICE, "G000000042", "full", "basic", "billedUsage"])
BODIES = st.binary(max_size=60) | (JSON | st.dictionaries(FIELDS, VALUES)).map(lambda body: json.dumps(body).encode())
IDS = st.text(min_size=1, max_size=40).filter(lambda id_: "/" not in id_ and id_.strip(".")) | st.from_regex(
    r"billedUsage-G[0-9]{4,16}-(full|basic)", fullmatch=True
)
SINCE = st.text(max_size=30) | st.datetimes().map(str) | st.dates().map(str)

NAMES = st.sampled_from(["part-0.gz", "a/b.gz", "_SUCCESS", "../up", "a//b", ""]) | st.text(max_size=12)
ROOTS = st.sampled_from(["{real}", "{real}/", "https://evil.example/x", "", "http://[::1"]) | JSON
GOOD = {"eTag": "good", "sasToken": "sig=good", "rootDirectory": "{real}", "blobs": [{"name": "part-0.gz"}]}
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "blobs": st.lists(NAMES.map(lambda name: {"name": name}), max_size=3) | JSON,
        "eTag": st.text(max_size=12) | JSON,
        "sasToken": st.text(max_size=12) | JSON,
        "rootDirectory": ROOTS,
        "partnerTenantId": JSON,
        "blobCount": JSON,
        "createdDateTime": JSON | st.datetimes().map(str),
    },
)
SUCCESSES = CHANGES.map(lambda changes: {"status": "succeeded", "resourceLocation": GOOD | changes})
ENDINGS = st.fixed_dictionaries(
    {"status": st.sampled_from(["succeeded", "failed", "Completed"])},
    optional={"resourceLocation": JSON, "error": JSON | st.fixed_dictionaries({"code": JSON, "message": JSON})},
)


def few(examples: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """So many examples, always the same ones."""
    return settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def require_foreseen(answer: httpx.Response) -> None:
    """The answer is a success, or a problem document with all that one needs."""
    assert answer.status_code < 500, answer.text
    if answer.is_success:
        assert answer.json() is not None
        return
    problem = answer.json()
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert problem["status"] == answer.status_code
    assert problem["title"]
    assert problem["detail"]


def test_any_call_is_answered(bench: Bench) -> None:
    """No body, id or date gets a 5xx; every refusal is a problem document."""

    def call_with_anything(http: httpx.Client) -> None:
        @few(50)
        @given(BODIES, IDS, SINCE)
        @example(b"", "billedUsage-G016907411-full", "9999-12-31")
        @example(b"[" * 9000, "..%2f", "0001-01-01T00:00:00+14:00")
        def check(body: bytes, id_: str, since: str) -> None:
            require_foreseen(http.post("/api/exports", content=body))
            require_foreseen(http.get(f"/api/exports/{quote(id_, safe='')}"))
            require_foreseen(http.delete(f"/api/exports/{quote(id_, safe='')}"))
            require_foreseen(http.get("/api/exports", params={"since": since}))

        check()

    async def scenario(app: App) -> None:
        with httpx.Client(base_url=app.url, verify=WITHOUT_TLS) as http:
            await asyncio.to_thread(call_with_anything, http)

    bench.play(scenario)
    assert "Traceback" not in bench.log


def filled(value: Any, real: str) -> Any:
    """The JSON, with the real root directory where it says so."""
    return json.loads(json.dumps(value).replace("{real}", real))


def test_any_operation_and_manifest_come_to_an_end(bench: Bench) -> None:
    """Whatever an ended operation says, the export succeeds, or fails with code, message and remedy."""
    statuses: list[dict[str, Any]] = []

    def export_anything(app: App, loop: asyncio.AbstractEventLoop) -> None:
        @few(40)
        @given(SUCCESSES | ENDINGS)
        @example({"status": "succeeded", "resourceLocation": GOOD})
        @example({"status": "succeeded", "resourceLocation": GOOD | {"blobs": [{"name": "\x00"}]}})
        @example({"status": "succeeded", "resourceLocation": GOOD | {"blobs": [{"name": "x" * 2000}]}})
        def check(operation: dict[str, Any]) -> None:
            bench.gate.answers = lambda request: answer(request, operation)
            status = asyncio.run_coroutine_threadsafe(app.export(), loop).result(30)
            statuses.append(status)
            require_ended(status)

        check()

    def answer(request: str, operation: dict[str, Any]) -> Response | None:
        if "/operations/" in request:
            return JSONResponse(filled(operation, f"{bench.base_url}/exports/x"))
        return Response(b"any bytes") if "/exports/" in request else None

    async def scenario(app: App) -> None:
        await asyncio.to_thread(export_anything, app, asyncio.get_running_loop())

    bench.play(scenario, settings={"EXPORT_ATTEMPTS": "1"})
    assert {status["state"] for status in statuses} == {"succeeded", "failed"}
    assert "Traceback" not in bench.log


def require_ended(status: dict[str, Any]) -> None:
    """The export succeeded, or failed for a reason that was foreseen."""
    assert status["state"] in {"succeeded", "failed"}
    if status["state"] == "succeeded":
        assert status["result"]["version"]
        return
    error = status["error"]
    assert error["code"] not in {"Unknown", "Unexpected", ""}
    assert error["message"]
    assert error["remedy"]
