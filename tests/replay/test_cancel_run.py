"""When a cancellation looks for what began late, and when it stops."""

import itertools
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import pytest

from messages.cancelling import CancelOrder, EndAnswer, EndOrder
from messages.names import CANCEL_RUN, END_RUN
from tests.replay.player import INSTANCE, START, TIMER, Play, Reply, play, require_deterministic

pytestmark = pytest.mark.usefixtures("typing_mode")

EARLY = 1
"""Seconds that each timer is set later, for it may fire that much early."""


def _play(answers: Iterable[Reply]) -> Play:
    following: Iterator[Reply] = itertools.chain(answers, itertools.repeat(EndAnswer(ended=True, found=0)))
    return play(CANCEL_RUN, CancelOrder(INSTANCE).to_json(), {END_RUN: lambda _: next(following)})


def _seconds(played: Play) -> list[float]:
    """When the timers fire, counted from the beginning."""
    return [(datetime.fromisoformat(fire_at) - START).total_seconds() for fire_at in played.calls(TIMER)]


def _order(*, ended: bool) -> Any:
    return EndOrder(INSTANCE, ended).to_json()


def test_where_nothing_begins_late_it_looks_for_a_minute() -> None:
    """After 5, 15, 30 and 60 seconds; each timer is a second longer, for it may come early."""
    played = _play([])
    ended = 1
    assert _seconds(played) == [ended + after + EARLY for after in (5, 15, 30, 60)]
    assert played.calls(END_RUN) == [_order(ended=False), *[_order(ended=True)] * 4]
    assert played.end.failure is None
    require_deterministic(played)


def test_the_run_itself_is_ended_again_until_it_has_ended() -> None:
    """Durable takes its time, and a look may fail; the rounds count from the end."""
    played = _play([EndAnswer(ended=False, found=3), Exception("no connection"), EndAnswer(ended=False, found=0)])
    first, second, third, *rounds = _seconds(played)
    assert (first, second, third) == (2, 5, 11)
    assert rounds == [12 + after + EARLY for after in (5, 15, 30, 60)]
    assert played.calls(END_RUN) == [*[_order(ended=False)] * 4, *[_order(ended=True)] * 4]


@pytest.mark.parametrize(("found", "last"), [([0, 0, 0, 0], 60), ([9, 9, 9, 0, 0], 120), ([0, 0, 0, 1, 0, 0], 240)])
def test_it_stops_when_two_looks_in_a_row_found_nothing(found: list[int], last: int) -> None:
    """The second of them a minute after the end or later."""
    played = _play([EndAnswer(ended=True, found=number) for number in (1, *found)])
    assert _seconds(played)[-1] == 1 + last + EARLY


def test_a_look_that_failed_may_have_missed_something() -> None:
    """It does not count as one that found nothing."""
    played = _play([*[EndAnswer(ended=True, found=0)] * 4, Exception("no connection")])
    assert _seconds(played)[-1] == 1 + 240 + EARLY


def test_what_never_stops_beginning_is_given_up_after_an_hour() -> None:
    """No cancellation goes on for ever."""
    played = _play([EndAnswer(ended=True, found=1)] * 100)
    assert played.end.is_done
    assert _seconds(played)[-1] == 1 + 3600 + EARLY
