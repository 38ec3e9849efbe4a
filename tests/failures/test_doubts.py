"""When a refusal is believed."""

from datetime import timedelta

import pytest

from failures import FINAL, LATER, Kind, LandingFailure, LandingRefused, LandingUnavailable
from failures.doubts import BELIEVED, DOUBTED, Doubts
from tests.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def doubts(clock: Clock) -> Doubts:
    return Doubts(clock)


def refused(doubts: Doubts, *, allowed: bool) -> Kind:
    """As what a refusal passes."""
    with pytest.raises(LandingRefused) as caught, doubts.about(allowed=allowed):
        raise LandingRefused("No.", may_pass=True)
    return caught.value.kind


def test_a_refusal_of_what_was_never_allowed_is_believed(doubts: Doubts) -> None:
    """Nothing speaks for waiting."""
    assert refused(doubts, allowed=False) == FINAL


@pytest.mark.parametrize("known", [True, False])
def test_a_refusal_of_what_was_allowed_is_doubted_until_it_has_lasted(
    doubts: Doubts, clock: Clock, known: bool
) -> None:
    """Whether the caller knows of it or this process has seen it."""
    if not known:
        with doubts.about():
            pass
    assert refused(doubts, allowed=known) == LATER
    clock.move(DOUBTED - timedelta(seconds=1))
    assert refused(doubts, allowed=known) == LATER
    clock.move(1)
    assert refused(doubts, allowed=known) == FINAL


def test_what_is_allowed_again_is_doubted_anew(doubts: Doubts, clock: Clock) -> None:
    """A refusal counts from its own beginning."""
    refused(doubts, allowed=True)
    clock.move(DOUBTED)
    with doubts.about():
        pass
    assert refused(doubts, allowed=True) == LATER


def test_a_refusal_long_after_another_is_a_new_one(doubts: Doubts, clock: Clock) -> None:
    """Somebody else's run, a day ago, says nothing about this one's right."""
    refused(doubts, allowed=True)
    clock.move(BELIEVED)
    assert refused(doubts, allowed=True) == LATER


@pytest.mark.parametrize("failure", [LandingUnavailable("Away."), LandingRefused("A file is in the way.")])
def test_other_failures_are_left_alone(doubts: Doubts, failure: LandingFailure) -> None:
    """An outage is no refusal, and not every refusal is one that may pass."""
    kind = failure.kind
    with pytest.raises(LandingFailure), doubts.about(allowed=True):
        raise failure
    assert failure.kind == kind


def test_what_shows_nothing_about_the_permission_ends_no_doubt(doubts: Doubts, clock: Clock) -> None:
    """Who may read is not told by that that it may write."""
    refused(doubts, allowed=True)
    clock.move(DOUBTED)
    with doubts.doubting():
        pass
    assert refused(doubts, allowed=True) == FINAL
