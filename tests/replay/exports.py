"""An export's activities as they answer when all goes well; a test says what goes otherwise."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from catalog.export_request import ExportRequest
from failures import FINAL, Kind
from messages.encoding import Message
from messages.endings import Endings
from messages.exports import (
    CommitAnswer,
    CopyAnswer,
    CopyOrder,
    CopyProgress,
    ExportOrder,
    OperationAnswer,
    Plan,
    Policy,
    Polling,
    Result,
    StartAnswer,
    VersionAnswer,
)
from messages.months import Document, InvoicesAnswer
from messages.names import (
    COMMIT_EXPORT,
    COPY_BLOBS,
    POLL_OPERATION,
    READ_ENDINGS,
    REUSE_VERSION,
    START_EXPORT,
    START_NOTICE,
)
from messages.problems import Answer, NotDone, Problem
from tests import export_policy
from tests.replay.player import START, Replies, Reply

OPERATION = "https://graph.microsoft.com/v1.0/reports/partners/billing/operations/7b7b3a3e"
REQUEST = ExportRequest.of_invoice("G016907411")
POLICY = replace(export_policy.POLICY, copy_batch_size=1)
ORDER = ExportOrder(REQUEST, POLICY)
PROBLEM = Problem("Forbidden", "The identity may not read it.", "Grant the role.", "1f0c3b2a")
BLOB_BYTES = 10


def plan(blob_count: int) -> Plan:
    """A plan for so many blobs."""
    return Plan(OPERATION, "5f0c2ab94d3e7a10" * 4, "etag", blob_count)


def result(blob_count: int) -> Result:
    """What an export of so many blobs ends with."""
    return Result("etag", "5f0c2ab94d3e7a10", blob_count, blob_count * BLOB_BYTES, "file:///landed/", False)


def polling(**fields: Any) -> Polling:
    """What `run_export` asks `poll_operation`."""
    return Polling(OPERATION, POLICY, START, START.replace(day=START.day + 1), **fields)


def failed(kind: Kind = FINAL, at_last: Kind = FINAL, retry_after: float | None = None) -> Answer:
    """What an activity answers that could not do its work."""
    return Answer(not_done=NotDone(PROBLEM, kind, at_last, retry_after))


def listed(*invoice_ids: str) -> InvoicesAnswer:
    """What Partner Center lists."""
    return InvoicesAnswer([Document(id_) for id_ in invoice_ids])


def copied(start: int, stop: int) -> CopyAnswer:
    """The answer of `copy_blobs` that got from `start` to `stop`."""
    return CopyAnswer(stop, stop - start, (stop - start) * BLOB_BYTES)


def copied_whole(data: Any) -> CopyAnswer:
    """The range is copied in one slice."""
    order = CopyOrder.from_json(data)
    return copied(order.start, order.stop)


def still_to_copy(blob_count: int, ranges: list[list[int]] | None = None, policy: Policy = POLICY) -> ExportOrder:
    """The order of a run that has its plan, and all of it still to copy: each blob a range, unless told otherwise."""
    pending = [[i, i + 1] for i in range(blob_count)] if ranges is None else ranges
    copying = CopyProgress(plan(blob_count), pending)
    return ExportOrder(REQUEST, policy, START + timedelta(hours=24), copying=copying, started_at=START)


def in_turn(*replies: Reply) -> Callable[[Any], Reply]:
    """One reply after the other; the last one for ever."""
    following: Iterator[Reply] = iter(replies)
    return lambda _: next(following, replies[-1])


def replies(blob_count: int, **other: Callable[[Any], Reply]) -> Replies:
    """What activities and polling answer for an export of so many blobs; `other` by name."""
    return {
        START_EXPORT: lambda _: StartAnswer(OPERATION),
        POLL_OPERATION: lambda _: OperationAnswer("succeeded", plan=plan(blob_count)),
        REUSE_VERSION: lambda _: VersionAnswer(),
        COPY_BLOBS: copied_whole,
        COMMIT_EXPORT: lambda _: CommitAnswer(result(blob_count)),
        START_NOTICE: lambda _: Message(),
        READ_ENDINGS: lambda _: Endings([]),
        **other,
    }


class Slices:
    """Copies so many blobs a slice. The calls whose number is in `failing` raise."""

    def __init__(self, blobs: int, failing: Callable[[int], bool] = lambda _: False) -> None:
        self._blobs = blobs
        self._failing = failing
        self._calls = 0

    def __call__(self, data: Any) -> Reply:
        order = CopyOrder.from_json(data)
        self._calls += 1
        if self._failing(self._calls):
            return Exception("SourceUnavailable: The source answered 503.")
        return copied(order.start, min(order.start + self._blobs, order.stop))
