"""How an operation can end."""

from typing import Any

import pytest

from local.emulator import Answer, Fault
from tests.faults.bench import Bench

FAILED = {"status": "failed", "@odata.type": None, "resourceLocation": None}


@pytest.mark.parametrize(
    ("linked", "changes"),
    [
        (False, {"status": "succeeded"}),
        (True, {"status": "completed"}),
        (False, {"status": "COMPLETED", "@odata.type": None}),
        (True, {"status": "Succeeded", "@odata.type": None}),
        (False, {"status": None, "lastActionDateTime": "2023-03-09T08:12:53", "somethingNew": [None]}),
    ],
    ids=str,
)
def test_every_form_of_success_is_taken(bench: Bench, changes: dict[str, Any], linked: bool) -> None:
    """Either word for success, with or without type, with the manifest embedded or linked, ends in landed data."""
    bench.export(Fault(request="operation", merge=changes), linked_manifest=linked)
    bench.require_success()
    assert (bench.count("GET", "/manifests/") > 0) == linked


@pytest.mark.parametrize(
    "changes",
    [
        {"resourceLocation": None},
        {"resourceLocation": None, "resourceLocation@odata.navigationLink": ""},
        {"resourceLocation": "not an object"},
    ],
    ids=str,
)
def test_success_without_a_manifest_ends_with_a_remedy(bench: Bench, changes: dict[str, Any]) -> None:
    """An operation that succeeded and shows no manifest cannot be used."""
    bench.export(Fault(request="operation", merge=changes))
    bench.require_failure("NoManifest", "Start the export again")


def test_no_data_is_final(bench: Bench) -> None:
    """5000 ends the export at once: a new one would say the same."""
    error = {"code": "5000", "message": "No data available"}
    bench.export(Fault(request="operation", merge=FAILED | {"error": error}))
    assert "No data available" in bench.require_failure("5000", "invoice id")
    assert bench.posts == 1


def test_another_failure_is_exported_anew(bench: Bench) -> None:
    """A failed operation is followed by a new export, which brings the data."""
    bench.export(Fault(request="operation", occurrence=1, merge=FAILED | {"error": {"code": "2000", "message": "No."}}))
    bench.require_success()
    assert bench.posts == 2


def test_attempts_are_bounded_and_the_last_code_is_named(bench: Bench) -> None:
    """After EXPORT_ATTEMPTS failures the export fails as Microsoft's last operation did."""
    bench.export(
        Fault(
            request="operation", occurrence=[1, 2], merge=FAILED | {"error": {"code": "2000", "message": "Earlier."}}
        ),
        Fault(
            request="operation", occurrence="every", merge=FAILED | {"error": {"code": "3000", "message": "At last."}}
        ),
    )
    assert "At last." in bench.require_failure("3000", "code and request id")
    assert bench.posts == 3


@pytest.mark.parametrize("error", ["text", {"code": None, "message": None}], ids=str)
def test_a_failure_without_a_reason_is_told_as_such(bench: Bench, error: object) -> None:
    """A failed operation need not say why."""
    bench.export(Fault(request="operation", merge=FAILED | {"error": error}))
    assert "no reason" in bench.require_failure("unknown", "later")
    assert bench.posts == 3


def test_an_operation_that_keeps_vanishing_ends_the_export(bench: Bench) -> None:
    """Operations that are gone again and again use up the attempts."""
    bench.export(
        Fault(request="operation", occurrence=[2, 4, 6], answer=Answer(status=410)),
        running_polls=1,
    )
    bench.require_failure("Gone", "Start the export again")
    assert bench.posts == 3


@pytest.mark.parametrize("status", [429, 503])
def test_a_linked_manifest_may_be_late(bench: Bench, status: int) -> None:
    """A manifest that cannot be read for a while is read again."""
    bench.export(
        Fault(request="manifest", occurrence=range(1, 6), answer=Answer(status=status)),
        linked_manifest=True,
    )
    bench.require_success()
    assert bench.posts == 1


def test_a_manifest_linked_elsewhere_is_refused(bench: Bench) -> None:
    """No request, and so no token, goes to another origin for the manifest."""
    link = {"resourceLocation@odata.navigationLink": bench.stranger.url + "{path}"}
    bench.export(Fault(request="operation", merge=link), linked_manifest=True)
    bench.require_failure("ForeignOrigin", "GRAPH_BASE_URL")
    assert bench.count("GET", "/manifests/") == 0


def test_a_manifest_that_is_gone_is_exported_anew(bench: Bench) -> None:
    """A linked manifest that Microsoft no longer knows ends the attempt; the next one brings the data."""
    bench.export(
        Fault(request="operation", occurrence=1, merge={"status": "running", "@odata.type": None}),
        Fault(request="manifest", occurrence=1, answer=Answer(status=410)),
        linked_manifest=True,
    )
    bench.require_success()
