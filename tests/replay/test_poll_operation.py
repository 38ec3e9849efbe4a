"""Polling: until the operation ends, the deadline passes, or the history is long enough."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from failures import ANEW, FINAL, LATER
from messages.exports import OperationAnswer, Polling
from messages.names import CHECK_OPERATION, POLL_OPERATION
from messages.problems import Answer, NotDone
from orchestrator.poll_operation import POLLS_PER_HISTORY
from tests.replay.exports import OPERATION, PROBLEM, failed, in_turn, plan, polling
from tests.replay.player import START, TIMER, Play, Reply, play_on, require_deterministic

pytestmark = pytest.mark.usefixtures("typing_mode")

RUNNING = OperationAnswer("running")
AWAY = failed(LATER)
SUCCEEDED = OperationAnswer("succeeded", plan=plan(3))


def _poll(check: Callable[[Any], Reply], message: Polling | None = None) -> list[Play]:
    return play_on(POLL_OPERATION, (message or polling()).to_json(), {CHECK_OPERATION: check})


def _ended(played: Play) -> NotDone:
    not_done = Answer.from_json(played.output).not_done
    assert not_done is not None
    return not_done


def _waits(plays: list[Play]) -> list[float]:
    """Seconds from the beginning, or from an answer, to the next timer: a check takes one."""
    moments = [datetime.fromisoformat(fire_at) for played in plays for fire_at in played.calls(TIMER)]
    answered = [START, *(moment + timedelta(seconds=1) for moment in moments)]
    return [(timer - before).total_seconds() for timer, before in zip(moments, answered, strict=False)]


@pytest.mark.parametrize(
    "answer",
    [SUCCEEDED, failed(ANEW), failed(FINAL)],
    ids=["succeeded", "anew", "final"],
)
def test_polling_ends_with_the_operations_last_answer(answer: Answer) -> None:
    """Whatever ends the operation is handed on as it was told."""
    (played,) = _poll(in_turn(RUNNING, RUNNING, answer))
    assert played.output == answer.to_json()
    assert [call["operation_url"] for call in played.calls(CHECK_OPERATION)] == [OPERATION] * 3
    require_deterministic(played)


def test_the_first_poll_comes_after_a_wait_too() -> None:
    """What the service asked for when the export was posted is respected."""
    (played,) = _poll(in_turn(SUCCEEDED), polling(retry_after=42.0))
    assert _waits([played]) == [42]


def test_the_service_sets_the_pace_where_it_gives_one() -> None:
    """Each answer's `Retry-After` rules the next wait; without one the backoff goes on."""
    answers = (OperationAnswer("running", 5.0), OperationAnswer("running", 700.0), RUNNING, SUCCEEDED)
    assert _waits(_poll(in_turn(*answers))) == [10, 5, 700, 80]


def test_what_cannot_be_asked_is_asked_again() -> None:
    """Neither an outage that the activity tells of nor an activity that raises ends the polling."""
    (played,) = _poll(in_turn(AWAY, Exception("the worker died"), SUCCEEDED))
    assert played.output == SUCCEEDED.to_json()
    require_deterministic(played)


def _believed(check: Callable[[Any], Reply]) -> list[bool]:
    """For each poll whether a 404 is to be believed."""
    (played,) = _poll(check)
    return [not call["may_be_too_early"] for call in played.calls(CHECK_OPERATION)]


def test_an_operation_may_not_be_known_yet_in_its_first_minutes() -> None:
    """A first 404 right after the start may only mean that Microsoft has not caught up; after two minutes it counts."""
    assert _believed(in_turn(AWAY, AWAY, AWAY, AWAY, SUCCEEDED)) == [False, False, False, True, True]


def test_what_has_answered_once_is_known() -> None:
    """What is not there any more will not come back."""
    assert _believed(in_turn(RUNNING, SUCCEEDED)) == [False, True]


def test_an_outage_does_not_count_as_being_known() -> None:
    """After a 503 a first 404 still gets its grace."""
    assert _believed(in_turn(AWAY, SUCCEEDED)) == [False, False]


def test_a_long_history_is_continued_with_what_was_seen() -> None:
    """The next history goes on with the backoff, and knows what the one before had seen."""
    first, second, _ = _poll(in_turn(*[RUNNING] * POLLS_PER_HISTORY, *[Exception("no")] * POLLS_PER_HISTORY, SUCCEEDED))
    going_on = Polling.from_json(first.continued_with)
    assert going_on == replace(polling(), polls=POLLS_PER_HISTORY, seen=True)
    later = Polling.from_json(second.continued_with)
    assert (later.polls, later.seen) == (2 * POLLS_PER_HISTORY, True)
    assert later.last_fault is not None
    assert "no" in later.last_fault.message
    require_deterministic(first)


def test_polling_that_ends_at_its_deadline_tells_what_it_was_waiting_for() -> None:
    """Whether the operation kept running or could not be read is part of the error."""
    soon = replace(polling(), deadline=START + timedelta(minutes=3))
    for answer, reason in [
        (RUNNING, "was still running"),
        (AWAY, PROBLEM.message),
    ]:
        (played,) = _poll(in_turn(answer), soon)
        last = _ended(played)
        assert (last.kind, last.problem.code) == (FINAL, "DeadlineExceeded")
        assert reason in last.problem.message


def test_no_timer_fires_after_the_deadline() -> None:
    """A wait that the deadline would cut short is not begun."""
    deadline = START + timedelta(minutes=3)
    plays = _poll(in_turn(OperationAnswer("running", 70.0)), replace(polling(), deadline=deadline))
    timers = list(itertools.chain.from_iterable(played.calls(TIMER) for played in plays))
    assert timers
    assert all(datetime.fromisoformat(fire_at) < deadline for fire_at in timers)
    assert _ended(plays[-1]).kind == FINAL
