"""How long to wait, how to cut, when to give up: pure functions of numbers."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from messages.exports import Policy

MOST_RANGES = 64
"""Ranges of one export: replay reads the whole history at each completion, so it must not grow with the blobs.

Measured once for 100,000 blobs, on two cores: orchestrating took 0.05 s of the processor with 16 ranges, 0.48 s with
64, 1.82 s with 128.
"""

LONGEST_RETRY = 900.0
"""Seconds between two tries, at the most."""

LEAST_WAIT = 1.0
"""Seconds between two polls even where `Retry-After` says 0, unless the polling interval is shorter."""

ACTIVITY_TRIES = 10
"""Tries of one activity that keeps raising: with the default waits, about an hour and a half."""

NOTICE_START_TRIES = 3
"""Tries of starting what tells of a run's end. Only these the run waits for, not the telling."""

NOTICE_START_WAIT = timedelta(seconds=10)
"""Between two of them."""

NOTICE_HOURS = timedelta(hours=24)
"""How long a notice that nobody takes is sent again and again."""

EARLIEST_TIMER = timedelta(seconds=1)
"""How much too early a durable timer may fire: Azure's queues count in whole seconds."""

MOST_IDLE_ROUNDS = 10
"""Copy rounds in which no range gets any further: with the default waits, about an hour and a half."""

MOST_IDLE_ROUNDS_AT_SOURCE = 3
"""The same where blobs cannot be read, which a new export fixes sooner than waiting: about two minutes."""

NOT_FOUND_GRACE = timedelta(minutes=2)
"""An operation that was just started may not be known everywhere yet."""


def poll_delay(polls: int, retry_after: float | None, policy: Policy) -> float:
    """Seconds before the next poll, after `polls` of them: what the service asks for, else capped exponential."""
    if retry_after is not None:
        return max(retry_after, min(LEAST_WAIT, policy.poll_interval_seconds))
    # The exponent is bounded only to keep the number finite.
    return min(policy.poll_interval_seconds * 2.0 ** min(polls, 60), policy.poll_max_seconds)


def retry_delay(failures: int, retry_seconds: float) -> float:
    """Seconds to wait before something is tried again that failed `failures` times (1 and more); doubles."""
    return min(retry_seconds * 2.0 ** min(failures - 1, 60), LONGEST_RETRY)


def may_still_be_told(now: datetime, ended: datetime) -> bool:
    """Whether a run that ended then is still news."""
    return now - ended < NOTICE_HOURS


def may_be_too_early(now: datetime, posted: datetime, seen: bool) -> bool:
    """Whether a 404 may only mean that the operation is not known everywhere yet."""
    return not seen and now - posted < NOT_FOUND_GRACE


def look_after(began: datetime, recheck_hours: float, last_look: datetime) -> datetime:
    """When the next look at a month is due after one that began then, however long that has taken."""
    return min(began + timedelta(hours=recheck_hours), last_look)


def is_last_look(began: datetime, last_look: datetime) -> bool:
    """Whether no look follows one that began then."""
    return began + EARLIEST_TIMER >= last_look


def index_ranges(count: int, batch_size: int) -> list[list[int]]:
    """The indexes below `count`, cut into ranges `[start, stop]` of at least `batch_size`, at most 64 of them."""
    size = max(batch_size, -(-count // MOST_RANGES))
    return [[start, min(start + size, count)] for start in range(0, count, size)]


def total(ranges: Sequence[Sequence[int]]) -> int:
    """How many indexes the ranges hold."""
    return sum(stop - start for start, stop in ranges)
