"""Polling: until the operation ends, the deadline passes, or the history is long enough."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from failures import ANEW, FINAL, LATER
from messages.exports import OperationAnswer, Polling, PollingAnswer
from messages.names import CHECK_OPERATION, POLL_OPERATION
from messages.problems import Answer, MetProblem, NotDone
from tests.replay.exports import OPERATION, PROBLEM, failed, in_turn, plan, polling
from tests.replay.player import START, TIMER, Reply, Story, play_story

pytestmark = pytest.mark.usefixtures("typing_mode")

RUNNING = OperationAnswer("running")
AWAY = failed(LATER)
SUCCEEDED = OperationAnswer("succeeded", plan=plan(3))
EARLY = timedelta(milliseconds=800)


def _poll(check: Callable[[Any], Reply], message: Polling | None = None) -> Story:
    return play_story(POLL_OPERATION, (message or polling()).to_json(), {CHECK_OPERATION: check})


def _ended(played: Story) -> NotDone:
    not_done = Answer.from_json(played.output).not_done
    assert not_done is not None
    return not_done


def _waits(played: Story) -> list[float]:
    """Seconds from the beginning, or from an answer, to the next timer: a check takes one."""
    moments = [datetime.fromisoformat(fire_at) for fire_at in played.calls(TIMER)]
    answered = [START, *(moment + timedelta(seconds=1) for moment in moments)]
    return [(timer - before).total_seconds() for timer, before in zip(moments, answered, strict=False)]


@pytest.mark.parametrize(
    "answer",
    [SUCCEEDED, failed(ANEW), failed(FINAL)],
    ids=["succeeded", "anew", "final"],
)
def test_polling_ends_with_the_operations_last_answer(answer: Answer) -> None:
    """Whatever ends the operation is handed on as it was told."""
    played = _poll(in_turn(RUNNING, RUNNING, answer))
    told = PollingAnswer(plan(3)) if answer is SUCCEEDED else answer
    assert played.output == told.to_json()
    assert [call["operation_url"] for call in played.calls(CHECK_OPERATION)] == [OPERATION] * 3
    played.require_sound()


def test_the_first_poll_comes_after_a_wait_too() -> None:
    """What the service asked for when the export was posted is respected."""
    played = _poll(in_turn(SUCCEEDED), polling(retry_after=42.0))
    assert _waits(played) == [42]


def test_the_service_sets_the_pace_where_it_gives_one() -> None:
    """Each answer's `Retry-After` rules the next wait; without one the backoff goes on."""
    answers = (OperationAnswer("running", 5.0), OperationAnswer("running", 700.0), RUNNING, SUCCEEDED)
    assert _waits(_poll(in_turn(*answers))) == [10, 5, 700, 80]


def test_what_cannot_be_asked_is_asked_again() -> None:
    """Neither an outage that the activity tells of nor an activity that raises ends the polling."""
    played = _poll(in_turn(AWAY, Exception("the worker died"), SUCCEEDED))
    assert PollingAnswer.from_json(played.output).plan == plan(3)
    played.require_sound()


def _believed(check: Callable[[Any], Reply]) -> list[bool]:
    """For each poll whether a 404 is to be believed."""
    return [not call["may_be_too_early"] for call in _poll(check).calls(CHECK_OPERATION)]


def test_an_operation_may_not_be_known_yet_in_its_first_minutes() -> None:
    """A first 404 right after the start may only mean that Microsoft has not caught up; after two minutes it counts."""
    assert _believed(in_turn(AWAY, AWAY, AWAY, AWAY, SUCCEEDED)) == [False, False, False, True, True]


def test_what_has_answered_once_is_known() -> None:
    """What is not there any more will not come back."""
    assert _believed(in_turn(RUNNING, SUCCEEDED)) == [False, True]


def test_an_outage_does_not_count_as_being_known() -> None:
    """After a 503 a first 404 still gets its grace."""
    assert _believed(in_turn(AWAY, SUCCEEDED)) == [False, False]


def test_each_history_begins_with_its_wait_and_polls_once() -> None:
    """A deployment meets polling at the beginning of a history, where there is nothing yet to replay."""
    played = _poll(in_turn(*[RUNNING] * 4, SUCCEEDED))
    assert [[task.name for task in history.tasks] for history in played.plays] == [[TIMER, CHECK_OPERATION]] * 5


def test_the_next_history_knows_what_was_seen() -> None:
    """It goes on with the backoff, and knows what kept the last poll from being answered, and when."""
    first, second, third = _poll(in_turn(RUNNING, Exception("no"), SUCCEEDED)).plays
    assert Polling.from_json(first.continued_with) == replace(polling(), polls=1, seen=True)
    later = Polling.from_json(second.continued_with)
    assert (later.polls, later.seen) == (2, True)
    assert later.last_fault is not None
    assert later.last_fault.message == "no"
    assert later.last_problem == MetProblem.at(later.last_fault, second.now)
    assert third.output == PollingAnswer(plan(3), later.last_problem).to_json()


def test_the_status_says_why_and_until_when_it_waits() -> None:
    """Whoever watches the export sees the next poll's time, and the problem of the last one that could not be made."""
    first, second, _ = _poll(in_turn(AWAY, RUNNING, SUCCEEDED)).plays
    assert first.statuses[0]["nextTryAt"] == "2026-10-08T06:00:10+00:00"
    assert "lastProblem" not in first.statuses[0]
    assert second.statuses[0]["nextTryAt"] == "2026-10-08T06:00:31+00:00"
    assert second.statuses[0]["lastProblem"] == {**PROBLEM.to_json(), "time": "2026-10-08T06:00:11+00:00"}


def test_a_timer_that_fires_early_is_waited_for_again() -> None:
    """Azure's queues count whole seconds: what the service asked for is respected all the same."""
    played = play_story(
        POLL_OPERATION, polling(retry_after=42.0).to_json(), {CHECK_OPERATION: lambda _: SUCCEEDED}, early=EARLY
    )
    first, again = played.plays[0].calls(TIMER)
    assert datetime.fromisoformat(first) == START + timedelta(seconds=42)
    assert datetime.fromisoformat(again) == START + timedelta(seconds=43)
    played.require_sound()


def test_polling_that_ends_at_its_deadline_tells_what_it_was_waiting_for() -> None:
    """Whether the operation kept running or could not be read is part of the error."""
    soon = replace(polling(), deadline=START + timedelta(minutes=3))
    for answer, reason in [
        (RUNNING, "was still running"),
        (AWAY, PROBLEM.message),
    ]:
        last = _ended(_poll(in_turn(answer), soon))
        assert (last.kind, last.problem.code) == (FINAL, "DeadlineExceeded")
        assert reason in last.problem.message


def test_no_timer_fires_after_the_deadline() -> None:
    """A wait that the deadline would cut short is not begun."""
    deadline = START + timedelta(minutes=3)
    played = _poll(in_turn(OperationAnswer("running", 70.0)), replace(polling(), deadline=deadline))
    timers = played.calls(TIMER)
    assert timers
    assert all(datetime.fromisoformat(fire_at) < deadline for fire_at in timers)
    assert _ended(played).kind == FINAL
