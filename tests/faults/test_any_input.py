"""Whatever callers send and Microsoft answers: an answer, an end, and no exception that nobody foresaw."""

import json
from functools import partial
from typing import Any
from urllib.parse import quote

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from starlette.responses import Response

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


def drawn(examples: int, *strategies: SearchStrategy[Any]) -> list[tuple[Any, ...]]:
    """So many examples, always the same ones: each a tuple of what the strategies make.

    They are drawn before a host runs: while Hypothesis draws, nobody else may use the global random generator, as the
    host's threads do.
    """
    found: list[tuple[Any, ...]] = []

    @settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.tuples(*strategies))
    def draw(example: tuple[Any, ...]) -> None:
        found.append(example)

    draw()
    return found


def require_foreseen(answer: httpx.Response) -> None:
    """The answer is a success, or a problem document with all that one needs."""
    assert answer.status_code < 500, (answer.request.url, answer.request.content, answer.text)
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
    calls = [
        (b"", "billedUsage-G016907411-full", "9999-12-31"),
        (b"[" * 9000, "..%2f", "0001-01-01T00:00:00+14:00"),
        *drawn(50, BODIES, IDS, SINCE),
    ]

    async def scenario(app: App) -> None:
        async with httpx.AsyncClient(base_url=app.url, verify=WITHOUT_TLS) as http:
            for body, id_, since in calls:
                require_foreseen(await http.post("/api/exports", content=body))
                require_foreseen(await http.get(f"/api/exports/{quote(id_, safe='')}"))
                require_foreseen(await http.delete(f"/api/exports/{quote(id_, safe='')}"))
                require_foreseen(await http.get("/api/exports", params={"since": since}))

    bench.play(scenario)
    assert "Traceback" not in bench.log


def filled(value: Any, real: str) -> str:
    """The JSON as text, infinite numbers included, with the real root directory where it says so."""
    return json.dumps(value).replace("{real}", real)


def test_any_operation_and_manifest_come_to_an_end(bench: Bench) -> None:
    """Whatever an ended operation says, the export succeeds, or fails with code, message and remedy."""
    operations = [
        {"status": "succeeded", "resourceLocation": GOOD},
        {"status": "succeeded", "resourceLocation": GOOD | {"blobs": [{"name": "\x00"}]}},
        {"status": "succeeded", "resourceLocation": GOOD | {"blobs": [{"name": "x" * 2000}]}},
        *(operation for (operation,) in drawn(40, SUCCESSES | ENDINGS)),
    ]
    statuses: list[dict[str, Any]] = []

    def answer(request: str, operation: dict[str, Any]) -> Response | None:
        if "/operations/" in request:
            return Response(filled(operation, f"{bench.base_url}/exports/x"), media_type="application/json")
        return Response(b"any bytes") if "/exports/" in request else None

    async def scenario(app: App) -> None:
        for operation in operations:
            bench.gate.answers = partial(answer, operation=operation)
            statuses.append(await app.export())
            require_ended(statuses[-1])

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
