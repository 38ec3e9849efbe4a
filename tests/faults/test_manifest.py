"""What a manifest can say."""

from typing import Any

import pytest

from local.emulator import Answer, Fault
from tests.faults.bench import Bench


def manifest(**changes: Any) -> Fault:
    """The manifest is always changed so."""
    return Fault(request="operation", merge={"resourceLocation": changes})


def test_an_export_without_blobs_is_committed(bench: Bench) -> None:
    """No blobs are data as well: the version is empty, committed and pointed to."""
    bench.blobs = {}
    bench.export()
    bench.require_success()
    assert bench.status["result"]["blobCount"] == 0
    assert (bench.version / "_SUCCESS").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"blobCount": 7},
        {"blobCount": "6"},
        {"blobs": [{"name": "a"}, {"name": "a"}], "blobCount": 2},
        {"blobs": None},
        {"eTag": None},
        {"sasToken": None},
        {"rootDirectory": "{real}?query"},
        {"partnerTenantId": "../.."},
    ],
    ids=str,
)
def test_a_contradictory_manifest_is_refused(bench: Bench, changes: dict[str, Any]) -> None:
    """A manifest that does not add up ends the export; nothing is copied."""
    bench.export(manifest(**changes))
    assert "The manifest cannot be used" in bench.require_failure("BadManifest", "Start the export again")
    assert bench.count("HEAD", "/exports/") == bench.count("GET", "/exports/") == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"rootDirectory": "{real}/"},
        {"sasToken": "?{real}"},
        {"eTag": 'W/"../../..\\\u0000 é"'},
        {"partnerTenantId": None},
        {"blobCount": None},
        {"createdDateTime": None},
        {"createdDateTime": "2023-03-09T08:12:53"},
        {"createdDateTime": "2023-03-09T08:37:48.5046691Z"},
        {"createdDateTime": "yesterday"},
        {"somethingNew": {}, "schemaVersion": None, "dataFormat": "compressedJSON", "partitionType": None},
        {"sasToken": "se=unknown&{real}"},
    ],
    ids=str,
)
def test_every_form_of_a_manifest_is_taken(bench: Bench, changes: dict[str, Any]) -> None:
    """Slashes, question marks, odd eTags, missing and unknown fields do not keep data from landing."""
    bench.export(manifest(**changes))
    bench.require_success()


def test_data_without_a_tenant_lands_in_the_partition_without_value(bench: Bench) -> None:
    """Readers take Hive's own name for no value as NULL."""
    bench.export(manifest(partnerTenantId=None))
    assert "partner_tenant=__HIVE_DEFAULT_PARTITION__" in str(bench.version)


def test_a_token_without_expiry_is_used(bench: Bench) -> None:
    """A SAS token that does not tell how long it lives reads blobs all the same."""
    bench.blobs = {"one.json.gz": b"plain"}
    bench.export(
        manifest(sasToken="sig=eternal"),
        Fault(request="blob-head", answer=Answer(status=200, headers={"Content-Length": "5"})),
        Fault(request="blob", answer=Answer(status=200, text="plain")),
    )
    bench.require_success()


@pytest.mark.parametrize(
    "root",
    [
        "https://evil.example{path}",
        "http://account.blob.core.windows.net{path}",
        "https://account.blob.core.windows.net.evil.example{path}",
        "https://user@account.blob.core.windows.net{path}",
        "ftp://127.0.0.1{path}",
    ],
)
def test_blobs_elsewhere_are_refused(bench: Bench, root: str) -> None:
    """Blobs are read over https from the allowed hosts, and over http from this very machine, else not at all."""
    bench.export(manifest(rootDirectory=root))
    bench.require_failure("ForeignSource", "SOURCE_HOST_SUFFIXES")
    assert bench.count("HEAD", "/exports/") == bench.count("GET", "/exports/") == 0


@pytest.mark.parametrize("root", ["file:///etc", "{path}", "https://[::1{path}"])
def test_blobs_at_what_is_no_url_are_told_as_that(bench: Bench, root: str) -> None:
    """It names no host that somebody could allow, or be afraid of."""
    bench.export(manifest(rootDirectory=root))
    bench.require_failure("BadUrl", "request id")
    assert bench.count("HEAD", "/exports/") == bench.count("GET", "/exports/") == 0


def test_data_that_changes_after_the_plan_is_exported_anew(bench: Bench) -> None:
    """The version that was planned is never committed; the new data is."""
    bench.export(
        Fault(request="operation", occurrence=1, merge={"resourceLocation": {"eTag": "earlier"}}),
        Fault(request="blob", path="part-00003", occurrence=1, answer=Answer(status=403)),
    )
    bench.require_success()
    assert bench.status["result"]["eTag"] == "first"
    assert bench.posts == 2
    assert len(list(bench.landing.rglob("_SUCCESS"))) == 1


def test_data_that_keeps_changing_ends_the_export(bench: Bench) -> None:
    """When no attempt finds the data it planned, the export says so."""
    changing = [
        Fault(request="operation", occurrence=poll, merge={"resourceLocation": {"eTag": f"state {poll}"}})
        for poll in range(1, 7)
    ]
    bench.export(*changing, Fault(request="blob", answer=Answer(status=403)))
    bench.require_failure("DataChanged", "finished renewing")
    assert bench.posts == 3
