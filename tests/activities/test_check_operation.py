"""Reading an operation, and making the plan."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from catalog.export_request import ExportRequest
from failures import ANEW, FINAL, LATER
from messages.exports import CheckOperation, OperationAnswer
from messages.names import CHECK_OPERATION
from tests.activities.conftest import BASE_URL, REQUEST, Bench, MakeBench, call, in_vain

INVOICE = REQUEST.values["invoiceId"]
UNKNOWN = f"{BASE_URL}/reports/partners/billing/operations/00000000-0000-4000-8000-000000000000"


def _check(bench: Bench, request: ExportRequest = REQUEST, answer: httpx.Response | None = None) -> OperationAnswer:
    """What the first check of a new export answers; `answer` is what Graph says to it."""

    async def scenario() -> OperationAnswer:
        started = await bench.start(request)
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
    told = in_vain(lambda: _check(bench, ExportRequest.of_invoice("G099999999")))
    assert (told.kind, told.problem.code) == (FINAL, "5000")
    assert "No data available" in told.problem.message


def test_any_other_failure_may_be_mended_by_a_new_export(bench: Bench) -> None:
    """Microsoft's own advice for other codes is to start again."""
    told = in_vain(lambda: _check(bench, answer=_failed("1234")))
    assert (told.kind, told.problem.code) == (ANEW, "1234")


def test_an_operation_that_is_not_there_is_gone(bench: Bench) -> None:
    """A new export brings a new one."""
    told = in_vain(lambda: bench.run(lambda: bench.check(UNKNOWN)))
    assert (told.kind, told.problem.code) == (ANEW, "ResourceNotFound")


def test_an_operation_that_may_not_be_known_yet_is_asked_for_again(bench: Bench) -> None:
    """A 404 right after the start may only mean that Microsoft has not caught up."""
    order = CheckOperation(UNKNOWN, may_be_too_early=True)
    told = in_vain(lambda: bench.run(lambda: call(CHECK_OPERATION, order)))
    assert (told.kind, told.problem.code) == (LATER, "ResourceNotFound")


def test_an_operation_whose_linked_manifest_is_gone_is_gone(make_bench: MakeBench) -> None:
    """A manifest that cannot be read any more needs a new export."""
    bench = make_bench(linked_manifest=True)

    def manifest_gone(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(410) if "/manifests/" in request.url.path else None

    bench.graph.interfere = manifest_gone

    async def scenario() -> OperationAnswer:
        started = await bench.start()
        return await bench.check(started.operation_url)

    assert in_vain(lambda: bench.run(scenario)).kind == ANEW


def test_an_outage_is_for_the_orchestrator_to_wait_through(bench: Bench) -> None:
    """A throttled poll is polled again, after as long as the service asked for."""
    told = in_vain(lambda: _check(bench, answer=httpx.Response(429, headers={"Retry-After": "120"})))
    assert (told.kind, told.problem.code, told.retry_after) == (LATER, "HTTP429", 120)


def test_a_poll_that_is_forbidden_is_polled_again(bench: Bench) -> None:
    """The export itself was allowed; Microsoft's request id is told meanwhile."""
    told = in_vain(lambda: _check(bench, answer=httpx.Response(403, headers={"request-id": "1f0c3b2a"})))
    assert (told.kind, told.problem.request_id) == (LATER, "1f0c3b2a")


def test_an_operation_of_another_origin_is_not_asked(bench: Bench) -> None:
    """The bearer token stays at home, whatever URL the history holds."""
    told = in_vain(lambda: bench.run(lambda: bench.check("https://graph.example.com/operations/1")))
    assert (told.kind, told.problem.code) == (FINAL, "ForeignOrigin")
    assert bench.graph.requests == []


@pytest.mark.parametrize("name", ["../escape.json.gz", "a//b", "/absolute", "back\\slash", "line\nbreak", "x" * 900])
def test_a_name_that_cannot_land_is_final(bench: Bench, name: str) -> None:
    """A manifest with one unsafe name is refused before anything is written."""
    bench.emulator.use_data(INVOICE, {"part-0.json.gz": b"1", name: b"2"}, e_tag="unsafe")
    told = in_vain(lambda: _check(bench))
    assert (told.kind, told.problem.code) == (FINAL, "UnsafeName")
    assert not bench.folder.exists()


def test_names_that_would_land_as_one_are_final(bench: Bench) -> None:
    """No blob can take the place of another."""
    bench.emulator.use_data(INVOICE, {"_a": b"1", "%5Fa": b"2"}, e_tag="two as one")
    assert in_vain(lambda: _check(bench)).kind == FINAL


def _with_root(root: str) -> Callable[[Bench], httpx.Response]:
    manifest: dict[str, Any] = {"eTag": "e", "blobs": [], "rootDirectory": root, "sasToken": "sig=x", "blobCount": 0}
    return lambda _: httpx.Response(200, json={"status": "succeeded", "resourceLocation": manifest})


def test_blobs_on_a_foreign_host_are_final(bench: Bench) -> None:
    """No blob is read from where nobody allowed it."""
    told = in_vain(lambda: _check(bench, answer=_with_root("https://blobs.example.com/x")(bench)))
    assert (told.kind, told.problem.code) == (FINAL, "ForeignSource")
