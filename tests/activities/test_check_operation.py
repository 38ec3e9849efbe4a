"""Reading an operation, and making the plan."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from catalog.export_request import ExportRequest
from messages.exports import OperationAnswer
from tests.activities.conftest import BASE_URL, REQUEST, Bench, CalledInVain, MakeBench

INVOICE = REQUEST.values["invoiceId"]
UNKNOWN = f"{BASE_URL}/reports/partners/billing/operations/00000000-0000-4000-8000-000000000000"


def _check(bench: Bench, request: ExportRequest = REQUEST, answer: httpx.Response | None = None) -> OperationAnswer:
    """What the first check of a new export answers; `answer` is what Graph says to it."""

    async def scenario() -> OperationAnswer:
        started = await bench.start(request)
        assert started.operation_url is not None
        bench.graph.interfere = lambda _: answer
        return await bench.check(started.operation_url)

    return bench.run(scenario)


def _failed(code: str) -> httpx.Response:
    return httpx.Response(200, json={"status": "failed", "error": {"code": code, "message": "Internal failure"}})


def test_a_running_operation_says_when_to_ask_again(make_bench: MakeBench) -> None:
    """`Retry-After` is handed on to the orchestrator's timer."""
    assert _check(make_bench(running_polls=1, retry_after=7)) == OperationAnswer("running", 7)


@pytest.mark.parametrize("linked", [False, True])
def test_a_finished_operation_brings_a_plan(make_bench: MakeBench, linked: bool) -> None:
    """The plan counts the blobs and names the manifest, be it embedded in the operation or linked."""
    answer = _check(make_bench(linked_manifest=linked, blobs=3))
    assert answer.state == "succeeded"
    assert answer.plan is not None
    assert answer.plan.blob_count == 3
    assert answer.plan.e_tag
    assert ("manifests" if linked else "operations") in answer.plan.manifest_url


def test_a_plan_holds_no_secret_and_no_names(bench: Bench) -> None:
    """What Durable stores for good neither reads a blob nor grows with their number."""
    answer = json.dumps(_check(bench).to_json())
    bench.require_no_secret(answer)
    assert "sig" not in answer
    assert "part-" not in answer


def test_the_same_data_has_the_same_plan_whoever_asks(bench: Bench) -> None:
    """Two exports of one invoice agree on the digest; other data has another."""
    first, second = _check(bench).plan, _check(bench).plan
    bench.emulator.restate(INVOICE, 1)
    third = _check(bench).plan
    assert first is not None
    assert second is not None
    assert third is not None
    assert first.digest == second.digest != third.digest


def test_an_export_without_data_is_final(bench: Bench) -> None:
    """Error 5000 says that there is none: no new export is worth a try."""
    answer = _check(bench, ExportRequest.of_invoice("G099999999"))
    assert answer.state == "final"
    assert answer.problem is not None
    assert (answer.problem.code, answer.plan) == ("5000", None)
    assert "No data available" in answer.problem.message


def test_any_other_failure_may_be_mended_by_a_new_export(bench: Bench) -> None:
    """Microsoft's own advice for other codes is to start again."""
    answer = _check(bench, answer=_failed("1234"))
    assert answer.state == "failed"
    assert answer.problem is not None
    assert answer.problem.code == "1234"


def test_an_operation_that_is_not_there_is_gone(bench: Bench) -> None:
    """A 404 is told as such; whether it is too early to believe it, the orchestrator decides."""
    answer = bench.run(lambda: bench.check(UNKNOWN))
    assert answer.state == "gone"
    assert answer.problem is not None
    assert answer.problem.code == "ResourceNotFound"


def test_an_operation_whose_linked_manifest_is_gone_is_gone(make_bench: MakeBench) -> None:
    """A manifest that cannot be read any more needs a new export."""
    bench = make_bench(linked_manifest=True)

    def manifest_gone(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(410) if "/manifests/" in request.url.path else None

    bench.graph.interfere = manifest_gone

    async def scenario() -> OperationAnswer:
        started = await bench.start()
        return await bench.check(str(started.operation_url))

    assert bench.run(scenario).state == "gone"


def test_an_outage_is_for_the_orchestrator_to_wait_through(bench: Bench) -> None:
    """A throttled poll is polled again, after as long as the service asked for."""
    with pytest.raises(CalledInVain, match="HTTP429") as told:
        _check(bench, answer=httpx.Response(429, headers={"Retry-After": "120"}))
    assert told.value.not_now.retry_after == 120


def test_a_poll_that_is_forbidden_is_final(bench: Bench) -> None:
    """A permission that was taken away is told with Microsoft's request id."""
    answer = _check(bench, answer=httpx.Response(403, headers={"request-id": "1f0c3b2a"}))
    assert answer.state == "final"
    assert answer.problem is not None
    assert answer.problem.request_id == "1f0c3b2a"


def test_an_operation_of_another_origin_is_not_asked(bench: Bench) -> None:
    """The bearer token stays at home, whatever URL the history holds."""
    answer = bench.run(lambda: bench.check("https://graph.example.com/operations/1"))
    assert answer.state == "final"
    assert bench.graph.requests == []


@pytest.mark.parametrize("name", ["../escape.json.gz", "a//b", "/absolute", "back\\slash", "line\nbreak", "x" * 900])
def test_a_name_that_cannot_land_is_final(bench: Bench, name: str) -> None:
    """A manifest with one unsafe name is refused before anything is written."""
    bench.emulator.use_data(INVOICE, {"part-0.json.gz": b"1", name: b"2"}, e_tag="unsafe")
    answer = _check(bench)
    assert answer.state == "final"
    assert answer.problem is not None
    assert answer.problem.code == "UnsafeName"
    assert not bench.folder.exists()


def test_names_that_would_land_as_one_are_final(bench: Bench) -> None:
    """No blob can take the place of another."""
    bench.emulator.use_data(INVOICE, {"_a": b"1", "%5Fa": b"2"}, e_tag="two as one")
    assert _check(bench).state == "final"


def _with_root(root: str) -> Callable[[Bench], httpx.Response]:
    manifest: dict[str, Any] = {"eTag": "e", "blobs": [], "rootDirectory": root, "sasToken": "sig=x", "blobCount": 0}
    return lambda _: httpx.Response(200, json={"status": "succeeded", "resourceLocation": manifest})


def test_blobs_on_a_foreign_host_are_final(bench: Bench) -> None:
    """No blob is read from where nobody allowed it."""
    answer = _check(bench, answer=_with_root("https://blobs.example.com/x")(bench))
    assert answer.state == "final"
    assert answer.problem is not None
    assert answer.problem.code == "ForeignSource"
