"""However long a run takes, and however much goes wrong in it, no history grows long: replay reads it at every turn."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from messages.exports import OperationAnswer
from messages.names import (
    CHECK_OPERATION,
    COMMIT_EXPORT,
    COPY_BLOBS,
    POLL_OPERATION,
    REUSE_VERSION,
    RUN_EXPORT,
    START_EXPORT,
)
from messages.problems import Answer
from orchestrator.copying import SLICES_PER_HISTORY
from orchestrator.policy import ACTIVITY_TRIES, MOST_RANGES, index_ranges
from tests.replay.exports import BLOB_BYTES, ORDER, POLICY, Slices, polling, replies, result, still_to_copy
from tests.replay.player import START, Play, Reply, play_on, play_story, require_deterministic

MOST_EVENTS = 1000

pytestmark = pytest.mark.timeout(180)


class _Flaky:
    """Raises as often as is allowed before it answers."""

    def __init__(self, answer: Callable[[Any], Reply]) -> None:
        self._answer = answer
        self._calls = 0

    def __call__(self, data: Any) -> Reply:
        self._calls += 1
        return self._answer(data) if self._calls >= ACTIVITY_TRIES else Exception("LandingUnavailable: throttled")


def _require_short(plays: list[Play]) -> None:
    assert len(plays) > 1
    for played in plays:
        assert len(played.history) < MOST_EVENTS
        assert not played.left_running


def test_histories_stay_short_for_100_000_blobs() -> None:
    """With several slices a range, faults, and any order, 64 activities run at once, and histories stay short."""
    draw = random.Random(7)
    slices = Slices(400, failing=lambda _: draw.random() < 0.1)
    order = still_to_copy(100_000, index_ranges(100_000, 100)).to_json()
    plays = play_on(RUN_EXPORT, order, replies(100_000, copy_blobs=slices), lambda p: draw.sample(p, min(len(p), 8)))
    _require_short(plays)
    assert max(played.most_at_once for played in plays) == MOST_RANGES
    assert plays[-1].output == result(100_000).to_json()
    assert plays[-1].status["progress"]["bytesDone"] == 100_000 * BLOB_BYTES
    require_deterministic(plays[-1])


def test_a_whole_run_of_100_000_blobs_has_a_short_history() -> None:
    """Where each range takes one slice, the run has less than 1,000 events after it was posted."""
    order = replace(ORDER, policy=replace(POLICY, copy_batch_size=100))
    played = play_story(RUN_EXPORT, order.to_json(), replies(100_000))
    assert len(played.calls(COPY_BLOBS)) == played.most_at_once == MOST_RANGES
    assert played.longest_history < MOST_EVENTS
    assert played.output == result(100_000).to_json()


def test_a_history_does_not_grow_with_the_blobs() -> None:
    """Ten times the blobs are as many ranges, so a run has as many events, and costs replay as much."""
    order = replace(ORDER, policy=replace(POLICY, copy_batch_size=100)).to_json()
    few, many = (play_story(RUN_EXPORT, order, replies(blobs)) for blobs in (10_000, 100_000))
    assert few.longest_history == many.longest_history


def test_histories_stay_short_where_every_step_is_tried_again_and_again() -> None:
    """Every step fails as often as it may, and copying eight times a blob: the waits between are counted as well."""
    answers = dict(replies(8, copy_blobs=Slices(1, failing=lambda call: call % 9 != 0)))
    answers |= {name: _Flaky(answers[name]) for name in (START_EXPORT, REUSE_VERSION, COMMIT_EXPORT)}
    order = replace(ORDER, policy=replace(POLICY, retry_seconds=0.01, copy_batch_size=8))
    plays = play_on(RUN_EXPORT, order.to_json(), answers)
    _require_short(plays)
    assert sum(len(played.calls(COPY_BLOBS)) for played in plays) == 8 * 9 < SLICES_PER_HISTORY
    assert plays[-1].output == result(8).to_json()


def test_a_day_of_polling_is_many_short_histories() -> None:
    """An operation that runs for ever ends at the deadline, and none of its histories has 1,000 events."""
    plays = play_on(POLL_OPERATION, polling().to_json(), {CHECK_OPERATION: lambda _: OperationAnswer("running")})
    _require_short(plays)
    last = Answer.from_json(plays[-1].output).not_done
    assert last is not None
    assert last.problem.code == "DeadlineExceeded"
    assert timedelta(hours=23, minutes=50) < plays[-1].now - START < timedelta(hours=24)
