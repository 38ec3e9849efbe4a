"""Faults as a caller meets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from local.emulator import Answer, Fault
from local.emulator.faults.injector import ConnectionCut

if TYPE_CHECKING:
    from tests.local.emulator.conftest import Call, Caller


def _statuses(caller: Caller, count: int) -> list[int]:
    url = caller.start()
    return [caller.send("GET", url).status_code for _ in range(count)]


@pytest.mark.parametrize(
    ("occurrence", "hit"),
    [
        (2, [200, 503, 200, 200]),
        ([1, 3], [503, 200, 503, 200]),
        (range(2, 4), [200, 503, 503, 200]),
        ("every", [503, 503, 503, 503]),
    ],
)
def test_a_fault_happens_at_its_occurrences(call: Call, occurrence: Any, hit: list[int]) -> None:
    """A fault counts the requests that it is about, from 1 on."""
    fault = Fault(request="operation", occurrence=occurrence, answer=Answer(status=503))
    caller = call(fault)
    assert _statuses(caller, 4) == hit
    assert caller.emulator.fired == [fault] * hit.count(503)


def test_a_path_narrows_a_fault_to_one_dataset(call: Call) -> None:
    """Exports are posted, and blobs lie, below a path that tells the dataset."""
    refused = Answer(status=503)
    caller = call(
        Fault(request="export", path="/reconciliation/unbilled/", answer=refused),
        Fault(request="blob", path="/exports/billedReconciliation/", answer=refused),
    )
    invoice, period = {"invoiceId": "G016907411"}, {"currencyCode": "EUR", "billingPeriod": "last"}
    posts = [caller.post(*one) for one in (("unbilledReconciliation", period), ("unbilledUsage", period))]
    assert [post.status_code for post in posts] == [503, 202]
    for dataset, status in (("billedReconciliation", 503), ("billedUsage", 200)):
        manifest = caller.ended(dataset, invoice)["resourceLocation"]
        assert caller.blob(manifest, manifest["blobs"][0]["name"]).status_code == status


def test_a_scripted_answer_does_not_take_the_operation_on(call: Call) -> None:
    """The real operation is not asked, and so has its polls still before it; the request is remembered."""
    caller = call(Fault(request="operation", occurrence=1, answer=Answer(status=503)), running_polls=1)
    url = caller.start()
    assert caller.send("GET", url).status_code == 503
    assert [caller.send("GET", url).json()["status"] for _ in range(2)] == ["running", "succeeded"]
    assert [request.status for request in caller.emulator.requests] == [202, 503, 200, 200]


def test_a_refusal_has_the_body_that_the_service_gives_it(call: Call) -> None:
    """Graph, Partner Center and storage each refuse in their own form."""
    refused = Answer(status=429, headers={"Retry-After": "1"})
    caller = call(
        Fault(request="export", occurrence=2, answer=refused),
        Fault(request="invoices", answer=refused),
        Fault(request="blob", answer=refused),
        Fault(request="blob-head", answer=refused),
    )
    manifest = caller.manifest()
    graph = caller.send("POST", "/v1.0/reports/partners/billing/usage/billed/export", json={})
    invoices = caller.send("GET", "/v1/invoices")
    blob, head = (caller.blob(manifest, "any", method) for method in ("GET", "HEAD"))
    assert graph.json()["error"]["code"] == "TooManyRequests"
    assert graph.json()["error"]["innerError"]["request-id"] == graph.headers["request-id"]
    assert invoices.json()["code"] == "429"
    assert "<Code>TooManyRequests</Code>" in blob.text
    assert (head.text, head.headers["x-ms-error-code"]) == ("", "TooManyRequests")
    assert {answer.headers["Retry-After"] for answer in (graph, invoices, blob, head)} == {"1"}


def test_answers_can_be_given_whole(call: Call) -> None:
    """An answer of its own has the JSON or the text that the script gives it."""
    caller = call(
        Fault(request="operation", occurrence=1, answer=Answer(status=200, json={"status": "someday"})),
        Fault(request="operation", occurrence=2, answer=Answer(status=502, text="Bad luck")),
    )
    url = caller.start()
    assert caller.send("GET", url).json() == {"status": "someday"}
    assert caller.send("GET", url).text == "Bad luck"


def test_real_answers_can_be_changed(call: Call) -> None:
    """A merge patch removes, sets and fills in members; headers change alike."""
    caller = call(
        Fault(
            request="operation",
            headers={"Content-Type": None, "X-Length": "{real}", "Content-Length": "{real}"},
            merge={"status": None, "new": {"a": 1}, "resourceLocation": {"rootDirectory": "https://x{path}", "id": 5}},
        ),
        running_polls=0,
    )
    answer = caller.send("GET", caller.start())
    document = answer.json()
    assert "status" not in document
    assert document["new"] == {"a": 1}
    assert document["resourceLocation"]["rootDirectory"].startswith("https://x/exports/")
    assert document["resourceLocation"]["id"] == 5
    assert document["resourceLocation"]["blobCount"] == 2
    assert "Content-Type" not in answer.headers
    assert int(answer.headers["Content-Length"]) == len(answer.content)


def test_a_flipped_byte_is_the_only_difference(call: Call) -> None:
    """Exactly the byte at the offset differs, while the announced MD5 stays."""
    caller = call(Fault(request="blob", occurrence=2, flip=3))
    manifest = caller.manifest()
    name = manifest["blobs"][0]["name"]
    real, flipped = (caller.blob(manifest, name) for _ in range(2))
    assert [i for i, (a, b) in enumerate(zip(real.content, flipped.content, strict=True)) if a != b] == [3]
    assert real.headers["Content-MD5"] == flipped.headers["Content-MD5"]


def test_a_path_narrows_a_fault(call: Call) -> None:
    """Only requests with this part in their path are counted and hit."""
    caller = call(Fault(request="blob", path="part-00001", occurrence=1, answer=Answer(status=404)))
    manifest = caller.manifest()
    assert [caller.blob(manifest, blob["name"]).status_code for blob in manifest["blobs"]] == [200, 404]


def test_faults_that_meet_happen_together(call: Call) -> None:
    """Several faults of one request change its answer in the script's order."""
    faults = [Fault(request="operation", merge={"status": word}) for word in ("first", "second")]
    caller = call(*faults)
    assert caller.send("GET", caller.start()).json()["status"] == "second"
    assert caller.emulator.fired == faults


@pytest.mark.parametrize("cut", ["before-header", "after-header", 5])
def test_a_caller_in_the_same_process_is_told_of_a_cut(call: Call, cut: Any) -> None:
    """Without a connection there is an exception in its place."""
    caller = call(Fault(request="operation", cut=cut))
    url = caller.start()
    with pytest.raises(ConnectionCut):
        caller.send("GET", url)


def test_contradictory_faults_cannot_be_made() -> None:
    """What makes no sense together is said when it is written down."""
    with pytest.raises(ValueError, match="needs an effect"):
        Fault(request="blob")
    with pytest.raises(ValueError, match="excludes headers, merge, flip"):
        Fault(request="operation", answer=Answer(status=503), merge={"a": 1})
    with pytest.raises(ValueError, match="not both"):
        Answer(status=200, json={}, text="")
