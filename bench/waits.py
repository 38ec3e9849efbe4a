"""What does a day of waiting cost? Polling on a virtual clock, counted in what the Azure Storage backend is paid for.

The model: each message to a queue is put, taken and deleted; each turn reads the history once, writes its new events
in batches and updates the instance's row. Sources: "Azure Storage provider for Durable Functions", which describes the
queues and tables; `AzureTableTrackingStore.UpdateStateAsync` and
`AzureStorageOrchestrationService.CompleteTaskOrchestrationWorkItemAsync` of Azure/durabletask, which say how often.
https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-azure-storage-provider
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import function_app
from bench.orchestration import MOST_EVENTS, OPERATION, POLICY, REQUEST
from bench.report import Goal, Section
from bench.turns import START, Playing, TurnCost
from local.functions import index
from messages.exports import ExportOrder, OperationAnswer, Policy, StartAnswer
from messages.names import CHECK_OPERATION, RUN_EXPORT, SEND_NOTICE, START_EXPORT

PER_MESSAGE = 3
"""Transactions of a queue message: it is put, taken and deleted. Several may be taken at once; that is not counted."""

PER_TURN = 2
"""Transactions of a turn beside its events: the history is read, and the instance's row is updated."""

EVENTS_A_BATCH = 99
"""Events written in one transaction on the history table, which takes 100 rows, one of them the history's own."""

PER_START = 2
"""Transactions of a caller's start beside its message: the instance's row is read, then written."""

HOST = Path(__file__).parent.parent / "host.json"


@dataclass(frozen=True)
class _Case:
    name: str
    policy: Policy


def measure(quick: bool) -> Section:
    """Polls, turns, events and storage transactions of an export whose operation runs until the deadline."""
    default = replace(POLICY, export_deadline_hours=0.5 if quick else 24)
    steady = replace(default, poll_max_seconds=default.poll_interval_seconds)
    cases = [_Case("every 10 s", steady), _Case("10 s to 300 s (default)", default)]
    runs = [_waiting(case.policy) for case in cases]
    return Section(
        "Waiting: what polling costs",
        ("polls", "simulated", "polls made", "activities", "turns", "events (max)", "transactions", "a poll", "CPU s"),
        [_row(case, run) for case, run in zip(cases, runs, strict=True)],
        [_short(max(run.most_events for run in runs))],
        (_model(), _idle()),
    )


def _waiting(policy: Policy) -> Playing:
    answers = {
        START_EXPORT: lambda _: StartAnswer(OPERATION).to_json(),
        CHECK_OPERATION: lambda _: OperationAnswer("running").to_json(),
        SEND_NOTICE: lambda _: {},
    }
    playing = Playing(index(function_app.app).orchestrators, answers)
    playing.run(RUN_EXPORT, ExportOrder(REQUEST, policy).to_json())
    if playing.failure is None or "DeadlineExceeded" not in playing.failure:
        raise RuntimeError(f"The run was to end at its deadline, not so: {playing.failure}")
    return playing


def _row(case: _Case, run: Playing) -> Sequence[str]:
    polls, paid = run.calls[CHECK_OPERATION], transactions(run)
    return (
        case.name,
        f"{(run.now - START) / timedelta(hours=1):.1f} h",
        f"{polls:,}",
        f"{run.calls.total():,}",
        f"{len(run.turns):,}",
        f"{run.most_events:,}",
        f"{paid:,}",
        f"{paid / polls:.1f}",
        f"{run.cpu_seconds:.1f}",
    )


def transactions(run: Playing) -> int:
    """Storage transactions that the run costs on the Azure Storage backend, by the model; those of idling left out."""
    activity_results = run.calls.total() * PER_MESSAGE
    return PER_START + PER_MESSAGE + activity_results + sum(_of_turn(turn) for turn in run.turns)


def _of_turn(turn: TurnCost) -> int:
    batches = -(-turn.new_events // EVENTS_A_BATCH)
    return PER_TURN + batches + (turn.sent + turn.to_parent) * PER_MESSAGE


def _short(events: int) -> Goal:
    return Goal(f"no history above {MOST_EVENTS:,} events: {events:,} at the most", events <= MOST_EVENTS)


def _model() -> str:
    return (
        f"Transactions by a model of the Azure Storage backend: {PER_MESSAGE} a queue message (put, take, delete), "
        f"{PER_TURN} a turn (read the history, update the instance) and 1 for each {EVENTS_A_BATCH} new events. "
        "A poll is an activity (two messages), a timer (one) and two turns."
    )


def _idle() -> str:
    """What an app costs that only looks whether there is something to do."""
    provider = json.loads(HOST.read_text())["extensions"]["durableTask"]["storageProvider"]
    hours, minutes, seconds = map(int, provider["maxQueuePollingInterval"].split(":"))
    every = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    queues = provider["partitionCount"] + 1
    looks = int(queues * (timedelta(days=1) / every))
    return f"Beside these, an idle app looks into {queues} queues every {every.seconds} s: {looks:,} times a day."
