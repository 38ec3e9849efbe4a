"""A month's invoices are exported as they are issued, each once; none stops the others."""

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from failures import LATER
from messages.cancelling import CancelledInstances, FailedInstances
from messages.encoding import Message
from messages.exports import ExportOrder
from messages.months import InvoicesAnswer, MonthlyOrder
from messages.names import FIND_CANCELLED, LIST_INVOICES, MONTHLY_EXPORTS, RUN_EXPORT, START_NOTICE
from messages.problems import Answer, NotDone, Problem
from orchestrator.monthly_exports import MOST_SHOWN
from orchestrator.policy import ACTIVITY_TRIES
from tests.replay.exports import POLICY, PROBLEM, failed, in_turn, result
from tests.replay.player import START, TIMER, Order, Reply, Story, Task, one_by_one, play_story

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
        return InvoicesAnswer([invoice for invoice, issued in self._issued.items() if issued <= self._now])

    def order(self, pending: list[Task]) -> list[Task]:
        if pending[0].fire_at:
            self._now = datetime.fromisoformat(pending[0].fire_at)
        return pending[:1]


def _listed(*invoices: str) -> Callable[[Any], Reply]:
    return lambda _: InvoicesAnswer(list(invoices))


def _exported(_: Any) -> Reply:
    return result(2)


def _failing(*invoices: str, because: str = "UnsafeName: a blob's name is not safe.") -> Callable[[Any], Reply]:
    """Exports all invoices but these."""
    return lambda data: Exception(because) if data["request"]["invoiceId"] in invoices else result(2)


def _run(
    order: MonthlyOrder,
    invoices: Callable[[Any], Reply],
    export: Callable[[Any], Reply] = _exported,
    in_order: Order = one_by_one,
    cancelled: Sequence[str] = (),
) -> Story:
    answers = {
        LIST_INVOICES: invoices,
        RUN_EXPORT: export,
        START_NOTICE: lambda _: Message(),
        FIND_CANCELLED: lambda _: CancelledInstances(list(cancelled)),
    }
    return play_story(MONTHLY_EXPORTS, order.to_json(), answers, in_order, instance=ID)


def _exports(played: Story) -> list[str]:
    return [ExportOrder.from_json(call).request.export_id for call in played.calls(RUN_EXPORT)]


def _states(shown: Any) -> list[tuple[str, str, str]]:
    return [(invoice["invoiceId"], invoice["dataset"], invoice["state"]) for invoice in shown["invoices"]]


def _looks_before(played: Story, invoice: str) -> int:
    """How often the list was read before the invoice was exported."""
    names = [task.input["request"]["invoiceId"] if task.name == RUN_EXPORT else task.name for task in played.tasks]
    return names[: names.index(invoice)].count(LIST_INVOICES)


def _require_small_statuses(played: Story) -> None:
    for status in played.statuses:
        assert len(json.dumps(status, ensure_ascii=False)) < MOST_CHARACTERS


@pytest.mark.usefixtures("typing_mode")
def test_each_invoice_is_exported_once_when_it_appears() -> None:
    """Of invoices that are issued on the third and the sixth day, each begins at the first look that finds it."""
    issuing = _Issuing(G000000003=3, G000000006=6)
    played = _run(WAITING, issuing, in_order=issuing.order)
    assert _exports(played) == ["billedUsage-G000000003-full", "billedUsage-G000000006-full"]
    assert [_looks_before(played, invoice) for invoice in ("G000000003", "G000000006")] == [1 + 6, 1 + 12]
    assert [invoice["invoiceId"] for invoice in played.output["invoices"]] == ["G000000003", "G000000006"]
    played.require_sound()


def test_it_looks_every_few_hours_until_the_waiting_ends() -> None:
    """No two looks are further apart than that, and the last is when the days have passed."""
    issuing = _Issuing(G000000001=0)
    played = _run(WAITING, issuing, in_order=issuing.order)
    looks = [datetime.fromisoformat(fire_at) for fire_at in played.calls(TIMER)]
    assert len(played.calls(LIST_INVOICES)) == 1 + len(looks)
    *gaps, last = [later - earlier for earlier, later in itertools.pairwise([START, *looks])]
    assert all(timedelta(hours=12) <= gap < timedelta(hours=12, minutes=1) for gap in gaps)
    assert last <= timedelta(hours=12, minutes=1)
    assert abs(looks[-1] - (START + timedelta(days=10))) < timedelta(minutes=1)


@pytest.mark.parametrize(("hours", "days", "issued"), [(24, 1, 0.9), (120, 10, 9.9), (12, 10, 9.9), (7, 1, 0.95)])
def test_an_invoice_of_the_last_hours_is_found(hours: float, days: float, issued: float) -> None:
    """Whatever the interval, the waiting lasts as long as was asked for."""
    issuing = _Issuing(G000000001=issued)
    played = _run(replace(ONCE, recheck_hours=hours, wait_days=days), issuing, in_order=issuing.order)
    assert _exports(played) == ["billedUsage-G000000001-full"]


def test_without_waiting_it_looks_once() -> None:
    """Months of long ago get no more invoices."""
    played = _run(ONCE, _listed("G000000001"))
    assert len(played.calls(LIST_INVOICES)) == 1
    assert not played.calls(TIMER)
    assert played.output["month"] == "2026-09"
    assert played.status["phase"] == "done"


@pytest.mark.parametrize("order", [ONCE, WAITING], ids=["once", "waiting"])
def test_a_month_without_invoice_fails_in_the_end(order: MonthlyOrder) -> None:
    """An operator hears that an invoice was expected and none was issued, when no more can come."""
    played = _run(order, _listed())
    assert played.status["error"]["code"] == "NoInvoice"
    assert "2026-09" in played.status["error"]["message"]
    assert played.status["result"] == {"month": "2026-09", "invoices": []}
    assert len(played.calls(LIST_INVOICES)) == 1 + len(played.calls(TIMER))
    assert played.now >= START + timedelta(days=0 if order is ONCE else 9)
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
    assert {ExportOrder.from_json(call).policy for call in played.calls(RUN_EXPORT)} == {POLICY}


def test_every_outcome_is_in_result_and_status() -> None:
    """The result holds for each export its version and its totals, and the status shows the same."""
    played = _run(replace(ONCE, datasets=DATASETS[:2]), _listed("G000000001"))
    outcome = {"state": "succeeded", "version": result(2).version, "blobCount": 2, "bytes": 20, "unchanged": False}
    assert played.output["invoices"] == [
        {"invoiceId": "G000000001", "dataset": dataset, **outcome, "error": None} for dataset in sorted(DATASETS[:2])
    ]
    assert played.status["result"] == played.output
    assert played.status["progress"] == {"blobsDone": 4, "blobCount": 4, "bytesDone": 40}


def test_what_is_done_shows_while_others_run() -> None:
    """The status lists each outcome as it comes."""
    played = _run(ONCE, _listed("G000000001", "G000000002"))
    shown = [len(status["result"]["invoices"]) for status in played.statuses if status["phase"] == "exporting"]
    assert sorted(set(shown)) == [0, 1]
    assert len(played.status["result"]["invoices"]) == 2


@pytest.mark.usefixtures("typing_mode")
@pytest.mark.parametrize("order", [ONCE, BRIEFLY], ids=["once", "waiting"])
@pytest.mark.parametrize("at_once", [1, 3])
def test_an_export_that_fails_stops_no_other_and_is_not_tried_again(order: MonthlyOrder, at_once: int) -> None:
    """The others are exported, those too that are found later; the failure is told at the end, and why."""
    listed = in_turn(_listed("G000000001", "G000000002")(None), _listed("G000000001", "G000000002", "G000000003")(None))
    played = _run(order, listed, _failing("G000000001"), lambda pending: pending[:at_once])
    invoices = ["G000000002"] if order is ONCE else ["G000000002", "G000000003"]
    assert _exports(played) == [f"billedUsage-{invoice}-full" for invoice in ("G000000001", *invoices)]
    assert _states(played.status["result"]) == [
        ("G000000001", "billedUsage", "failed"),
        *((invoice, "billedUsage", "succeeded") for invoice in invoices),
    ]
    error = played.status["error"]
    assert error["code"] == "InvoicesFailed"
    assert f"1 of {1 + len(invoices)}" in error["message"]
    assert "billedUsage-G000000001-full: UnsafeName: a blob's name is not safe." in error["message"]
    played.require_sound()


def test_the_status_has_room_for_the_failures_first() -> None:
    """Of many outcomes a status shows 24, and no success in the place of a failure."""
    invoices = [f"G{number:09d}" for number in range(30)]
    played = _run(ONCE, _listed(*invoices), _failing("G000000007", "G000000029"))
    shown = _states(played.status["result"])
    assert len(shown) == MOST_SHOWN == 24
    assert [(invoice, state) for invoice, _, state in shown[:3]] == [
        ("G000000007", "failed"),
        ("G000000029", "failed"),
        ("G000000000", "succeeded"),
    ]


def test_the_result_has_them_all() -> None:
    """What a status has no room for is in the result."""
    invoices = [f"G{number:09d}" for number in range(30)]
    played = _run(ONCE, _listed(*invoices))
    assert [invoice["invoiceId"] for invoice in played.output["invoices"]] == invoices
    assert len(played.status["result"]["invoices"]) == 24


@pytest.mark.parametrize("because", ["UnsafeName: " + "x" * 2000, "UnsafeName: " + '"\\' * 1000])
def test_the_status_stays_small_however_much_fails(because: str) -> None:
    """With 120 failures of long texts no turn's custom status is more than Durable takes."""
    invoices = [f"G{number:015d}" for number in range(40)]
    failing = _failing(*invoices, because=because)
    played = _run(replace(ONCE, datasets=DATASETS), _listed(*invoices), failing, lambda pending: pending[:40])
    assert len(played.calls(RUN_EXPORT)) == 120
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


def test_a_final_refusal_of_the_list_fails_the_run_and_keeps_what_is_shown() -> None:
    """Nobody can tell then whether invoices are missing; what was exported is listed still."""
    played = _run(BRIEFLY, in_turn(_listed("G000000001")(None), failed()))
    assert played.end.failure == f"{PROBLEM.code}: {PROBLEM.message}"
    assert played.status["error"] == PROBLEM.to_json()
    assert _states(played.status["result"]) == [("G000000001", "billedUsage", "succeeded")]
    played.require_sound()


def test_a_list_that_cannot_be_read_now_is_read_again() -> None:
    """An outage of Partner Center costs a wait, at least as long as it asks for."""
    outage = failed(LATER, retry_after=600.0)
    played = _run(ONCE, in_turn(outage, _listed("G000000001")(None)))
    (fires,) = played.calls(TIMER)
    assert datetime.fromisoformat(fires) - START == timedelta(seconds=601)
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
    assert len(played.calls(RUN_EXPORT)) == 30
    assert len(played.calls(LIST_INVOICES)) >= 20
    assert played.longest_history < MOST_EVENTS


def test_an_export_that_a_person_cancelled_is_left_alone() -> None:
    """It stands there as cancelled, no later look begins it again, and the month does not fail because of it."""
    ids = [f"{ID}:billedUsage-{invoice}-full" for invoice in ("G000000001", "G000000002")]
    failing = _failing("G000000001", "G000000002", because="cancelled by a caller")
    played = _run(BRIEFLY, _listed("G000000001", "G000000002", "G000000003"), failing, cancelled=ids)
    assert played.calls(FIND_CANCELLED) == [FailedInstances(ids).to_json()]
    assert len(_exports(played)) == 3
    assert played.end.failure is None
    assert [state for *_, state in _states(played.output)] == ["cancelled", "cancelled", "succeeded"]
    played.require_sound()


def test_one_that_failed_by_itself_is_told_from_one_that_was_cancelled() -> None:
    """What failed still fails the month, and stands first."""
    failing = _failing("G000000001", "G000000002")
    cancelled = [f"{ID}:billedUsage-G000000001-full"]
    played = _run(ONCE, _listed("G000000001", "G000000002"), failing, cancelled=cancelled)
    assert "1 of 2" in str(played.end.failure)
    assert [state for *_, state in _states(played.status["result"])] == ["failed", "cancelled"]


def test_where_nobody_can_tell_an_export_counts_as_failed() -> None:
    """Asking is tried as often as any step; the month does not wait for it for ever."""
    answers = {
        LIST_INVOICES: _listed("G000000001"),
        RUN_EXPORT: _failing("G000000001"),
        START_NOTICE: lambda _: Message(),
        FIND_CANCELLED: lambda _: Exception("no connection"),
    }
    played = play_story(MONTHLY_EXPORTS, ONCE.to_json(), answers, one_by_one, instance=ID)
    assert len(played.calls(FIND_CANCELLED)) == ACTIVITY_TRIES
    assert [state for *_, state in _states(played.status["result"])] == ["failed"]
