"""Whoever is to know hears of each run's end, once and with one id; whether that succeeds changes nothing."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from failures import ANEW, FINAL, LATER
from messages.encoding import Message
from messages.exports import ExportOrder, VersionAnswer
from messages.months import BackfillOrder, InvoicesAnswer, MonthlyOrder
from messages.names import BACKFILL, LIST_INVOICES, MONTHLY_EXPORTS, RUN_EXPORT, SEND_NOTICE
from orchestrator.copying import SLICES_PER_HISTORY
from tests.replay.exports import ORDER, POLICY, PROBLEM, Slices, failed, in_turn, replies, result, still_to_copy
from tests.replay.player import INSTANCE, START, TIMER, Play, Replies, Reply, play, play_on, require_deterministic

pytestmark = pytest.mark.usefixtures("typing_mode")


@dataclass(frozen=True)
class _Case:
    """A run of one orchestration: what it is asked, how it succeeds, how it fails, and under which subject."""

    orchestrator: str
    instance: str
    subject: str
    order: Message
    well: Replies
    ill: Replies

    def play(self, answers: Replies, **notice: Callable[[Any], Reply]) -> Play:
        return play(self.orchestrator, self.order.to_json(), {**answers, **notice}, instance=self.instance)


def _told(_: Any) -> Message:
    return Message()


_MONTH: Replies = {
    LIST_INVOICES: lambda _: InvoicesAnswer(["G016907411"]),
    RUN_EXPORT: lambda _: result(1),
    SEND_NOTICE: _told,
}
# What a month returned is not looked at.
_MONTHS: Replies = {MONTHLY_EXPORTS: lambda _: result(1), SEND_NOTICE: _told}
_REFUSED = replies(1, start_export=lambda _: failed())
CASES = [
    _Case(RUN_EXPORT, INSTANCE, INSTANCE, ORDER, replies(1), _REFUSED),
    _Case(RUN_EXPORT, f"monthly-2026-09:{INSTANCE}", INSTANCE, ORDER, replies(1), _REFUSED),
    _Case(
        MONTHLY_EXPORTS,
        "monthly-2026-09",
        "monthly-2026-09",
        MonthlyOrder("2026-09", POLICY, ["billedUsage"]),
        _MONTH,
        {**_MONTH, LIST_INVOICES: lambda _: failed()},
    ),
    _Case(
        MONTHLY_EXPORTS,
        "monthly-2026-08-to-2026-09:2026-09",
        "monthly-2026-09",
        MonthlyOrder("2026-09", POLICY, ["billedUsage"]),
        _MONTH,
        {**_MONTH, RUN_EXPORT: lambda _: Exception("UnsafeName: a blob's name is not safe.")},
    ),
    _Case(
        BACKFILL,
        "monthly-2026-08-to-2026-09",
        "monthly-2026-08-to-2026-09",
        BackfillOrder("2026-08", "2026-09", POLICY, ["billedUsage"]),
        _MONTHS,
        {**_MONTHS, MONTHLY_EXPORTS: lambda _: Exception("NoInvoice: none was issued")},
    ),
]
every_run = pytest.mark.parametrize(
    "case", CASES, ids=["export", "export-of-a-month", "month", "month-of-a-range", "range"]
)


def _gaps(played: Play) -> list[timedelta]:
    """The time from each try to the next; an activity takes a second."""
    fired = [datetime.fromisoformat(fire_at) for fire_at in played.calls(TIMER)]
    told = datetime.fromisoformat(played.calls(SEND_NOTICE)[0]["time"])
    return [later - earlier - timedelta(seconds=1) for earlier, later in itertools.pairwise([told, *fired])]


@every_run
def test_a_success_is_told_once_and_last(case: _Case) -> None:
    """The last step tells the subject, the result as callers see it, and when the run ended."""
    played = case.play(case.well)
    (notice,) = played.calls(SEND_NOTICE)
    assert played.tasks[-1].name == SEND_NOTICE
    assert (notice["outcome"], notice["subject"]) == ("succeeded", case.subject)
    assert notice["data"] == played.output
    assert datetime.fromisoformat(notice["time"]) == played.now - timedelta(seconds=1)
    require_deterministic(played)


@every_run
def test_a_failure_is_told_once_with_its_error(case: _Case) -> None:
    """The error that the status shows is told before the run fails."""
    played = case.play(case.ill)
    (notice,) = played.calls(SEND_NOTICE)
    assert played.tasks[-1].name == SEND_NOTICE
    assert (notice["outcome"], notice["subject"]) == ("failed", case.subject)
    assert notice["data"] == played.status["error"]
    assert played.end.failure == f"{notice['data']['code']}: {notice['data']['message']}"
    require_deterministic(played)


def test_data_that_had_landed_before_is_told_as_unchanged() -> None:
    """Whoever loads what lands learns that there is nothing to load."""
    unchanged = replace(result(1), unchanged=True)
    played = CASES[0].play(replies(1, reuse_version=lambda _: VersionAnswer(unchanged)))
    (notice,) = played.calls(SEND_NOTICE)
    assert (notice["outcome"], notice["data"]) == ("unchanged", unchanged.to_json())


@every_run
@pytest.mark.parametrize("fault", [Exception("It answered 503."), failed(LATER)], ids=["raises", "put-off"])
def test_a_notice_that_gets_through_at_the_last_try_is_the_same_each_time(case: _Case, fault: Reply) -> None:
    """Three tries with 30 and 60 seconds between carry one id and one time, so a receiver counts them once."""
    played = case.play(case.well, send_notice=in_turn(fault, fault, Message()))
    first, *others = played.calls(SEND_NOTICE)
    assert others == [{**first, "attempt": attempt} for attempt in (2, 3)]
    assert _gaps(played) == [timedelta(seconds=30), timedelta(seconds=60)]
    require_deterministic(played)


@every_run
@pytest.mark.parametrize("fault", [Exception("It answered 503."), failed(LATER)], ids=["raises", "put-off"])
def test_a_notice_that_never_gets_through_changes_nothing(case: _Case, fault: Reply) -> None:
    """After the third try the run ends with the result or the failure that it had, and without another wait."""
    for answers in (case.well, case.ill):
        untold, told = case.play(answers, send_notice=lambda _: fault), case.play(answers)
        assert len(untold.calls(SEND_NOTICE)) == 3
        assert len(untold.calls(TIMER)) == 2
        assert (untold.end.output, untold.end.failure) == (told.end.output, told.end.failure)
        assert untold.status == told.status
        require_deterministic(untold)


@every_run
def test_a_notice_that_is_refused_is_not_sent_again(case: _Case) -> None:
    """The receiver would refuse it again."""
    played = case.play(case.well, send_notice=lambda _: failed(FINAL))
    assert len(played.calls(SEND_NOTICE)) == 1
    assert played.output == case.play(case.well).output
    require_deterministic(played)


def test_each_run_has_an_id_of_its_own() -> None:
    """The same export a day later is another event, and so is another subject at the same moment."""
    later = play(RUN_EXPORT, ORDER.to_json(), replies(1), at=START + timedelta(days=1))
    told = [later, *(case.play(case.well) for case in CASES)]
    assert len({played.calls(SEND_NOTICE)[0]["id"] for played in told}) == len(told)


def test_a_new_attempt_is_not_told() -> None:
    """A run that exports anew has not ended: each history but the last ends untold."""
    *before, last = play_on(RUN_EXPORT, ORDER.to_json(), replies(1, poll_operation=lambda _: failed(ANEW)))
    assert len(before) == 2
    assert [len(played.calls(SEND_NOTICE)) for played in before] == [0, 0]
    (notice,) = last.calls(SEND_NOTICE)
    assert (notice["outcome"], notice["data"]) == ("failed", PROBLEM.to_json())


def test_a_copy_that_goes_on_in_another_history_is_not_told() -> None:
    """A run whose history became long is told when it ends, not when it goes on."""
    ranges = SLICES_PER_HISTORY // 2 + 1
    first_round_fails = Slices(1, failing=lambda call: call <= ranges)
    answers = replies(ranges, copy_blobs=first_round_fails)
    plays = play_on(RUN_EXPORT, still_to_copy(ranges).to_json(), answers, lambda pending: pending)
    assert [len(played.calls(SEND_NOTICE)) for played in plays] == [0, 1]
    assert plays[-1].output == result(ranges).to_json()


def test_a_run_that_its_deadline_ends_is_told_all_the_same() -> None:
    """The waits between the tries do not count against the deadline."""
    order = ExportOrder(ORDER.request, POLICY, START + timedelta(seconds=20))
    answers = replies(1, copy_blobs=lambda _: failed(LATER), send_notice=_unavailable)
    played = play(RUN_EXPORT, order.to_json(), answers)
    assert [notice["data"]["code"] for notice in played.calls(SEND_NOTICE)] == ["DeadlineExceeded"] * 3
    assert played.status["error"]["code"] == "DeadlineExceeded"


def _unavailable(_: Any) -> Exception:
    return Exception("It answered 503.")
