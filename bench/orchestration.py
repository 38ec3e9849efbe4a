"""What does orchestrating cost, the more blobs there are? Every completion comes alone, and replays all before it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import azure.durable_functions as df

import function_app
from bench.report import Goal, Section
from bench.turns import Answers, Playing
from catalog.export_request import ExportRequest
from local.functions import index
from messages.exports import (
    CopyAnswer,
    CopyOrder,
    ExportOrder,
    OperationAnswer,
    Plan,
    Policy,
    Result,
    StartAnswer,
    VersionAnswer,
)
from messages.names import (
    CHECK_OPERATION,
    COMMIT_EXPORT,
    COPY_BLOBS,
    REUSE_VERSION,
    RUN_EXPORT,
    SEND_NOTICE,
    START_EXPORT,
)

SIZES = (100, 1_000, 10_000, 100_000)
YARDSTICKS = (100, 300)
"""Blobs for the naive orchestration, whose cost grows with their square: 1,000 take minutes."""

SLICE = 400
"""Blobs that one activity copies where copying is slow."""

MOST_EVENTS = 1_000
MOST_MESSAGE_BYTES = 4_096
MOST_GROWTH = 2.0

OPERATION = "https://graph.microsoft.com/v1.0/reports/partners/billing/operations/7b7b3a3e-1c59-4a50-b4a5-6f0a2e4b6d5c"
REQUEST = ExportRequest.of_invoice("G016907411")
POLICY = Policy(
    copy_batch_size=100,
    poll_interval_seconds=10,
    poll_max_seconds=300,
    retry_seconds=30,
    export_attempts=3,
    export_deadline_hours=24,
)


def _one_activity_a_blob(context: df.DurableOrchestrationContext) -> Any:
    """The yardstick: what samples show. One activity for each blob, all awaited together."""
    count = context.get_input()["blobs"]
    tasks = [context.call_activity("copy_blob", {"blob": f"part-{i:05}.c000.json.gz"}) for i in range(count)]
    copied = yield context.task_all(tasks)
    return {"blobs": len(copied)}


@dataclass(frozen=True)
class _Case:
    """What is run, and how; `run` plays it from start to end."""

    name: str
    blobs: int
    run: Callable[[], Playing]


def measure(quick: bool) -> Section:
    """Events, bytes, replays and processor seconds of whole exports; our own are medians of interleaved runs."""
    ours = [_export(count, most=count) for count in SIZES]
    slow = [] if quick else [_export(SIZES[-1], SLICE)]
    once = [*slow, *(_naive(count) for count in ((50,) if quick else YARDSTICKS))]
    cases = [*ours, *once]
    runs = [*_interleaved(ours, 1 if quick else 3), *_interleaved(once, 1)]
    by_case = dict(zip(cases, runs, strict=True))
    return Section(
        "Orchestration: cost against the number of blobs",
        ("orchestration", "blobs", "events (max)", "history bytes (max)", "replays", "replayed MB", "CPU s"),
        [_row(case, by_case[case]) for case in cases],
        _goals([by_case[case] for case in (*ours, *slow)], *(_cpu(by_case[case]) for case in ours[-2:])),
        _notes([by_case[case][0] for case in (*ours, *slow)]),
    )


def _interleaved(cases: Sequence[_Case], rounds: int) -> list[list[Playing]]:
    runs: list[list[Playing]] = [[] for _ in cases]
    for _ in range(rounds):
        for case, played in zip(cases, runs, strict=True):
            played.append(case.run())
    return runs


def _export(count: int, most: int) -> _Case:
    """Our own export, each activity copying `most` blobs before it answers."""

    def run() -> Playing:
        playing = Playing(index(function_app.app).orchestrators, _answers(count, most))
        playing.run(RUN_EXPORT, ExportOrder(REQUEST, POLICY).to_json())
        return _succeeded(playing)

    return _Case("ours" if most >= count else f"ours, {most} blobs a slice", count, run)


def export_cpu_seconds(blobs: int) -> float:
    """Processor seconds of the orchestrator functions in an export of so many blobs."""
    return _export(blobs, most=blobs).run().cpu_seconds


def _naive(count: int) -> _Case:
    def run() -> Playing:
        orchestrators = {"one_activity_a_blob": df.Orchestrator.create(_one_activity_a_blob)}
        playing = Playing(orchestrators, {"copy_blob": lambda _: {"bytes": 65_536}})
        playing.run("one_activity_a_blob", {"blobs": count})
        return _succeeded(playing)

    return _Case("one activity a blob", count, run)


def _succeeded(playing: Playing) -> Playing:
    if playing.failure is not None:
        raise RuntimeError(f"The orchestration failed: {playing.failure}")
    return playing


def _answers(count: int, most: int) -> Answers:
    plan = Plan(OPERATION, "5f0c2ab94d3e7a10" * 4, "0x8DCE2F5D3C0A1B2", count, "0e195b37-4574-4539-bc42-0a123b9e7d2a")
    result = Result(plan.e_tag, plan.digest[:16], count, count << 16, "https://acct.blob.core.windows.net/u/", False)

    def copied(data: Any) -> Any:
        order = CopyOrder.from_json(data)
        stop = min(order.start + most, order.stop)
        return CopyAnswer(stop, stop - order.start, (stop - order.start) << 16).to_json()

    return {
        START_EXPORT: lambda _: StartAnswer(OPERATION).to_json(),
        CHECK_OPERATION: lambda _: OperationAnswer("succeeded", plan=plan).to_json(),
        REUSE_VERSION: lambda _: VersionAnswer().to_json(),
        COPY_BLOBS: copied,
        COMMIT_EXPORT: lambda _: VersionAnswer(result).to_json(),
        SEND_NOTICE: lambda _: {},
    }


def _row(case: _Case, runs: Sequence[Playing]) -> Sequence[str]:
    turns = runs[0].turns
    return (
        case.name,
        f"{case.blobs:,}",
        f"{runs[0].most_events:,}",
        f"{max(turn.document_bytes for turn in turns):,}",
        f"{len(turns):,}",
        f"{sum(turn.document_bytes for turn in turns) / 1e6:.1f}",
        f"{_cpu(runs):.2f}",
    )


def _cpu(runs: Sequence[Playing]) -> float:
    return median(playing.cpu_seconds for playing in runs)


def _goals(runs: Sequence[Sequence[Playing]], smaller: float, larger: float) -> Sequence[Goal]:
    events = max(played[0].most_events for played in runs)
    message = max(max(played[0].largest.values()) for played in runs)
    growth = larger / smaller
    return (
        Goal(
            f"CPU for {SIZES[-1]:,} blobs under {MOST_GROWTH:g} times that for {SIZES[-2]:,}: {growth:.2f} times",
            growth < MOST_GROWTH,
        ),
        Goal(f"no history above {MOST_EVENTS:,} events: {events:,} at the most", events <= MOST_EVENTS),
        Goal(f"no message above {MOST_MESSAGE_BYTES:,} bytes: {message:,} at the most", message <= MOST_MESSAGE_BYTES),
    )


def _notes(runs: Sequence[Playing]) -> Sequence[str]:
    kinds = {kind: max(run.largest[kind] for run in runs) for kind in runs[0].largest}
    largest = "; ".join(f"{kind} {size:,}" for kind, size in sorted(kinds.items(), key=lambda item: -item[1]))
    return (
        "Through the SDK's own executor, one completion a turn. CPU is that of the orchestrator functions alone.",
        f"Largest messages, in bytes: {largest}.",
    )
