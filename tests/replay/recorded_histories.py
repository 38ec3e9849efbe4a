"""Histories of each orchestration at every kind of wait, as a release has left them in Durable's state.

    python -m tests.replay.recorded_histories

writes those that are not there yet into `tests/replay/recorded/`. What is there stays: it is what runs under way have.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from failures import ANEW
from local.engine.protocol import Event, EventType
from messages.cancelling import CancelOrder, EndAnswer
from messages.encoding import Message
from messages.exports import CommitAnswer, OperationAnswer, StartAnswer
from messages.months import BackfillOrder, InvoicesOrder, MonthlyOrder
from messages.names import (
    BACKFILL,
    BUILD_TABLE,
    BUILD_TABLES,
    CANCEL_RUN,
    CHECK_OPERATION,
    CHECK_READINESS,
    COMMIT_EXPORT,
    CONVERT_LINES,
    COPY_BLOBS,
    DELIVER_NOTICE,
    END_RUN,
    FIND_LANDED,
    LIST_INVOICES,
    LIST_TABLES,
    MONTHLY_EXPORTS,
    POLL_OPERATION,
    PROBE_READINESS,
    PUBLISH_TABLE,
    READ_TABLES,
    RUN_EXPORT,
    SEND_NOTICE,
    START_EXPORT,
    START_NOTICE,
)
from messages.notices import Notice
from messages.tables import ConvertAnswer, LandedInvoices, TablesAnswer, TablesOrder
from tests.replay import exports, tables
from tests.replay.player import START, Play, Replies, Reply, play_on

FOLDER = Path(__file__).with_name("recorded")
HOST_JSON = Path(__file__).parents[2] / "host.json"
_SCHEDULED = {
    EventType.TASK_SCHEDULED: "",
    EventType.SUB_ORCHESTRATION_CREATED: "",
    EventType.TIMER_CREATED: "timer",
}

_MONTH = MonthlyOrder("2026-09", exports.POLICY, ["billedUsage"], 12, 2)
_NOTICE = Notice("1f0c3b2a", "failed", exports.REQUEST.export_id, START, exports.PROBLEM.to_json())


def _stories() -> Iterator[tuple[str, Message, Replies]]:
    """Each orchestration, what it is told, and what answers it: at first not, where it then waits."""
    once_not = Exception("once not")
    export: dict[str, Callable[[Any], Reply]] = {
        START_EXPORT: exports.in_turn(once_not, StartAnswer(exports.OPERATION)),
        COPY_BLOBS: exports.Slices(1, failing=lambda call: call == 1),
        COMMIT_EXPORT: exports.in_turn(once_not, CommitAnswer(exports.result(3))),
        START_NOTICE: exports.in_turn(once_not, Message()),
    }
    yield RUN_EXPORT, exports.ORDER, exports.replies(3, **export)
    succeeded = OperationAnswer("succeeded", plan=exports.plan(3))
    yield POLL_OPERATION, exports.polling(), {CHECK_OPERATION: exports.in_turn(OperationAnswer("running"), succeeded)}
    months: dict[str, Callable[[Any], Reply]] = {
        LIST_INVOICES: exports.in_turn(exports.listed("G016907411"), exports.listed("G016907411", "G016907412")),
        RUN_EXPORT: exports.in_turn(exports.result(3), once_not),
        MONTHLY_EXPORTS: exports.in_turn(exports.result(3), once_not),
    }
    yield MONTHLY_EXPORTS, _MONTH, exports.replies(3, **months)
    with_tables = replace(_MONTH, policy=replace(exports.POLICY, tables=True), wait_days=0)
    landed: dict[str, Callable[[Any], Reply]] = {
        LIST_INVOICES: lambda _: exports.listed(tables.INVOICE),
        RUN_EXPORT: lambda _: exports.result(3),
        BUILD_TABLE: lambda _: tables.TABLE,
    }
    yield MONTHLY_EXPORTS, with_tables, exports.replies(3, **landed)
    yield BACKFILL, BackfillOrder("2026-07", "2026-08", exports.POLICY, ["billedUsage"]), exports.replies(3, **months)
    table: dict[str, Callable[[Any], Reply]] = {
        CONVERT_LINES: tables.busy_at_first(ConvertAnswer(next=1)),
        PUBLISH_TABLE: exports.in_turn(exports.failed(ANEW)),
    }
    yield BUILD_TABLE, tables.ORDER, tables.replies(1, **table)
    yield BUILD_TABLE, replace(tables.ORDER, without_usage=True), tables.replies(1)
    of_month: dict[str, Callable[[Any], Reply]] = {
        FIND_LANDED: exports.in_turn(once_not, LandedInvoices([tables.INVOICE])),
        BUILD_TABLE: lambda _: tables.TABLE,
    }
    yield BUILD_TABLES, TablesOrder("2026-10", exports.POLICY), of_month
    yield LIST_TABLES, InvoicesOrder("2026-10"), {READ_TABLES: lambda _: TablesAnswer([])}
    tabulated = replace(exports.ORDER, policy=replace(exports.POLICY, tables=True))
    yield RUN_EXPORT, tabulated, exports.replies(3, **{BUILD_TABLE: lambda _: tables.TABLE})
    yield DELIVER_NOTICE, _NOTICE, {SEND_NOTICE: exports.in_turn(exports.failed("later"), Message())}
    yield CANCEL_RUN, CancelOrder(exports.REQUEST.export_id), {END_RUN: exports.in_turn(*_ends())}
    yield CHECK_READINESS, Message(), {PROBE_READINESS: lambda _: Message()}


def _ends() -> Sequence[EndAnswer]:
    return EndAnswer(ended=False, found=2), EndAnswer(ended=True, found=1), EndAnswer(ended=True, found=0)


def recorded_now() -> Mapping[str, Mapping[str, Any]]:
    """The histories that this release leaves, by names that say what has been scheduled."""
    version = json.loads(HOST_JSON.read_text())["extensions"]["durableTask"].get("defaultVersion")
    found: dict[str, Mapping[str, Any]] = {}
    for orchestrator, order, replies in _stories():
        for played in play_on(orchestrator, order.to_json(), replies, version=version):
            for history in _waiting(played):
                name = ".".join([orchestrator, *([f"v{version}"] if version else []), *_scheduled(history)])
                found.setdefault(name, {"orchestrator": orchestrator, "instance": played.instance, "history": history})
    return found


def _waiting(played: Play) -> Iterator[list[Event]]:
    """The history after each turn but the last, which has ended it."""
    ends = [index for index, told in enumerate(played.history) if told["EventType"] == EventType.ORCHESTRATOR_COMPLETED]
    return (played.history[: end + 1] for end in ends[:-1])


def _scheduled(history: Sequence[Event]) -> list[str]:
    """The names of what was scheduled, each once, where it came last."""
    names = [_SCHEDULED[told["EventType"]] or told["Name"] for told in history if told["EventType"] in _SCHEDULED]
    return list(dict.fromkeys(reversed(names)))[::-1]


def main() -> None:
    """Writes what is not there yet."""
    FOLDER.mkdir(exist_ok=True)
    for name, record in recorded_now().items():
        file = FOLDER / f"{name}.json"
        if not file.exists():
            file.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
