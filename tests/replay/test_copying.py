"""Copying: many ranges at once, in any order of completion, in slices and rounds."""

import itertools
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from failures import ANEW, FINAL, LATER, Kind
from messages.exports import CopyAnswer, ExportOrder
from messages.names import COPY_BLOBS, POLL_OPERATION, RUN_EXPORT, START_EXPORT
from messages.problems import NotDone
from orchestrator.copying import SLICES_PER_HISTORY
from orchestrator.policy import MOST_IDLE_ROUNDS, MOST_IDLE_ROUNDS_AT_SOURCE
from tests.replay.exports import BLOB_BYTES, PROBLEM, Slices, copied, failed, in_turn, replies, result, still_to_copy
from tests.replay.player import START, TIMER, Order, Play, Reply, Story, Task, play_on, require_deterministic


def _run(
    order: ExportOrder, copy: Callable[[Any], Reply] | None = None, in_order: Order = lambda pending: pending[:1]
) -> list[Play]:
    assert order.copying is not None
    answers = replies(order.copying.plan.blob_count, **({"copy_blobs": copy} if copy else {}))
    return play_on(RUN_EXPORT, order.to_json(), answers, in_order)


def _ranges(plays: list[Play]) -> Counter[tuple[int, int]]:
    return Counter((call["start"], call["stop"]) for played in plays for call in played.calls(COPY_BLOBS))


def _landed(plays: list[Play]) -> tuple[int, int]:
    progress = plays[-1].status["progress"]
    return progress["blobsDone"], progress["bytesDone"]


class _Preferring:
    """Completes first what comes first in a ranking of the blobs' indexes."""

    def __init__(self, ranking: list[int], at_once: int = 1) -> None:
        self._ranking = ranking
        self._at_once = at_once

    def __call__(self, pending: list[Task]) -> list[Task]:
        return sorted(pending, key=self._rank)[: self._at_once]

    def _rank(self, task: Task) -> int:
        return self._ranking.index(task.input["start"]) if task.name == COPY_BLOBS else -1


@pytest.mark.parametrize("ranking", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_three_ranges_end_alike_in_every_order_of_completion(ranking: tuple[int, ...], at_once: int) -> None:
    """Whichever range is done first, and however many are told of at once, calls and result are the same."""
    plays = _run(still_to_copy(3), in_order=_Preferring(list(ranking), at_once))
    assert _ranges(plays) == {(0, 1): 1, (1, 2): 1, (2, 3): 1}
    assert plays[-1].output == result(3).to_json()
    assert _landed(plays) == (3, 3 * BLOB_BYTES)
    require_deterministic(plays[-1])


@pytest.mark.parametrize("seed", range(2))
def test_64_ranges_end_alike_in_every_order_of_completion(seed: int) -> None:
    """The same holds for as many ranges as there can be."""
    draw = random.Random(seed)
    plays = _run(still_to_copy(64), in_order=_Preferring(draw.sample(range(64), 64), draw.randint(1, 5)))
    assert _ranges(plays) == {(i, i + 1): 1 for i in range(64)}
    assert plays[-1].output == result(64).to_json()
    assert _landed(plays) == (64, 64 * BLOB_BYTES)
    require_deterministic(plays[-1])


def test_a_slice_that_ends_early_is_gone_on_with() -> None:
    """The next call of a range begins where the last one got to, while the others go on."""
    (played,) = _run(still_to_copy(6, ranges=[[0, 4], [4, 6]]), Slices(1))
    assert _ranges([played]) == {(i, 4): 1 for i in range(4)} | {(i, 6): 1 for i in range(4, 6)}
    assert _landed([played]) == (6, 6 * BLOB_BYTES)
    require_deterministic(played)


def test_ranges_that_raise_are_tried_again_after_a_wait() -> None:
    """A transient fault costs its own range another try, after all others are done and a durable timer fired."""
    (played,) = _run(still_to_copy(3), Slices(1, failing=lambda call: call == 2))
    assert _ranges([played]) == {(0, 1): 1, (1, 2): 2, (2, 3): 1}
    assert [task.name for task in played.tasks] == [
        *[COPY_BLOBS] * 3,
        TIMER,
        COPY_BLOBS,
        "commit_export",
        "start_notice",
    ]
    assert played.output == result(3).to_json()
    require_deterministic(played)


def test_waits_between_rounds_grow_while_nothing_gets_further() -> None:
    """A source that is down is asked again after 30 s, 60 s, 120 s, not all the time."""
    (played,) = _run(still_to_copy(1), Slices(1, failing=lambda call: call <= 3))
    moments = [START, *map(START.fromisoformat, played.calls(TIMER))]
    waits = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(moments)]
    assert waits == [30 + 1, 60 + 1, 120 + 1]


def test_waits_are_short_again_once_a_range_got_further() -> None:
    """Progress shows that the fault is over: the wait begins anew."""
    (played,) = _run(still_to_copy(2, ranges=[[0, 2]]), Slices(1, failing=lambda call: call in {1, 2, 4}))
    moments = [START, *map(START.fromisoformat, played.calls(TIMER))]
    waits = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(moments)]
    assert waits == [30 + 1, 60 + 1, 30 + 2]


@pytest.mark.parametrize("reply", [failed(LATER), CopyAnswer(0, not_done=NotDone(PROBLEM, LATER)), Exception("?")])
def test_copying_that_never_gets_further_fails_in_the_end(reply: Reply) -> None:
    """After ten rounds without progress the run ends, and says how many blobs are missing and why."""
    (played,) = _run(still_to_copy(2, ranges=[[0, 2]]), lambda _: reply)
    assert len(played.calls(TIMER)) == MOST_IDLE_ROUNDS - 1
    assert played.status["error"]["code"] in {PROBLEM.code, "KeptFailing"}
    assert played.status["error"]["message"].startswith("Of 2 blobs, up to 2 could not be copied; at last: ")
    require_deterministic(played)


def test_copying_that_only_waiting_can_help_goes_on_until_the_deadline() -> None:
    """However long the outage is, as long as the run has time."""
    plays = _run(still_to_copy(1), lambda _: CopyAnswer(0, not_done=NotDone(PROBLEM, LATER, LATER)))
    assert sum(len(played.calls(TIMER)) for played in plays) > 2 * MOST_IDLE_ROUNDS
    assert plays[-1].status["error"]["code"] == "DeadlineExceeded"
    assert PROBLEM.message in plays[-1].status["error"]["message"]


def test_blobs_that_cannot_be_read_are_exported_anew_after_a_few_rounds() -> None:
    """What is wrong with the source a new export mends sooner than waiting; the last one's problem is the error."""
    plays = _run(still_to_copy(1), lambda _: CopyAnswer(0, not_done=NotDone(PROBLEM, LATER, ANEW)))
    assert Story(plays).status["attempt"] == still_to_copy(1).policy.export_attempts
    assert len(plays[0].calls(COPY_BLOBS)) == MOST_IDLE_ROUNDS_AT_SOURCE
    assert plays[-1].status["error"]["code"] == PROBLEM.code
    assert plays[-1].status["error"]["requestId"] == PROBLEM.request_id


def test_what_a_slice_got_to_before_it_was_kept_from_more_is_not_asked_for_again() -> None:
    """A range that is put off in its middle is gone on with there, after as long a wait as the service asked for."""
    put_off = replace(copied(0, 2), not_done=NotDone(PROBLEM, LATER, retry_after=400.0))
    (played,) = _run(still_to_copy(3, ranges=[[0, 3]]), in_turn(put_off, copied(2, 3)))
    assert _ranges([played]) == {(0, 3): 1, (2, 3): 1}
    assert START.fromisoformat(played.calls(TIMER)[0]) - START == timedelta(seconds=1 + 400)
    assert _landed([played]) == (3, 3 * BLOB_BYTES)
    require_deterministic(played)


@pytest.mark.parametrize("kind", [FINAL, ANEW])
def test_a_problem_ends_copying_only_when_nothing_runs_any_more(kind: Kind) -> None:
    """The other ranges are awaited, none is begun or gone on with, and no later completion finds another history."""

    def copy(data: Any) -> Reply:
        return failed(kind) if data["start"] == 0 else CopyAnswer(data["start"])

    first, *_ = _run(still_to_copy(3), copy)
    assert _ranges([first]) == {(0, 1): 1, (1, 2): 1, (2, 3): 1}
    assert not first.left_running
    require_deterministic(first)


@pytest.mark.parametrize("ranking", list(itertools.permutations(range(2))))
def test_a_final_problem_outweighs_one_that_a_new_export_may_mend(ranking: tuple[int, ...]) -> None:
    """Whichever of two problems is told first, the final one ends the run."""

    def copy(data: Any) -> Reply:
        return failed(ANEW if data["start"] == 0 else FINAL)

    (played,) = _run(still_to_copy(2), copy, _Preferring(list(ranking)))
    assert played.status["error"] == PROBLEM.to_json()


def test_data_that_changes_after_many_slices_is_exported_anew_from_its_first_step() -> None:
    """The next attempt knows nothing of the plan that no longer holds, in whichever history it is found out."""
    first, *second = _run(still_to_copy(1), in_turn(failed(ANEW), copied(0, 1)))
    going_on = ExportOrder.from_json(first.continued_with)
    assert (going_on.attempt, going_on.operation, going_on.copying) == (2, None, None)
    assert [task.name for task in Story(second).tasks][:2] == [START_EXPORT, POLL_OPERATION]
    assert Story(second).output == result(1).to_json()


def test_no_slice_is_begun_after_the_deadline() -> None:
    """A run ends at its deadline also while it gets further; what is under way is awaited."""
    order = replace(still_to_copy(100, ranges=[[0, 50], [50, 100]]), deadline=START + timedelta(seconds=10))
    (played,) = _run(order, Slices(1))
    assert played.status["error"]["code"] == "DeadlineExceeded"
    assert len(played.calls(COPY_BLOBS)) < 15
    assert not played.left_running


def test_no_slice_is_begun_while_others_run() -> None:
    """Ranges that need more slices begin them together: the extension would run those begun one by one, one by one."""
    (played,) = _run(still_to_copy(12, ranges=[[0, 6], [6, 12]]), Slices(2), lambda pending: pending[-1:])
    assert [call["start"] for call in played.calls(COPY_BLOBS)] == [0, 6, 2, 8, 4, 10]
    new = [step for step in played.end.steps if step.any_]
    assert [len(step.actions) for step in new] == [2, 2, 2]


def test_what_is_left_goes_on_in_a_new_history() -> None:
    """A history that has grown long ends with what is done and what is pending in its successor's input."""
    whole = still_to_copy(192, [[i * 3, i * 3 + 3] for i in range(64)])
    first, *rest = _run(whole, Slices(1), lambda pending: pending[:8])
    going_on = ExportOrder.from_json(first.continued_with)
    assert going_on.copying is not None
    assert going_on == replace(whole, copying=going_on.copying)
    assert going_on.copying.blobs_done == len(first.calls(COPY_BLOBS)) == SLICES_PER_HISTORY
    assert sum(stop - start for start, stop in going_on.copying.pending) == 192 - going_on.copying.blobs_done
    assert going_on.copying.bytes_done == going_on.copying.blobs_done * BLOB_BYTES
    assert _landed(rest) == (192, 192 * BLOB_BYTES)
