"""What can go wrong while blobs are copied."""

import pytest

from local.emulator import Answer, Fault
from local.emulator.faults.fault import RequestKind
from tests.faults.bench import Bench

THIRD = "part-00002"
WITHOUT_MD5 = Fault(request="blob", headers={"Content-MD5": None})
"""Where a blob comes without its MD5, its properties are asked for as well."""


@pytest.mark.parametrize("request_kind", ["blob", "blob-head"])
def test_one_refusal_costs_one_more_request(bench: Bench, request_kind: RequestKind) -> None:
    """Whatever storage answers once for a blob, that blob is copied with the next try."""
    statuses = zip(bench.blobs, [401, 403, 404, 429, 500, 503], strict=True)
    faults = [
        Fault(request=request_kind, path=name, occurrence=1, answer=Answer(status=status)) for name, status in statuses
    ]
    bench.export(WITHOUT_MD5, *faults)
    bench.require_success()
    assert all(bench.emulator.fired.count(fault) == 1 for fault in faults)
    assert bench.posts == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault(request="blob", path=THIRD, occurrence=1, cut="before-header"),
        Fault(request="blob", path=THIRD, occurrence=1, cut="after-header"),
        Fault(request="blob", path=THIRD, occurrence=1, cut=10),
        Fault(request="blob-head", path=THIRD, occurrence=1, cut="before-header"),
        Fault(request="blob", path=THIRD, occurrence=1, delay=0.5),
        Fault(request="blob", path=THIRD, occurrence=[1, 2], flip=7),
        Fault(request="blob", path=THIRD, occurrence=1, answer=Answer(status=200, text="short but whole")),
        Fault(request="blob-head", path=THIRD, occurrence=1, headers={"ETag": '"another"'}),
        Fault(request="blob-head", path=THIRD, occurrence=1, headers={"Content-Length": "3"}),
    ],
    ids=lambda fault: f"{fault.request} {fault.cut or fault.flip or fault.headers or fault.delay or 'short'}",
)
def test_a_damaged_answer_costs_another_one(bench: Bench, fault: Fault) -> None:
    """Cut, slow, altered or contradictory answers never land; the next one does."""
    bench.export(fault, *([WITHOUT_MD5] if fault.request == "blob-head" else []))
    bench.require_success()
    assert fault in bench.emulator.fired


def test_blobs_without_md5_are_measured_here(bench: Bench) -> None:
    """Where storage tells no MD5, what landed has one all the same."""
    bench.export(WITHOUT_MD5, Fault(request="blob-head", headers={"Content-MD5": None}))
    bench.require_success()


def test_blobs_without_etag_are_copied(bench: Bench) -> None:
    """Where storage tells no eTag, there is no condition to set."""
    bench.export(Fault(request="blob", headers={"ETag": None}))
    bench.require_success()


def test_empty_blobs_land(bench: Bench) -> None:
    """A blob of no bytes is a blob."""
    bench.blobs = {"empty.json.gz": b"", "full.json.gz": b"x"}
    bench.export()
    bench.require_success()


def test_a_blob_that_is_missing_for_good_is_named(bench: Bench) -> None:
    """The failure says which blob is missing, and that a person should tell Microsoft."""
    bench.export(Fault(request="blob", path=THIRD, answer=Answer(status=404)))
    message = bench.require_failure("SourceMissing", "which blob of the manifest is missing")
    assert f"{THIRD}.json.gz" in message
    assert "404" in message
    assert len(list(bench.landing.rglob("part-*"))) >= 4
    assert bench.posts == 3


def test_bytes_that_never_have_their_md5_never_land(bench: Bench) -> None:
    """A blob that arrives altered however often fails the export."""
    bench.export(Fault(request="blob", path=THIRD, flip=7))
    assert "MD5" in bench.require_failure("SourceUnavailable", "Start the export again")
    assert not list(bench.landing.rglob(f"{THIRD}*"))


def test_a_token_that_expires_in_the_middle_is_renewed(bench: Bench) -> None:
    """The manifest is read anew, and no blob is copied twice."""
    bench.export(
        Fault(request="blob", delay=0.5),
        settings={"COPY_CONCURRENCY": "1", "COPY_BATCH_SIZE": "6"},
        sas_seconds=1,
    )
    bench.require_success()
    copied = [
        r.path for r in bench.emulator.requests if r.method == "GET" and "/exports/" in r.path and r.status == 200
    ]
    assert len(copied) == len(set(copied)) == len(bench.blobs)
    assert any(request.status == 403 for request in bench.emulator.requests)
    assert bench.count("GET", "/operations/") > 1
    assert bench.posts == 1


def test_a_token_that_is_never_accepted_ends_in_a_failure(bench: Bench) -> None:
    """Storage that refuses every token fails the export, which commits nothing."""
    bench.export(Fault(request="blob", answer=Answer(status=403)))
    assert "SAS token" in bench.require_failure("SourceExpired", "which brings a new token")
