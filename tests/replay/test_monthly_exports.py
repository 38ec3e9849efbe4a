"""A month's invoices are exported as they are issued, each once; none stops the others."""

from dataclasses import replace
from datetime import timedelta

import pytest

from messages.endings import EndedInstances, Ending, Endings
from messages.exports import ExportOrder
from messages.months import MonthlyOrder
from messages.names import LIST_INVOICES, READ_ENDINGS, RUN_EXPORT
from orchestrator.policy import ACTIVITY_TRIES
from tests.replay.exports import POLICY, PROBLEM, result
from tests.replay.months import (
    BRIEFLY,
    DATASETS,
    ID,
    NO_DATA,
    ONCE,
    WAITING,
    Issuing,
    Tries,
    cancelling,
    exporting_all_but,
    exports_of,
    listing,
    looks_before,
    looks_of,
    play_month,
    states_of,
)
from tests.replay.player import START


@pytest.mark.usefixtures("typing_mode")
def test_each_invoice_is_exported_when_it_appears_and_by_the_last_look() -> None:
    """Of invoices that are issued on the third and the sixth day, each begins at the first look that finds it."""
    issuing = Issuing(G000000003=3, G000000006=6)
    played = play_month(WAITING, issuing, in_order=issuing.order)
    exports = ["billedUsage-G000000003-full", "billedUsage-G000000006-full"]
    assert exports_of(played) == [*exports, *exports]
    assert [looks_before(played, invoice) for invoice in ("G000000003", "G000000006")] == [1 + 6, 1 + 12]
    assert [invoice["invoiceId"] for invoice in played.output["invoices"]] == ["G000000003", "G000000006"]
    played.require_sound()


@pytest.mark.parametrize("order", [ONCE, WAITING], ids=["once", "waiting"])
def test_a_month_without_invoice_fails_in_the_end(order: MonthlyOrder) -> None:
    """An operator hears that an invoice was expected and none was issued, when no more can come."""
    played = play_month(order, listing())
    assert played.status["error"]["code"] == "NoInvoice"
    assert "2026-09" in played.status["error"]["message"]
    assert (played.status["result"]["month"], played.status["result"]["invoices"]) == ("2026-09", [])
    assert played.status["phase"] == "listing"
    assert len(played.calls(LIST_INVOICES)) == len(looks_of(played))
    assert looks_of(played)[-1] == START + timedelta(days=order.wait_days)
    played.require_sound()


def test_each_dataset_of_each_invoice_runs_under_an_id_of_the_month() -> None:
    """All of them at once, each a sub-orchestration that whoever cancels the month finds by its prefix."""
    played = play_month(replace(ONCE, datasets=DATASETS), listing("G000000001", "G000000002"))
    wanted = {
        f"{dataset}-{invoice}{ending}"
        for invoice in ("G000000001", "G000000002")
        for dataset, ending in zip(DATASETS, ("-full", "-full", ""), strict=True)
    }
    children = [task.child_id for task in played.tasks if task.name == RUN_EXPORT]
    assert len(children) == played.most_at_once == 6
    assert set(children) == {f"{ID}:{export_id}" for export_id in wanted}
    assert set(exports_of(played)) == wanted
    assert {ExportOrder.from_json(order).policy for order in played.calls(RUN_EXPORT)} == {POLICY}


def test_every_outcome_is_in_result_and_status() -> None:
    """The result holds for each export its id, its version, totals and times, and the status shows the same."""
    played = play_month(replace(ONCE, datasets=DATASETS[:2]), listing("G000000001"))
    outcome = {"kind": "invoice", "state": "landed", "replacedBy": None, "version": result(2).version}
    began, ended = ((START + timedelta(seconds=seconds)).isoformat() for seconds in (1, 2))
    first = {
        "previousVersion": None,
        "blobCount": 2,
        "bytes": 20,
        "unchanged": False,
        "startedAt": began,
        "endedAt": ended,
        "error": None,
    }
    second = first | {"endedAt": (START + timedelta(seconds=3)).isoformat()}
    assert sorted(played.output["invoices"], key=lambda told: told["endedAt"]) == [
        {"id": f"{ID}:{dataset}-G000000001-full", "invoiceId": "G000000001", "dataset": dataset, **outcome, **times}
        for dataset, times in zip(DATASETS[:2], (first, second), strict=True)
    ]
    assert played.status["result"] == played.output
    assert played.status["progress"] == {"blobsDone": 4, "blobCount": 4, "bytesDone": 40}


@pytest.mark.usefixtures("typing_mode")
@pytest.mark.parametrize("at_once", [1, 3])
def test_what_failed_is_tried_again_by_every_look_until_it_lands(at_once: int) -> None:
    """It stops no other, whatever it failed with; once it has landed, only the last look exports it again."""
    fault, well = Exception("UnsafeName: a blob's name is not safe."), result(2)
    tries = Tries(billedUsage=[fault, fault, well])
    both = replace(BRIEFLY, datasets=DATASETS[:2])
    played = play_month(both, listing("G000000001"), tries, lambda pending: pending[:at_once])
    usage, reconciliation = (f"{dataset}-G000000001-full" for dataset in DATASETS[:2])
    assert exports_of(played) == [usage, reconciliation, usage, usage, reconciliation, usage]
    assert [state for *_, state in states_of(played.output)] == ["landed", "landed"]
    played.require_sound()


def test_while_looks_remain_an_export_is_posted_once_a_look() -> None:
    """Each look is the next attempt; only the last has all that EXPORT_ATTEMPTS allows, and tells of its failure."""
    played = play_month(BRIEFLY, listing("G000000001"), exporting_all_but("G000000001"))
    orders = [ExportOrder.from_json(order) for order in played.calls(RUN_EXPORT)]
    assert [order.policy.export_attempts for order in orders] == [1, 1, 1, 1, POLICY.export_attempts]
    assert [order.tells(PROBLEM) for order in orders] == [False, False, False, False, True]
    assert {order.deadline for order in orders} == {None}


@pytest.mark.parametrize("order", [ONCE, BRIEFLY], ids=["once", "waiting"])
def test_what_has_not_landed_by_the_last_look_fails_the_month(order: MonthlyOrder) -> None:
    """The error says what and why, and the phase is the one in which the month failed."""
    played = play_month(order, listing("G000000001", "G000000002"), exporting_all_but("G000000001"))
    assert states_of(played.status["result"]) == [
        ("G000000001", "billedUsage", "failed"),
        ("G000000002", "billedUsage", "landed"),
    ]
    error = played.status["error"]
    assert error["code"] == "InvoicesFailed"
    assert "1 of 2" in error["message"]
    assert "billedUsage-G000000001-full: UnsafeName: a blob's name is not safe." in error["message"]
    assert played.status["phase"] == "exporting"
    played.require_sound()


def test_the_error_of_an_export_is_the_one_that_its_own_status_shows() -> None:
    """With Microsoft's request id, and what to do."""
    endings = Endings([Ending(f"{ID}:billedUsage-G000000001-full", problem=PROBLEM)])
    played = play_month(ONCE, listing("G000000001"), exporting_all_but("G000000001"), endings=lambda _: endings)
    assert played.calls(READ_ENDINGS) == [EndedInstances([f"{ID}:billedUsage-G000000001-full"]).to_json()]
    assert [invoice["error"] for invoice in played.status["result"]["invoices"]] == [PROBLEM.to_json()]


def test_usage_that_is_late_is_waited_for() -> None:
    """Without data it is no failure while looks remain."""
    tries = Tries(billedUsage=[NO_DATA, NO_DATA, result(2)])
    played = play_month(replace(BRIEFLY, datasets=DATASETS[:2]), listing("G000000001"), tries)
    waiting = [status["result"]["summary"] for status in played.statuses if status["phase"] == "waiting"]
    assert [(summary["waiting"], summary["failed"], summary["landed"]) for summary in waiting] == [
        (1, 0, 1),
        (1, 0, 1),
        (0, 0, 2),
        (0, 0, 2),
    ]
    assert [state for *_, state in states_of(played.output)] == ["landed", "landed"]


@pytest.mark.parametrize("order", [ONCE, BRIEFLY], ids=["once", "waiting"])
def test_an_invoice_of_licences_has_no_usage(order: MonthlyOrder) -> None:
    """The month succeeds with its reconciliation, and nobody is told of a failure."""
    played = play_month(replace(order, datasets=DATASETS[:2]), listing("G000000001"), Tries(billedUsage=[NO_DATA]))
    assert played.end.failure is None
    assert states_of(played.output) == [
        ("G000000001", "billedUsage", "noData"),
        ("G000000001", "billedReconciliation", "landed"),
    ]
    no_data = replace(PROBLEM, code="5000")
    assert not any(ExportOrder.from_json(order).tells(no_data) for order in played.calls(RUN_EXPORT))


@pytest.mark.parametrize("datasets", [DATASETS[:1], DATASETS[:2]], ids=["usage", "both"])
def test_an_invoice_of_which_nothing_landed_fails_the_month(datasets: list[str]) -> None:
    """Whoever reads the error learns what to check."""
    nothing = Tries(billedUsage=[NO_DATA], billedReconciliation=[NO_DATA])
    played = play_month(replace(BRIEFLY, datasets=datasets), listing("G000000001"), nothing)
    assert played.status["error"]["code"] == "InvoicesFailed"
    assert "billedUsage-G000000001-full: 5000" in played.status["error"]["message"]
    assert "Partner Center" in played.status["error"]["remedy"]
    assert ("G000000001", "billedUsage", "noData") in states_of(played.status["result"])


def test_an_export_that_a_person_cancelled_is_left_alone() -> None:
    """It stands there as cancelled, no later look begins it again, and the month does not fail because of it."""
    ids = [f"{ID}:billedUsage-{invoice}-full" for invoice in ("G000000001", "G000000002")]
    failing = exporting_all_but("G000000001", "G000000002", because="cancelled by a caller")
    played = play_month(BRIEFLY, listing("G000000001", "G000000002", "G000000003"), failing, endings=cancelling(*ids))
    assert played.calls(READ_ENDINGS) == [EndedInstances([id_]).to_json() for id_ in ids]
    assert len(exports_of(played)) == 3 + 1
    assert played.end.failure is None
    assert [(state, invoice) for invoice, _, state in states_of(played.output)] == [
        ("cancelled", "G000000001"),
        ("cancelled", "G000000002"),
        ("landed", "G000000003"),
    ]
    played.require_sound()


def test_one_that_failed_by_itself_is_told_from_one_that_was_cancelled() -> None:
    """What failed still fails the month, and stands first."""
    failing = exporting_all_but("G000000001", "G000000002")
    cancelled = cancelling(f"{ID}:billedUsage-G000000001-full")
    played = play_month(ONCE, listing("G000000001", "G000000002"), failing, endings=cancelled)
    assert "1 of 2" in str(played.end.failure)
    assert [state for *_, state in states_of(played.status["result"])] == ["failed", "cancelled"]


def test_where_nobody_can_tell_an_export_counts_as_failed() -> None:
    """Asking is tried as often as any step; the month does not wait for it for ever."""
    played = play_month(
        ONCE, listing("G000000001"), exporting_all_but("G000000001"), endings=lambda _: Exception("no connection")
    )
    assert len(played.calls(READ_ENDINGS)) == ACTIVITY_TRIES
    assert [state for *_, state in states_of(played.status["result"])] == ["failed"]
    error = played.status["result"]["invoices"][0]["error"]
    assert (error["code"], error["message"]) == ("UnsafeName", "a blob's name is not safe.")


def test_the_last_look_keeps_what_has_landed_whatever_becomes_of_it() -> None:
    """Exported once more, it may fail, or be unchanged: it has landed, as it was told then."""
    for again in (Exception("HTTP503: It is away."), replace(result(2), unchanged=True)):
        played = play_month(BRIEFLY, listing("G000000001"), Tries(billedUsage=[result(2), again]))
        assert len(exports_of(played)) == 2
        assert [(told["state"], told["unchanged"]) for told in played.output["invoices"]] == [("landed", False)]
