"""How long to wait, how to cut, when to give up."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.policy import (
    LEAST_WAIT,
    LONGEST_RETRY,
    MOST_RANGES,
    NOT_FOUND_GRACE,
    index_ranges,
    is_last_look,
    look_after,
    may_be_too_early,
    poll_delay,
    retry_delay,
    total,
)
from tests.export_policy import POLICY

HASTY = replace(POLICY, poll_interval_seconds=0.05, poll_max_seconds=0.1, retry_seconds=0.01)
POSTED = datetime(2026, 10, 8, 6, tzinfo=UTC)


def test_polling_waits_as_long_as_the_service_asks() -> None:
    """`Retry-After` rules, be it shorter than our own wait, or longer than our own longest."""
    assert poll_delay(9, 2, POLICY) == 2
    assert poll_delay(0, 1800, POLICY) == 1800


def test_retry_after_zero_does_not_poll_without_a_pause() -> None:
    """`Retry-After: 0` still leaves a second between two polls."""
    assert poll_delay(0, 0, POLICY) == LEAST_WAIT


def test_the_pause_is_never_longer_than_the_polling_interval() -> None:
    """Who sets a polling interval below a second gets it where the service asks for no wait."""
    assert poll_delay(0, 0, HASTY) == HASTY.poll_interval_seconds


def test_polling_backs_off_by_doubling_up_to_the_longest_wait() -> None:
    """Without `Retry-After` the waits double from the interval on, and stay at the maximum."""
    assert [poll_delay(polls, None, POLICY) for polls in range(8)] == [10, 20, 40, 80, 160, 300, 300, 300]


@given(polls=st.integers(0, 10**9))
def test_polling_never_waits_longer_than_configured(polls: int) -> None:
    """However often an operation was polled, the wait is between interval and maximum."""
    assert POLICY.poll_interval_seconds <= poll_delay(polls, None, POLICY) <= POLICY.poll_max_seconds


def test_retries_back_off_by_doubling_up_to_a_quarter_of_an_hour() -> None:
    """A failed step is tried again after `RETRY_SECONDS`, then after twice as long each time, up to 15 minutes."""
    assert [retry_delay(failures, 30) for failures in range(1, 8)] == [30, 60, 120, 240, 480, 900, 900]


@given(failures=st.integers(1, 10**9))
def test_retries_never_wait_longer_than_a_quarter_of_an_hour(failures: int) -> None:
    """However often a step failed, the next try comes within 15 minutes, and not before `RETRY_SECONDS`."""
    assert POLICY.retry_seconds <= retry_delay(failures, POLICY.retry_seconds) <= LONGEST_RETRY


def test_an_operation_just_posted_may_not_be_known_yet() -> None:
    """A 404 within two minutes of the start is taken for a service that has not caught up."""
    assert may_be_too_early(POSTED + timedelta(seconds=119), POSTED, seen=False)


def test_an_operation_that_stays_unknown_is_gone() -> None:
    """After two minutes a 404 means what it says."""
    assert not may_be_too_early(POSTED + NOT_FOUND_GRACE, POSTED, seen=False)


def test_an_operation_that_was_known_once_is_gone_at_the_first_404() -> None:
    """A 404 for an operation that had answered before is believed at once."""
    assert not may_be_too_early(POSTED + timedelta(seconds=1), POSTED, seen=True)


@given(count=st.integers(0, 200_000), batch_size=st.integers(1, 100_000))
def test_ranges_cover_every_blob_exactly_once(count: int, batch_size: int) -> None:
    """The ranges follow each other without gap or overlap, from the first blob to the last."""
    ranges = index_ranges(count, batch_size)
    ends = [0, *(stop for _, stop in ranges)]
    assert [start for start, _ in ranges] == ends[:-1]
    assert ends[-1] == count
    assert all(start < stop for start, stop in ranges)


@given(count=st.integers(0, 10_000_000), batch_size=st.integers(1, 100_000))
def test_there_are_never_more_than_64_ranges(count: int, batch_size: int) -> None:
    """The number of activities at once does not grow with the number of blobs."""
    assert len(index_ranges(count, batch_size)) <= MOST_RANGES == 64


@given(count=st.integers(1, 200_000), batch_size=st.integers(1, 10_000))
def test_ranges_hold_at_least_a_batch_but_for_the_last(count: int, batch_size: int) -> None:
    """No activity is scheduled for fewer blobs than `COPY_BATCH_SIZE`, unless no more are left."""
    *full, _ = index_ranges(count, batch_size)
    assert all(stop - start >= batch_size for start, stop in full)


@pytest.mark.parametrize("batch_size", [1, 100])
def test_an_empty_export_has_no_ranges(batch_size: int) -> None:
    """A manifest without blobs leaves nothing to copy."""
    assert index_ranges(0, batch_size) == []


@given(count=st.integers(0, 200_000), batch_size=st.integers(1, 10_000))
def test_the_total_of_all_ranges_is_the_number_of_blobs(count: int, batch_size: int) -> None:
    """What is left to copy is counted in blobs, not in ranges."""
    assert total(index_ranges(count, batch_size)) == count


@pytest.mark.parametrize(("seconds", "is_last"), [(-2, False), (-1, True), (-0.2, True), (0, True), (3600, True)])
def test_the_last_look_may_begin_a_second_early(seconds: float, is_last: bool) -> None:
    """As its timer may fire: no other look is due then, a second later."""
    assert is_last_look(POSTED + timedelta(seconds=seconds), POSTED) == is_last


def test_looks_are_counted_from_their_beginning_up_to_the_last_one() -> None:
    """However long one has taken."""
    last = POSTED + timedelta(hours=30)
    began = [POSTED]
    while not is_last_look(began[-1], last):
        began.append(look_after(began[-1], 12, last))
    assert [(moment - POSTED).total_seconds() / 3600 for moment in began] == [0, 12, 24, 30]
