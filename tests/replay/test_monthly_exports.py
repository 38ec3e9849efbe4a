"""A month's invoices are exported as they are issued, each once; none stops the others."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from failures import LATER
from messages.encoding import Message
from messages.endings import EndedInstances, Ending, Endings
from messages.exports import ExportOrder
from messages.months import STATES, Document, InvoicesAnswer, MonthlyOrder
from messages.names import LIST_INVOICES, LOOK_NOW, MONTHLY_EXPORTS, READ_ENDINGS, RUN_EXPORT, START_NOTICE
from messages.problems import Answer, NotDone, Problem
from orchestrator.documents import MOST_SHOWN
from orchestrator.policy import ACTIVITY_TRIES
from tests.replay.exports import POLICY, PROBLEM, failed, in_turn, listed, result
from tests.replay.player import START, TIMER, Order, Reply, Story, Task, call, one_by_one, play_story

ID = "monthly-2026-09"
DATASETS = ["billedUsage", "billedReconciliation", "billedAggregatedUsage"]
ONCE = MonthlyOrder("2026-09", POLICY, ["billedUsage"])
WAITING = replace(ONCE, recheck_hours=12, wait_days=10)
BRIEFLY = replace(WAITING, wait_days=2)
MOST_EVENTS = 1000
MOST_CHARACTERS = 8192
"""Of a custom status: Durable takes 16 KB in UTF-16."""


class _Issuing:
    """Lists each invoice from its day on; it is told the time by the timers that it lets fire, first come first."""

    def __init__(self, **days: float) -> None:
        self._issued = {invoice: START + timedelta(days=day) for invoice, day in days.items()}
        self._now = START

    def __call__(self, _: Any) -> Reply:
        return listed(*(invoice for invoice, issued in self._issued.items() if issued <= self._now))

    def order(self, pending: list[Task]) -> list[Task]:
        if pending[0].fire_at:
            self._now = datetime.fromisoformat(pending[0].fire_at)
        return pending[:1]


def _listed(*invoices: str) -> Callable[[Any], Reply]:
    return lambda _: listed(*invoices)


def _exported(_: Any) -> Reply:
    return result(2)


def _failing(*invoices: str, because: str = "UnsafeName: a blob's name is not safe.") -> Callable[[Any], Reply]:
    """Exports all invoices but these."""
    return lambda data: Exception(because) if data["request"]["invoiceId"] in invoices else result(2)


class _Tries:
    """Exports each dataset in turn as its replies say, the last for ever; else well."""

    def __init__(self, **replies: Sequence[Reply]) -> None:
        self._replies = {dataset: in_turn(*these) for dataset, these in replies.items()}

    def __call__(self, data: Any) -> Reply:
        return self._replies.get(data["request"]["dataset"], _exported)(data)


def _run(
    order: MonthlyOrder,
    invoices: Callable[[Any], Reply],
    export: Callable[[Any], Reply] = _exported,
    in_order: Order = one_by_one,
    endings: Callable[[Any], Reply] = lambda _: Endings([]),
) -> Story:
    answers = {
        LIST_INVOICES: invoices,
        RUN_EXPORT: export,
        START_NOTICE: lambda _: Message(),
        READ_ENDINGS: endings,
    }
    return play_story(MONTHLY_EXPORTS, order.to_json(), answers, in_order, instance=ID)


def _cancelled(*ids: str) -> Callable[[Any], Reply]:
    return lambda data: Endings([Ending(id_, id_ in ids) for id_ in data["ids"]])


def _exports(played: Story) -> list[str]:
    return [ExportOrder.from_json(order).request.export_id for order in played.calls(RUN_EXPORT)]


def _states(shown: Any) -> list[tuple[str, str, str]]:
    return [(invoice["invoiceId"], invoice["dataset"], invoice["state"]) for invoice in shown["invoices"]]


def _looks(played: Story) -> list[datetime]:
    """When each look was due."""
    return [datetime.fromisoformat(fire_at) for fire_at in played.calls(TIMER)]


def _looks_before(played: Story, invoice: str) -> int:
    """How often the list was read before the invoice was exported."""
    names = [task.input["request"]["invoiceId"] if task.name == RUN_EXPORT else task.name for task in played.tasks]
    return names[: names.index(invoice)].count(LIST_INVOICES)


def _require_small_statuses(played: Story) -> None:
    for status in played.statuses:
        assert len(json.dumps(status, ensure_ascii=False)) < MOST_CHARACTERS


NO_DATA = Exception("5000: Microsoft's export failed: No data available")


@pytest.mark.usefixtures("typing_mode")
def test_each_invoice_is_exported_when_it_appears_and_by_the_last_look() -> None:
    """Of invoices that are issued on the third and the sixth day, each begins at the first look that finds it."""
    issuing = _Issuing(G000000003=3, G000000006=6)
    played = _run(WAITING, issuing, in_order=issuing.order)
    exports = ["billedUsage-G000000003-full", "billedUsage-G000000006-full"]
    assert _exports(played) == [*exports, *exports]
    assert [_looks_before(played, invoice) for invoice in ("G000000003", "G000000006")] == [1 + 6, 1 + 12]
    assert [invoice["invoiceId"] for invoice in played.output["invoices"]] == ["G000000003", "G000000006"]
    played.require_sound()


def test_it_looks_every_few_hours_until_the_waiting_ends() -> None:
    """The first look is due at once, each other one twelve hours after the one before, the last when days are over."""
    issuing = _Issuing(G000000001=0)
    played = _run(WAITING, issuing, in_order=issuing.order)
    looks = _looks(played)
    assert looks == [START + timedelta(hours=12 * number) for number in range(21)]
    assert len(played.calls(LIST_INVOICES)) == len(looks)


@pytest.mark.parametrize(("hours", "days", "issued"), [(24, 1, 0.9), (120, 10, 9.9), (12, 10, 9.9), (7, 1, 0.95)])
def test_an_invoice_of_the_last_hours_is_found(hours: float, days: float, issued: float) -> None:
    """Whatever the interval, the waiting lasts as long as was asked for."""
    issuing = _Issuing(G000000001=issued)
    played = _run(replace(ONCE, recheck_hours=hours, wait_days=days), issuing, in_order=issuing.order)
    assert _exports(played) == ["billedUsage-G000000001-full"]


def test_a_look_that_took_longer_than_the_wait_is_followed_at_once() -> None:
    """The next is counted from its beginning: after thirty hours of exporting two are overdue, and one comes."""
    took = timedelta(hours=30)
    slow = iter([True])

    def at_length(pending: list[Task]) -> list[Task]:
        # A timer of nobody's stands for the time that the export takes.
        if pending[0].name == RUN_EXPORT and next(slow, False):
            return [replace(pending[0], fire_at=(START + took).isoformat())]
        return pending[:1]

    played = _run(BRIEFLY, _listed("G000000001"), in_order=at_length)
    assert _looks(played) == [START + timedelta(hours=hours) for hours in (0, 12, 42, 48)]
    assert played.end.failure is None


def test_without_waiting_it_looks_once() -> None:
    """Months of long ago get no more invoices."""
    played = _run(ONCE, _listed("G000000001"))
    assert len(played.calls(LIST_INVOICES)) == 1
    assert _looks(played) == [START]
    assert played.output["month"] == "2026-09"
    assert played.status["phase"] == "done"


@pytest.mark.parametrize("order", [ONCE, WAITING], ids=["once", "waiting"])
def test_a_month_without_invoice_fails_in_the_end(order: MonthlyOrder) -> None:
    """An operator hears that an invoice was expected and none was issued, when no more can come."""
    played = _run(order, _listed())
    assert played.status["error"]["code"] == "NoInvoice"
    assert "2026-09" in played.status["error"]["message"]
    assert (played.status["result"]["month"], played.status["result"]["invoices"]) == ("2026-09", [])
    assert played.status["phase"] == "listing"
    assert len(played.calls(LIST_INVOICES)) == len(_looks(played))
    assert _looks(played)[-1] == START + timedelta(days=order.wait_days)
    played.require_sound()


def test_each_dataset_of_each_invoice_runs_under_an_id_of_the_month() -> None:
    """All of them at once, each a sub-orchestration that whoever cancels the month finds by its prefix."""
    played = _run(replace(ONCE, datasets=DATASETS), _listed("G000000001", "G000000002"))
    wanted = {
        f"{dataset}-{invoice}{ending}"
        for invoice in ("G000000001", "G000000002")
        for dataset, ending in zip(DATASETS, ("-full", "-full", ""), strict=True)
    }
    children = [task.child_id for task in played.tasks if task.name == RUN_EXPORT]
    assert len(children) == played.most_at_once == 6
    assert set(children) == {f"{ID}:{export_id}" for export_id in wanted}
    assert set(_exports(played)) == wanted
    assert {ExportOrder.from_json(order).policy for order in played.calls(RUN_EXPORT)} == {POLICY}


def test_every_outcome_is_in_result_and_status() -> None:
    """The result holds for each export its id, its version, totals and times, and the status shows the same."""
    played = _run(replace(ONCE, datasets=DATASETS[:2]), _listed("G000000001"))
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


def test_the_summary_tells_at_any_time_whether_everything_is_there() -> None:
    """It counts the exports in each state, also those that the status has no room for."""
    played = _run(BRIEFLY, _listed("G000000001", "G000000002", "G000000003"), _failing("G000000002"))
    counted = [
        {state: count for state, count in status["result"]["summary"].items() if count}
        for status in played.statuses[:7]
    ]
    assert counted == [
        {},
        {},
        {"documents": 3, "running": 3},
        {"documents": 3, "running": 2, "landed": 1},
        {"documents": 3, "running": 1, "landed": 1, "failed": 1},
        {"documents": 3, "landed": 2, "failed": 1},
        {"documents": 3, "landed": 2, "failed": 1},
    ]
    assert list(played.status["result"]["summary"]) == ["documents", *reversed(STATES)]


@pytest.mark.usefixtures("typing_mode")
@pytest.mark.parametrize("at_once", [1, 3])
def test_what_failed_is_tried_again_by_every_look_until_it_lands(at_once: int) -> None:
    """It stops no other, whatever it failed with; once it has landed, only the last look exports it again."""
    fault, well = Exception("UnsafeName: a blob's name is not safe."), result(2)
    tries = _Tries(billedUsage=[fault, fault, well])
    both = replace(BRIEFLY, datasets=DATASETS[:2])
    played = _run(both, _listed("G000000001"), tries, lambda pending: pending[:at_once])
    usage, reconciliation = (f"{dataset}-G000000001-full" for dataset in DATASETS[:2])
    assert _exports(played) == [usage, reconciliation, usage, usage, reconciliation, usage]
    assert [state for *_, state in _states(played.output)] == ["landed", "landed"]
    played.require_sound()


def test_while_looks_remain_an_export_is_posted_once_a_look() -> None:
    """Each look is the next attempt; only the last has all that EXPORT_ATTEMPTS allows, and tells of its failure."""
    played = _run(BRIEFLY, _listed("G000000001"), _failing("G000000001"))
    orders = [ExportOrder.from_json(order) for order in played.calls(RUN_EXPORT)]
    assert [order.policy.export_attempts for order in orders] == [1, 1, 1, 1, POLICY.export_attempts]
    assert [order.tells(PROBLEM) for order in orders] == [False, False, False, False, True]
    assert {order.deadline for order in orders} == {None}


@pytest.mark.parametrize("order", [ONCE, BRIEFLY], ids=["once", "waiting"])
def test_what_has_not_landed_by_the_last_look_fails_the_month(order: MonthlyOrder) -> None:
    """The error says what and why, and the phase is the one in which the month failed."""
    played = _run(order, _listed("G000000001", "G000000002"), _failing("G000000001"))
    assert _states(played.status["result"]) == [
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
    played = _run(ONCE, _listed("G000000001"), _failing("G000000001"), endings=lambda _: endings)
    assert played.calls(READ_ENDINGS) == [EndedInstances([f"{ID}:billedUsage-G000000001-full"]).to_json()]
    assert [invoice["error"] for invoice in played.status["result"]["invoices"]] == [PROBLEM.to_json()]


def test_usage_that_is_late_is_waited_for() -> None:
    """Without data it is no failure while looks remain."""
    tries = _Tries(billedUsage=[NO_DATA, NO_DATA, result(2)])
    played = _run(replace(BRIEFLY, datasets=DATASETS[:2]), _listed("G000000001"), tries)
    waiting = [status["result"]["summary"] for status in played.statuses if status["phase"] == "waiting"]
    assert [(summary["waiting"], summary["failed"], summary["landed"]) for summary in waiting] == [
        (1, 0, 1),
        (1, 0, 1),
        (0, 0, 2),
        (0, 0, 2),
    ]
    assert [state for *_, state in _states(played.output)] == ["landed", "landed"]


@pytest.mark.parametrize("order", [ONCE, BRIEFLY], ids=["once", "waiting"])
def test_an_invoice_of_licences_has_no_usage(order: MonthlyOrder) -> None:
    """The month succeeds with its reconciliation, and nobody is told of a failure."""
    played = _run(replace(order, datasets=DATASETS[:2]), _listed("G000000001"), _Tries(billedUsage=[NO_DATA]))
    assert played.end.failure is None
    assert _states(played.output) == [
        ("G000000001", "billedUsage", "noData"),
        ("G000000001", "billedReconciliation", "landed"),
    ]
    no_data = replace(PROBLEM, code="5000")
    assert not any(ExportOrder.from_json(order).tells(no_data) for order in played.calls(RUN_EXPORT))


@pytest.mark.parametrize("datasets", [DATASETS[:1], DATASETS[:2]], ids=["usage", "both"])
def test_an_invoice_of_which_nothing_landed_fails_the_month(datasets: list[str]) -> None:
    """Whoever reads the error learns what to check."""
    nothing = _Tries(billedUsage=[NO_DATA], billedReconciliation=[NO_DATA])
    played = _run(replace(BRIEFLY, datasets=datasets), _listed("G000000001"), nothing)
    assert played.status["error"]["code"] == "InvoicesFailed"
    assert "billedUsage-G000000001-full: 5000" in played.status["error"]["message"]
    assert "Partner Center" in played.status["error"]["remedy"]
    assert ("G000000001", "billedUsage", "noData") in _states(played.status["result"])


def test_a_voided_document_says_so_and_what_replaces_it() -> None:
    """It is exported as any other, and whether that succeeds is nothing to the month."""
    documents = InvoicesAnswer([Document("G000000001", voided=True, replaced_by="G000000002"), Document("G000000002")])
    for export in (_exported, _failing("G000000001")):
        played = _run(ONCE, lambda _: documents, export)
        assert played.end.failure is None
        assert [(told["state"], told["replacedBy"]) for told in played.output["invoices"]] == [
            ("voided", "G000000002"),
            ("landed", None),
        ]


def test_documents_without_lines_stand_in_the_result_with_their_kind() -> None:
    """A void note alone is no month without invoice; what is of no month is listed, and fails nothing."""
    note, odd = Document("G000000001", "void_note", exported=False), Document("unknown", exported=False, readable=False)
    played = _run(ONCE, lambda _: InvoicesAnswer([note, odd]))
    assert [(told["invoiceId"], told["kind"], told["state"]) for told in played.output["invoices"]] == [
        ("unknown", "invoice", "unreadable"),
        ("G000000001", "void_note", "listed"),
    ]
    assert played.calls(RUN_EXPORT) == []
    assert _run(ONCE, lambda _: InvoicesAnswer([odd])).status["error"]["code"] == "NoInvoice"


def test_the_status_has_room_for_the_failures_first() -> None:
    """Of many outcomes a status shows some, and no success in the place of a failure."""
    invoices = [f"G{number:09d}" for number in range(30)]
    played = _run(ONCE, _listed(*invoices), _failing("G000000007", "G000000029"))
    shown = _states(played.status["result"])
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
    played = _run(ONCE, _listed(*invoices))
    assert [invoice["invoiceId"] for invoice in played.output["invoices"]] == invoices
    assert len(played.status["result"]["invoices"]) < 30


@pytest.mark.parametrize("because", ["UnsafeName: " + "x" * 2000, "UnsafeName: " + '"\\' * 1000])
def test_the_status_stays_small_however_much_fails(because: str) -> None:
    """With 120 failures of long texts no turn's custom status is more than Durable takes."""
    invoices = [f"G{number:015d}" for number in range(40)]
    failing = _failing(*invoices, because=because)
    played = _run(replace(ONCE, datasets=DATASETS), _listed(*invoices), failing, lambda pending: pending[:40])
    assert len(played.calls(RUN_EXPORT)) == 120
    assert played.status["error"]["code"] == "InvoicesFailed"
    _require_small_statuses(played)


def test_the_status_stays_small_beside_what_was_met_before() -> None:
    """A list that could not be read, for a long reason, and then everything fails: all of that has room."""
    invoices, long = [f"G{number:015d}" for number in range(40)], '"\\' * 1000
    refusal = replace(PROBLEM, message=long, remedy="Do it. " * 30)
    lists = in_turn(Answer(not_done=NotDone(refusal)), listed(*invoices))
    failing = _failing(*invoices, because=f"UnsafeName: {long}")
    played = _run(replace(ONCE, recheck_hours=24, wait_days=1), lists, failing, lambda pending: pending[:40])
    assert played.status["lastProblem"]["code"] == PROBLEM.code
    assert played.status["error"]["code"] == "InvoicesFailed"
    _require_small_statuses(played)


def test_the_status_stays_small_with_many_successes() -> None:
    """The same holds when all goes well."""
    invoices = [f"G{number:015d}" for number in range(40)]
    played = _run(
        replace(ONCE, datasets=DATASETS), _listed(*invoices), lambda _: result(10**9), lambda pending: pending[:40]
    )
    assert len(played.output["invoices"]) == 120
    _require_small_statuses(played)


@pytest.mark.parametrize(
    ("fault", "tries"),
    [(failed(), 1), (failed(LATER), ACTIVITY_TRIES), (Exception("It crashed."), ACTIVITY_TRIES)],
    ids=["refused", "away", "crash"],
)
def test_a_look_that_cannot_read_the_list_is_not_the_end(fault: Reply, tries: int) -> None:
    """The next one comes when it is due; what was listed before is tried again meanwhile."""
    lists = in_turn(listed("G000000001"), *[fault] * tries, listed("G000000001", "G000000002"))
    played = _run(BRIEFLY, lists, _Tries(billedUsage=[Exception("HTTP503: It is away."), result(2)]))
    assert _exports(played)[:3] == [f"billedUsage-G00000000{number}-full" for number in (1, 1, 2)]
    assert played.end.failure is None
    assert {START + timedelta(hours=12 * number) for number in range(5)} <= set(_looks(played))
    assert len(played.calls(LIST_INVOICES)) == 4 + tries
    assert any(status.get("lastProblem") for status in played.statuses if status["phase"] == "waiting")
    played.require_sound()


def test_a_list_that_cannot_be_read_at_last_fails_the_run_and_keeps_what_is_shown() -> None:
    """Nobody can tell then whether invoices are missing; what was exported is listed still."""
    played = _run(BRIEFLY, in_turn(listed("G000000001"), failed()))
    assert played.end.failure == f"{PROBLEM.code}: {PROBLEM.message}"
    assert played.status["error"] == PROBLEM.to_json()
    assert played.status["phase"] == "listing"
    assert _states(played.status["result"]) == [("G000000001", "billedUsage", "landed")]
    played.require_sound()


def test_a_list_that_cannot_be_read_now_is_read_again() -> None:
    """An outage of Partner Center costs a wait, at least as long as it asks for."""
    outage = failed(LATER, retry_after=600.0)
    played = _run(ONCE, in_turn(outage, listed("G000000001")))
    _, fires = _looks(played)
    assert fires - START == timedelta(seconds=601)
    assert _exports(played) == ["billedUsage-G000000001-full"]


def test_a_list_that_can_never_be_read_fails_the_run() -> None:
    """After ten tries the run ends with the reason in its status, and whoever is to know is told."""
    problem = Problem("HTTP503", "Partner Center is away.", "Wait.")
    played = _run(ONCE, lambda _: Answer(not_done=NotDone(problem, LATER)))
    assert len(played.calls(LIST_INVOICES)) == ACTIVITY_TRIES
    assert played.status["error"]["code"] == "HTTP503"
    assert len(played.calls(START_NOTICE)) == 1


def test_histories_stay_short_for_many_looks_and_invoices() -> None:
    """Twenty looks, ten invoices that come one by one, and three datasets make less than 1,000 events."""
    issuing = _Issuing(**{f"G{number:09d}": number * 0.9 for number in range(10)})
    played = _run(replace(WAITING, datasets=DATASETS), issuing, in_order=issuing.order)
    assert len(played.calls(RUN_EXPORT)) == 60
    assert len(played.calls(LIST_INVOICES)) >= 20
    assert played.longest_history < MOST_EVENTS


def test_an_export_that_a_person_cancelled_is_left_alone() -> None:
    """It stands there as cancelled, no later look begins it again, and the month does not fail because of it."""
    ids = [f"{ID}:billedUsage-{invoice}-full" for invoice in ("G000000001", "G000000002")]
    failing = _failing("G000000001", "G000000002", because="cancelled by a caller")
    played = _run(BRIEFLY, _listed("G000000001", "G000000002", "G000000003"), failing, endings=_cancelled(*ids))
    assert played.calls(READ_ENDINGS) == [EndedInstances(ids).to_json()]
    assert len(_exports(played)) == 3 + 1
    assert played.end.failure is None
    assert [(state, invoice) for invoice, _, state in _states(played.output)] == [
        ("cancelled", "G000000001"),
        ("cancelled", "G000000002"),
        ("landed", "G000000003"),
    ]
    played.require_sound()


def test_one_that_failed_by_itself_is_told_from_one_that_was_cancelled() -> None:
    """What failed still fails the month, and stands first."""
    failing = _failing("G000000001", "G000000002")
    cancelled = _cancelled(f"{ID}:billedUsage-G000000001-full")
    played = _run(ONCE, _listed("G000000001", "G000000002"), failing, endings=cancelled)
    assert "1 of 2" in str(played.end.failure)
    assert [state for *_, state in _states(played.status["result"])] == ["failed", "cancelled"]


def test_where_nobody_can_tell_an_export_counts_as_failed() -> None:
    """Asking is tried as often as any step; the month does not wait for it for ever."""
    played = _run(ONCE, _listed("G000000001"), _failing("G000000001"), endings=lambda _: Exception("no connection"))
    assert len(played.calls(READ_ENDINGS)) == ACTIVITY_TRIES
    assert [state for *_, state in _states(played.status["result"])] == ["failed"]
    error = played.status["result"]["invoices"][0]["error"]
    assert (error["code"], error["message"]) == ("UnsafeName", "a blob's name is not safe.")


def test_the_last_look_keeps_what_has_landed_whatever_becomes_of_it() -> None:
    """Exported once more, it may fail, or be unchanged: it has landed, as it was told then."""
    for again in (Exception("HTTP503: It is away."), replace(result(2), unchanged=True)):
        played = _run(BRIEFLY, _listed("G000000001"), _Tries(billedUsage=[result(2), again]))
        assert len(_exports(played)) == 2
        assert [(told["state"], told["unchanged"]) for told in played.output["invoices"]] == [("landed", False)]


LOOK = call(LOOK_NOW)


class _Calling:
    """Has calls to look now come before the completion of this number, or in one turn with it: ahead or behind."""

    def __init__(self, number: int, *, when: str = "before", calls: int = 1) -> None:
        self.looks_begun: int | None = None
        self._number, self._when, self._calls = number, when, [LOOK] * calls
        self._completed = self._lists = 0

    def __call__(self, pending: list[Task]) -> list[Task]:
        is_now = self._completed == self._number and self.looks_begun is None
        if is_now:
            self.looks_begun = self._lists + sum(task.name == LIST_INVOICES for task in pending)
            if self._when == "before":
                return self._calls
        self._completed += 1
        self._lists += pending[0].name == LIST_INVOICES
        if not is_now:
            return pending[:1]
        return [*self._calls, *pending[:1]] if self._when == "ahead" else [*pending[:1], *self._calls]


LOOKS = 3
EACH = 4
"""Completions of a look: it waits, lists, exports and asks how the export has ended."""

# What comes behind the last completion of a history is lost with it: the call finds that out, and is made again.
MOMENTS = [(number, when) for number in range(LOOKS * EACH) for when in ("before", "ahead")]
MOMENTS += [(number, "behind") for number in range(LOOKS * EACH) if number % EACH != EACH - 1]


@pytest.mark.filterwarnings("ignore:Potential duplicate Task completion")
@pytest.mark.usefixtures("typing_mode")
@pytest.mark.parametrize("calls", [1, 3])
@pytest.mark.parametrize(("number", "when"), MOMENTS)
def test_after_each_call_to_look_now_a_look_begins(number: int, when: str, calls: int) -> None:
    """Whenever it comes: a wait ends at once, and a look is followed by another one, also the last."""
    calling = _Calling(number, when=when, calls=calls)
    order = replace(ONCE, recheck_hours=24, wait_days=LOOKS - 1)
    played = _run(order, _listed("G000000001"), _failing("G000000001"), calling)
    assert calling.looks_begun is not None
    assert calling.looks_begun < len(played.calls(LIST_INVOICES)) <= LOOKS + calls
    assert len(played.calls(START_NOTICE)) == 1
    played.require_sound()


def test_a_call_while_it_waits_ends_the_wait() -> None:
    """The look begins at once, and the next is counted from it."""
    played = _run(WAITING, _listed("G000000001"), in_order=_Calling(3))
    called = START + timedelta(seconds=3)
    assert _looks(played)[:3] == [START, START + timedelta(hours=12), called + timedelta(hours=12)]
    assert played.end.failure is None
