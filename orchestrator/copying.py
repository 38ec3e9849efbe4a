"""Copies a plan's blobs: at most 64 ranges at once, each in slices of time, round after round until all are done."""

from dataclasses import replace
from typing import Any

from catalog.export_request import ExportRequest
from failures import ANEW, LATER
from messages.exports import CopyAnswer, CopyOrder, CopyProgress, Plan
from messages.names import COPY_BLOBS
from messages.problems import NotDone
from orchestrator.policy import MOST_IDLE_ROUNDS, MOST_IDLE_ROUNDS_AT_SOURCE, index_ranges, total
from orchestrator.run import ExportAnew, ExportFailed, Run, Steps, crashed, deadline_passed, ending, in_vain

SLICES_PER_HISTORY = 128
"""Calls of `copy_blobs`, and waits between rounds, before continuing as new: four events each, read at every replay."""


def begin(plan: Plan, batch_size: int) -> CopyProgress:
    """All of the plan's blobs, still to copy."""
    return CopyProgress(plan, index_ranges(plan.blob_count, batch_size))


def copy_ranges(run: Run, request: ExportRequest, progress: CopyProgress) -> Steps[CopyProgress]:
    """Copies what is pending. What still is in the answer is left for the next history.

    Raises:
        ExportFailed: when a range cannot be copied.
        ExportAnew: when the data is no longer what was planned, or cannot be read.
    """
    slices = SLICES_PER_HISTORY
    _show(run, progress)
    while progress.pending and slices >= len(progress.pending):
        if run.now >= run.deadline:
            raise ExportFailed(deadline_passed("blobs were still being copied."))
        slices -= len(progress.pending)
        round_ = _Round(run, request, progress)
        progress = yield from round_.play()
        if progress.pending and round_.put_off:
            yield from _wait_for_next_round(run, progress, round_.put_off)
            slices -= 1
    return progress


def _wait_for_next_round(run: Run, progress: CopyProgress, put_off: NotDone) -> Steps[None]:
    most = MOST_IDLE_ROUNDS_AT_SOURCE if put_off.at_last == ANEW else MOST_IDLE_ROUNDS
    if progress.idle_rounds >= most and put_off.at_last != LATER:
        left = total(progress.pending)
        raise in_vain(put_off, f"Of {progress.plan.blob_count} blobs, up to {left} could not be copied")
    yield from run.wait_after(put_off, max(progress.idle_rounds, 1))


class _Round:
    """One slice of every pending range, in parallel.

    It never ends while a task is running: a completion that comes later would find another history. Nor does it begin a
    slice while others run: the extension awaits each `task_any` that has something new before it schedules what comes
    after, so that slices begun one by one would run one by one.
    """

    def __init__(self, run: Run, request: ExportRequest, progress: CopyProgress) -> None:
        self.put_off: NotDone | None = None
        self._run = run
        self._request = request
        self._progress = progress
        self._progressed = False
        self._left: list[list[int]] = []
        self._ending: ExportFailed | ExportAnew | None = None
        self._running: dict[Any, list[int]] = {}

    def play(self) -> Steps[CopyProgress]:
        for pending in self._progress.pending:
            self._start(pending)
        while self._running:
            done = yield self._run.context.task_any(list(self._running))
            pending = self._running.pop(done)
            self._take(pending, _read(done.result, pending[0]))
            _show(self._run, self._progress)
        if self._ending:
            raise self._ending
        idle_rounds = 0 if self._progressed else self._progress.idle_rounds + 1
        return replace(self._progress, pending=sorted(self._left), idle_rounds=idle_rounds)

    def _start(self, pending: list[int]) -> None:
        start, stop = pending
        order = CopyOrder(self._request, self._progress.plan, start, stop, self._run.context.instance_id)
        self._running[self._run.task(COPY_BLOBS, order)] = pending

    def _take(self, pending: list[int], answer: CopyAnswer) -> None:
        if answer.not_done:
            self._take_failure(answer.not_done)
        # A slice that ended in the middle of a large blob has staged some of it.
        self._progressed = self._progressed or answer.next > pending[0] or not answer.not_done
        self._progress = replace(
            self._progress,
            blobs_done=self._progress.blobs_done + answer.blobs,
            bytes_done=self._progress.bytes_done + answer.bytes,
        )
        if answer.next < pending[1]:
            self._left.append([answer.next, pending[1]])

    def _take_failure(self, failure: NotDone) -> None:
        if failure.kind == LATER:
            self.put_off = failure
        elif not isinstance(self._ending, ExportFailed):
            self._ending = ending(failure.kind, failure.problem)


def _show(run: Run, progress: CopyProgress) -> None:
    run.show("copying", progress.blobs_done, progress.plan.blob_count, progress.bytes_done)


def _read(result: Any, start: int) -> CopyAnswer:
    """What a task of `copy_blobs` that began at `start` ended with, however it ended."""
    if isinstance(result, Exception):
        return CopyAnswer(start, not_done=crashed(result))
    return CopyAnswer.from_json({"next": start, **result})
