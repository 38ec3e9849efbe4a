"""Whoever is to know hears of each run's end, once and with one id; no run waits for that."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from failures import ANEW, FINAL, LATER, NO_DATA
from messages.encoding import Message
from messages.endings import Endings
from messages.exports import CommitAnswer, ExportOrder, VersionAnswer
from messages.months import BackfillOrder, MonthlyOrder
from messages.names import (
    BACKFILL,
    DELIVER_NOTICE,
    LIST_INVOICES,
    MONTHLY_EXPORTS,
    READ_ENDINGS,
    RUN_EXPORT,
    SEND_NOTICE,
    START_NOTICE,
)
from messages.notices import Notice
from messages.problems import Answer, NotDone
from orchestrator.copying import SLICES_PER_HISTORY
from tests.replay.exports import ORDER, POLICY, PROBLEM, Slices, failed, in_turn, listed, replies, result, still_to_copy
from tests.replay.player import INSTANCE, START, TIMER, Replies, Reply, Story, play_on, play_story

pytestmark = pytest.mark.usefixtures("typing_mode")

NOTICE = Notice("5c2e1d0a", "succeeded", INSTANCE, START, result(1).to_json(), 30)


@dataclass(frozen=True)
class _Case:
    """A run of one orchestration: what it is asked, how it succeeds, and how it fails."""

    orchestrator: str
    instance: str
    order: Message
    well: Replies
    ill: Replies

    def play(self, answers: Replies, **notice: Callable[[Any], Reply]) -> Story:
        return play_story(self.orchestrator, self.order.to_json(), {**answers, **notice}, instance=self.instance)


def _told(_: Any) -> Message:
    return Message()


_MONTH: Replies = {
    LIST_INVOICES: lambda _: listed("G016907411"),
    RUN_EXPORT: lambda _: result(1),
    READ_ENDINGS: lambda _: Endings([]),
    START_NOTICE: _told,
}
# What a month returned is not looked at.
_MONTHS: Replies = {**_MONTH, MONTHLY_EXPORTS: lambda _: result(1)}
_REFUSED = replies(1, start_export=lambda _: failed())
CASES = [
    _Case(RUN_EXPORT, INSTANCE, ORDER, replies(1), _REFUSED),
    _Case(RUN_EXPORT, f"monthly-2026-09:{INSTANCE}", ORDER, replies(1), _REFUSED),
    _Case(
        MONTHLY_EXPORTS,
        "monthly-2026-09",
        MonthlyOrder("2026-09", POLICY, ["billedUsage"]),
        _MONTH,
        {**_MONTH, LIST_INVOICES: lambda _: failed()},
    ),
    _Case(
        MONTHLY_EXPORTS,
        "monthly-2026-08-to-2026-09:2026-09",
        MonthlyOrder("2026-09", POLICY, ["billedUsage"]),
        _MONTH,
        {**_MONTH, RUN_EXPORT: lambda _: Exception("UnsafeName: a blob's name is not safe.")},
    ),
    _Case(
        BACKFILL,
        "monthly-2026-08-to-2026-09",
        BackfillOrder("2026-08", "2026-09", POLICY, ["billedUsage"]),
        _MONTHS,
        {**_MONTHS, MONTHLY_EXPORTS: lambda _: Exception("NoInvoice: none was issued")},
    ),
]
every_run = pytest.mark.parametrize(
    "case", CASES, ids=["export", "export-of-a-month", "month", "month-of-a-range", "range"]
)


@every_run
def test_a_success_is_told_once_and_last(case: _Case) -> None:
    """The last step tells the subject, the result as callers see it, and when the run ended."""
    played = case.play(case.well)
    (notice,) = played.calls(START_NOTICE)
    assert played.tasks[-1].name == START_NOTICE
    assert (notice["outcome"], notice["subject"]) == ("succeeded", case.instance)
    assert notice["data"] == played.output
    assert datetime.fromisoformat(notice["time"]) == played.now - timedelta(seconds=1)
    played.require_sound()


@every_run
def test_a_failure_is_told_once_with_its_error(case: _Case) -> None:
    """The error that the status shows is told before the run fails."""
    played = case.play(case.ill)
    (notice,) = played.calls(START_NOTICE)
    assert played.tasks[-1].name == START_NOTICE
    assert (notice["outcome"], notice["subject"]) == ("failed", case.instance)
    assert notice["data"] == played.status["error"]
    assert played.end.failure == f"{notice['data']['code']}: {notice['data']['message']}"
    played.require_sound()


def test_data_that_had_landed_before_is_told_as_unchanged() -> None:
    """Whoever loads what lands learns that there is nothing to load."""
    unchanged = replace(result(1), unchanged=True)
    played = CASES[0].play(replies(1, reuse_version=lambda _: VersionAnswer(unchanged)))
    (notice,) = played.calls(START_NOTICE)
    assert (notice["outcome"], notice["data"]) == ("unchanged", unchanged.to_json())


@pytest.mark.parametrize(
    ("order", "code", "told"),
    [
        (replace(ORDER, tells_failure=False), PROBLEM.code, False),
        (replace(ORDER, tells_failure=False), NO_DATA, False),
        (replace(ORDER, tells_no_data=False), PROBLEM.code, True),
        (replace(ORDER, tells_no_data=False), NO_DATA, False),
        (ORDER, NO_DATA, True),
    ],
)
def test_a_failure_that_is_no_news_is_not_told(order: ExportOrder, code: str, told: bool) -> None:
    """Whoever began the run will try again, or expects that there may be no data; the run fails all the same."""
    refusal = Answer(not_done=NotDone(replace(PROBLEM, code=code)))
    played = play_story(RUN_EXPORT, order.to_json(), replies(1, start_export=lambda _: refusal))
    assert played.status["error"]["code"] == code
    assert str(played.end.failure).startswith(code)
    assert bool(played.calls(START_NOTICE)) is told


def test_data_that_was_restated_is_told_beside_the_success() -> None:
    """Whoever has closed a book with the version before learns of both."""
    restated = replace(result(1), previous_version="0" * 16)
    for answers in (
        replies(1, reuse_version=lambda _: VersionAnswer(restated)),
        replies(1, commit_export=lambda _: CommitAnswer(restated)),
    ):
        played = CASES[0].play(answers)
        told = [(notice["outcome"], notice["data"]) for notice in played.calls(START_NOTICE)]
        assert told == [("succeeded", restated.to_json()), ("restated", restated.to_json())]
        played.require_sound()


FAULTS = pytest.mark.parametrize("fault", [Exception("It is away."), failed(LATER)], ids=["raises", "put-off"])


@every_run
@FAULTS
def test_a_notice_that_cannot_be_started_at_once_is_the_same_each_time(case: _Case, fault: Reply) -> None:
    """Three tries carry one id, so that the third finds what an earlier one may have started."""
    played = case.play(case.well, start_notice=in_turn(fault, fault, Message()))
    first, *others = played.calls(START_NOTICE)
    assert others == [first] * 2
    played.require_sound()


@every_run
@FAULTS
def test_a_notice_that_can_never_be_started_changes_nothing(
    case: _Case, fault: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    """Half a minute later the run ends with the result or the failure that it had, and the log tells of both."""
    for answers, outcome in ((case.well, "succeeded"), (case.ill, "failed")):
        caplog.clear()
        untold, told = case.play(answers, start_notice=lambda _: fault), case.play(answers)
        assert len(untold.calls(START_NOTICE)) == 3
        assert untold.now - told.now < timedelta(seconds=30)
        assert (untold.end.output, untold.end.failure) == (told.end.output, told.end.failure)
        assert untold.status == told.status
        assert f"{case.instance} ended as {outcome}, of which no notice can be sent" in caplog.text
        untold.require_sound()


def test_each_run_has_an_id_of_its_own() -> None:
    """The same export a day later is another event, and so is another subject at the same moment."""
    later = play_story(RUN_EXPORT, ORDER.to_json(), replies(1), at=START + timedelta(days=1))
    told = [later, *(case.play(case.well) for case in CASES)]
    assert len({played.calls(START_NOTICE)[0]["id"] for played in told}) == len(told)


def test_a_new_attempt_is_not_told() -> None:
    """A run that exports anew has not ended: each history but the last ends untold."""
    *before, last = play_on(RUN_EXPORT, ORDER.to_json(), replies(1, poll_operation=lambda _: failed(ANEW)))
    assert [len(played.calls(START_NOTICE)) for played in before] == [0] * 5
    (notice,) = last.calls(START_NOTICE)
    assert (notice["outcome"], notice["data"]) == ("failed", PROBLEM.to_json())


def test_a_copy_that_goes_on_in_another_history_is_not_told() -> None:
    """A run whose history became long is told when it ends, not when it goes on."""
    ranges = SLICES_PER_HISTORY // 2 + 1
    first_round_fails = Slices(1, failing=lambda call: call <= ranges)
    answers = replies(ranges, copy_blobs=first_round_fails)
    plays = play_on(RUN_EXPORT, still_to_copy(ranges).to_json(), answers, lambda pending: pending)
    assert [len(played.calls(START_NOTICE)) for played in plays] == [0, 1]
    assert plays[-1].output == result(ranges).to_json()


def test_a_run_that_its_deadline_ends_is_told_all_the_same() -> None:
    """The waits between the tries do not count against the deadline."""
    order = ExportOrder(ORDER.request, POLICY, START + timedelta(seconds=20))
    cannot_be_told = Exception("The hub is away.")
    answers = replies(1, copy_blobs=lambda _: failed(LATER), start_notice=lambda _: cannot_be_told)
    played = play_story(RUN_EXPORT, order.to_json(), answers)
    assert [notice["data"]["code"] for notice in played.calls(START_NOTICE)] == ["DeadlineExceeded"] * 3
    assert played.status["error"]["code"] == "DeadlineExceeded"


def _delivered(send: Callable[[Any], Reply]) -> Story:
    return play_story(DELIVER_NOTICE, NOTICE.to_json(), {SEND_NOTICE: send}, instance=f"notice-{NOTICE.id}")


def _gaps(played: Story) -> list[timedelta]:
    """The time from each try to the next; an activity takes a second."""
    fired = [datetime.fromisoformat(fire_at) for fire_at in played.calls(TIMER)]
    return [later - earlier - timedelta(seconds=1) for earlier, later in itertools.pairwise([START, *fired])]


def test_a_notice_that_is_taken_is_sent_once() -> None:
    """At once, and nothing else happens."""
    played = _delivered(lambda _: Message())
    assert played.calls(SEND_NOTICE) == [NOTICE.to_json()]
    assert not played.calls(TIMER)
    played.require_sound()


def test_a_notice_that_is_refused_is_not_sent_again() -> None:
    """The receiver would refuse it again."""
    assert len(_delivered(lambda _: failed(FINAL)).calls(SEND_NOTICE)) == 1


@FAULTS
def test_a_notice_that_nobody_takes_is_sent_again_in_a_new_history(fault: Reply) -> None:
    """The same event each time, after waits that double up to a quarter of an hour; each begins a history."""
    played = _delivered(in_turn(*[fault] * 7, Message()))
    first, *others = played.calls(SEND_NOTICE)
    assert others == [{**first, "attempt": attempt} for attempt in range(2, 9)]
    assert _gaps(played) == [timedelta(seconds=s) for s in (30, 60, 120, 240, 480, 900, 900)]
    assert all(history.tasks[0].name == TIMER for history in played.plays[1:])
    played.require_sound()


def test_a_notice_that_nobody_takes_is_given_up_after_a_day(caplog: pytest.LogCaptureFixture) -> None:
    """A receiver that is away for hours misses nothing; one that is gone for good is said in the log."""
    played = _delivered(lambda _: Exception("It answered 503."))
    assert timedelta(hours=24) <= played.now - START < timedelta(hours=24, minutes=16)
    assert f"nobody takes the notice of {INSTANCE}" in caplog.text


def test_what_a_replay_passes_by_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """Each retry is one line, with its cause and its wait, however often its history is replayed."""
    play_story(
        RUN_EXPORT, ORDER.to_json(), replies(2, commit_export=in_turn(Exception("once"), CommitAnswer(result(2))))
    )
    assert caplog.text.count(f"{INSTANCE} tries again in 30 s: KeptFailing: once") == 1
