"""When a month looks for invoices: every few hours, whenever it is asked to, and though the list cannot be read."""

from dataclasses import replace
from datetime import timedelta

import pytest

from failures import LATER
from messages.names import LIST_INVOICES, LOOK_NOW, RUN_EXPORT, START_NOTICE
from messages.problems import Answer, NotDone, Problem
from orchestrator.policy import ACTIVITY_TRIES
from tests.replay.exports import PROBLEM, failed, in_turn, listed, result
from tests.replay.months import (
    BRIEFLY,
    DATASETS,
    MOST_EVENTS,
    ONCE,
    WAITING,
    Issuing,
    Tries,
    exporting_all_but,
    exports_of,
    listing,
    looks_of,
    play_month,
    states_of,
)
from tests.replay.player import START, Reply, Task, call


def test_it_looks_every_few_hours_until_the_waiting_ends() -> None:
    """The first look is due at once, each other one twelve hours after the one before, the last when days are over."""
    issuing = Issuing(G000000001=0)
    played = play_month(WAITING, issuing, in_order=issuing.order)
    looks = looks_of(played)
    assert looks == [START + timedelta(hours=12 * number) for number in range(21)]
    assert len(played.calls(LIST_INVOICES)) == len(looks)


@pytest.mark.parametrize(("hours", "days", "issued"), [(24, 1, 0.9), (120, 10, 9.9), (12, 10, 9.9), (7, 1, 0.95)])
def test_an_invoice_of_the_last_hours_is_found(hours: float, days: float, issued: float) -> None:
    """Whatever the interval, the waiting lasts as long as was asked for."""
    issuing = Issuing(G000000001=issued)
    played = play_month(replace(ONCE, recheck_hours=hours, wait_days=days), issuing, in_order=issuing.order)
    assert exports_of(played) == ["billedUsage-G000000001-full"]


def test_a_look_that_took_longer_than_the_wait_is_followed_at_once() -> None:
    """The next is counted from its beginning: after thirty hours of exporting two are overdue, and one comes."""
    took = timedelta(hours=30)
    slow = iter([True])

    def at_length(pending: list[Task]) -> list[Task]:
        # A timer of nobody's stands for the time that the export takes.
        if pending[0].name == RUN_EXPORT and next(slow, False):
            return [replace(pending[0], fire_at=(START + took).isoformat())]
        return pending[:1]

    played = play_month(BRIEFLY, listing("G000000001"), in_order=at_length)
    assert looks_of(played) == [START + timedelta(hours=hours) for hours in (0, 12, 42, 48)]
    assert played.end.failure is None


def test_without_waiting_it_looks_once() -> None:
    """Months of long ago get no more invoices."""
    played = play_month(ONCE, listing("G000000001"))
    assert len(played.calls(LIST_INVOICES)) == 1
    assert looks_of(played) == [START]
    assert played.output["month"] == "2026-09"
    assert played.status["phase"] == "done"


@pytest.mark.parametrize(
    ("fault", "tries"),
    [(failed(), 1), (failed(LATER), ACTIVITY_TRIES), (Exception("It crashed."), ACTIVITY_TRIES)],
    ids=["refused", "away", "crash"],
)
def test_a_look_that_cannot_read_the_list_is_not_the_end(fault: Reply, tries: int) -> None:
    """The next one comes when it is due; what was listed before is tried again meanwhile."""
    lists = in_turn(listed("G000000001"), *[fault] * tries, listed("G000000001", "G000000002"))
    played = play_month(BRIEFLY, lists, Tries(billedUsage=[Exception("HTTP503: It is away."), result(2)]))
    assert exports_of(played)[:3] == [f"billedUsage-G00000000{number}-full" for number in (1, 1, 2)]
    assert played.end.failure is None
    assert {START + timedelta(hours=12 * number) for number in range(5)} <= set(looks_of(played))
    assert len(played.calls(LIST_INVOICES)) == 4 + tries
    assert any(status.get("lastProblem") for status in played.statuses if status["phase"] == "waiting")
    played.require_sound()


def test_a_list_that_cannot_be_read_at_last_fails_the_run_and_keeps_what_is_shown() -> None:
    """Nobody can tell then whether invoices are missing; what was exported is listed still."""
    played = play_month(BRIEFLY, in_turn(listed("G000000001"), failed()))
    assert played.end.failure == f"{PROBLEM.code}: {PROBLEM.message}"
    assert played.status["error"] == PROBLEM.to_json()
    assert played.status["phase"] == "listing"
    assert states_of(played.status["result"]) == [("G000000001", "billedUsage", "landed")]
    played.require_sound()


def test_a_list_that_cannot_be_read_now_is_read_again() -> None:
    """An outage of Partner Center costs a wait, at least as long as it asks for."""
    outage = failed(LATER, retry_after=600.0)
    played = play_month(ONCE, in_turn(outage, listed("G000000001")))
    _, fires = looks_of(played)
    assert fires - START == timedelta(seconds=601)
    assert exports_of(played) == ["billedUsage-G000000001-full"]


def test_a_list_that_can_never_be_read_fails_the_run() -> None:
    """After ten tries the run ends with the reason in its status, and whoever is to know is told."""
    problem = Problem("HTTP503", "Partner Center is away.", "Wait.")
    played = play_month(ONCE, lambda _: Answer(not_done=NotDone(problem, LATER)))
    assert len(played.calls(LIST_INVOICES)) == ACTIVITY_TRIES
    assert played.status["error"]["code"] == "HTTP503"
    assert len(played.calls(START_NOTICE)) == 1


def test_histories_stay_short_for_many_looks_and_invoices() -> None:
    """Twenty looks, ten invoices that come one by one, and three datasets make less than 1,000 events."""
    issuing = Issuing(**{f"G{number:09d}": number * 0.9 for number in range(10)})
    played = play_month(replace(WAITING, datasets=DATASETS), issuing, in_order=issuing.order)
    assert len(played.calls(RUN_EXPORT)) == 60
    assert len(played.calls(LIST_INVOICES)) >= 20
    assert played.longest_history < MOST_EVENTS


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
    played = play_month(order, listing("G000000001"), exporting_all_but("G000000001"), calling)
    assert calling.looks_begun is not None
    assert calling.looks_begun < len(played.calls(LIST_INVOICES)) <= LOOKS + calls
    assert len(played.calls(START_NOTICE)) == 1
    played.require_sound()


def test_a_call_while_it_waits_ends_the_wait() -> None:
    """The look begins at once, and the next is counted from it."""
    played = play_month(WAITING, listing("G000000001"), in_order=_Calling(3))
    called = START + timedelta(seconds=3)
    assert looks_of(played)[:3] == [START, START + timedelta(hours=12), called + timedelta(hours=12)]
    assert played.end.failure is None
