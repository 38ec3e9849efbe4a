"""What a month's status and result show, small however much there is."""

from dataclasses import replace

import pytest

from messages.endings import Ending, Endings
from messages.months import STATES, Document, InvoicesAnswer
from messages.names import READ_ENDINGS, RUN_EXPORT
from messages.problems import Answer, NotDone
from orchestrator.documents import MOST_SHOWN
from tests.replay.exports import PROBLEM, in_turn, listed, result
from tests.replay.months import (
    BRIEFLY,
    DATASETS,
    ID,
    ONCE,
    asking_first,
    exporting,
    exporting_all_but,
    listing,
    play_month,
    require_small_statuses,
    states_of,
)


def test_the_summary_tells_at_any_time_whether_everything_is_there() -> None:
    """It counts the exports in each state, also those that the status has no room for."""
    three, failing = listing("G000000001", "G000000002", "G000000003"), exporting_all_but("G000000002")
    played = play_month(BRIEFLY, three, failing, asking_first)
    counted = [
        {state: count for state, count in status["result"]["summary"].items() if count}
        for status in played.statuses[:8]
    ]
    assert counted == [
        {},
        {},
        {"documents": 3, "running": 3},
        {"documents": 3, "running": 2, "landed": 1},
        {"documents": 3, "running": 2, "landed": 1},
        {"documents": 3, "running": 1, "landed": 1, "failed": 1},
        {"documents": 3, "landed": 2, "failed": 1},
        {"documents": 3, "landed": 2, "failed": 1},
    ]
    assert list(played.status["result"]["summary"]) == ["documents", *reversed(STATES)]


def test_what_has_ended_says_how_while_others_run() -> None:
    """Some take hours: until then nobody is to read of a failure where there was none, or miss what helps."""
    refused, cancelled = (f"{ID}:billedUsage-{invoice}-full" for invoice in ("G000000001", "G000000002"))
    endings = {refused: Ending(refused, problem=PROBLEM), cancelled: Ending(cancelled, cancelled=True)}
    played = play_month(
        ONCE,
        listing("G000000001", "G000000002", "G000000003"),
        exporting_all_but("G000000001", "G000000002"),
        asking_first,
        endings=lambda data: Endings([endings[id_] for id_ in data["ids"]]),
    )
    while_running = [status["result"] for status in played.statuses if status["result"]["summary"]["running"] == 1]
    assert while_running
    for shown in while_running:
        assert [state for *_, state in states_of(shown)] == ["failed", "running", "cancelled"]
        assert [invoice["error"] for invoice in shown["invoices"]] == [PROBLEM.to_json(), None, None]


def test_those_that_fail_together_are_asked_about_together() -> None:
    """What fails while the first is asked about: a month of many has no question for each."""
    invoices = [f"G{number:09d}" for number in range(20)]
    played = play_month(ONCE, listing(*invoices), exporting_all_but(*invoices), lambda pending: pending[:20])
    assert len(played.calls(READ_ENDINGS)) == 2
    assert played.status["result"]["summary"]["failed"] == len(invoices)


def test_a_voided_document_says_so_and_what_replaces_it() -> None:
    """It is exported as any other, and whether that succeeds is nothing to the month."""
    documents = InvoicesAnswer([Document("G000000001", voided=True, replaced_by="G000000002"), Document("G000000002")])
    for export in (exporting, exporting_all_but("G000000001")):
        played = play_month(ONCE, lambda _: documents, export)
        assert played.end.failure is None
        assert [(told["state"], told["replacedBy"]) for told in played.output["invoices"]] == [
            ("voided", "G000000002"),
            ("landed", None),
        ]


def test_documents_without_lines_stand_in_the_result_with_their_kind() -> None:
    """A void note alone is no month without invoice; what is of no month is listed, and fails nothing."""
    note, odd = Document("G000000001", "void_note", exported=False), Document("unknown", exported=False, readable=False)
    played = play_month(ONCE, lambda _: InvoicesAnswer([note, odd]))
    assert [(told["invoiceId"], told["kind"], told["state"]) for told in played.output["invoices"]] == [
        ("unknown", "invoice", "unreadable"),
        ("G000000001", "void_note", "listed"),
    ]
    assert played.calls(RUN_EXPORT) == []
    assert play_month(ONCE, lambda _: InvoicesAnswer([odd])).status["error"]["code"] == "NoInvoice"


def test_the_status_has_room_for_the_failures_first() -> None:
    """Of many outcomes a status shows some, and no success in the place of a failure."""
    invoices = [f"G{number:09d}" for number in range(30)]
    played = play_month(ONCE, listing(*invoices), exporting_all_but("G000000007", "G000000029"))
    shown = states_of(played.status["result"])
    assert 10 < len(shown) <= MOST_SHOWN
    assert [(invoice, state) for invoice, _, state in shown[:3]] == [
        ("G000000007", "failed"),
        ("G000000029", "failed"),
        ("G000000000", "landed"),
    ]
    assert played.status["result"]["summary"]["documents"] == 30


def test_the_result_has_them_all() -> None:
    """What a status has no room for is in the result."""
    invoices = [f"G{number:09d}" for number in range(30)]
    played = play_month(ONCE, listing(*invoices))
    assert [invoice["invoiceId"] for invoice in played.output["invoices"]] == invoices
    assert len(played.status["result"]["invoices"]) < 30


@pytest.mark.parametrize("because", ["UnsafeName: " + "x" * 2000, "UnsafeName: " + '"\\' * 1000])
def test_the_status_stays_small_however_much_fails(because: str) -> None:
    """With 120 failures of long texts no turn's custom status is more than Durable takes."""
    invoices = [f"G{number:015d}" for number in range(40)]
    failing = exporting_all_but(*invoices, because=because)
    played = play_month(replace(ONCE, datasets=DATASETS), listing(*invoices), failing, lambda pending: pending[:40])
    assert len(played.calls(RUN_EXPORT)) == 120
    assert played.status["error"]["code"] == "InvoicesFailed"
    require_small_statuses(played)


def test_the_status_stays_small_beside_what_was_met_before() -> None:
    """A list that could not be read, for a long reason, and then everything fails: all of that has room."""
    invoices, long = [f"G{number:015d}" for number in range(40)], '"\\' * 1000
    refusal = replace(PROBLEM, message=long, remedy="Do it. " * 30)
    lists = in_turn(Answer(not_done=NotDone(refusal)), listed(*invoices))
    failing = exporting_all_but(*invoices, because=f"UnsafeName: {long}")
    played = play_month(replace(ONCE, recheck_hours=24, wait_days=1), lists, failing, lambda pending: pending[:40])
    assert played.status["lastProblem"]["code"] == PROBLEM.code
    assert played.status["error"]["code"] == "InvoicesFailed"
    require_small_statuses(played)


def test_the_status_stays_small_with_many_successes() -> None:
    """The same holds when all goes well."""
    invoices = [f"G{number:015d}" for number in range(40)]
    played = play_month(
        replace(ONCE, datasets=DATASETS), listing(*invoices), lambda _: result(10**9), lambda pending: pending[:40]
    )
    assert len(played.output["invoices"]) == 120
    require_small_statuses(played)
