"""Months long past are exported one after the other; none stops the others."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from messages.encoding import Message
from messages.endings import Ending, Endings
from messages.months import BackfillOrder, MonthlyOrder
from messages.names import (
    BACKFILL,
    CANCEL_ID,
    LIST_INVOICES,
    MONTHLY_EXPORTS,
    POLL_OPERATION,
    READ_ENDINGS,
    RUN_EXPORT,
    START_NOTICE,
)
from tests.replay.exports import POLICY, listed, replies, result
from tests.replay.player import Replies, Reply, Story, play_story

ID = "monthly-2025-11-to-2026-02"
MONTHS = ["2025-11", "2025-12", "2026-01", "2026-02"]
DATASETS = ["billedUsage", "billedReconciliation", "billedAggregatedUsage"]
MOST_ID_CHARACTERS = 100
MOST_CHARACTERS = 8192
"""Of a custom status: Durable takes 16 KB in UTF-16."""


def _order(first: str = MONTHS[0], last: str = MONTHS[-1]) -> dict[str, Any]:
    return BackfillOrder(first, last, POLICY, DATASETS).to_json()


def _run(month: Callable[[Any], Reply] = lambda _: result(1), cancelled: Sequence[str] = ()) -> Story:
    return play_story(BACKFILL, _order(), _answers(month, cancelled), instance=ID)


def _answers(month: Callable[[Any], Reply], cancelled: Sequence[str] = ()) -> Replies:
    return {
        MONTHLY_EXPORTS: month,
        START_NOTICE: lambda _: Message(),
        READ_ENDINGS: lambda data: Endings([Ending(id_, id_ in cancelled) for id_ in data["ids"]]),
    }


def _failing(*months: str, because: str = "NoInvoice: none was issued.") -> Callable[[Any], Reply]:
    """Exports all months but these."""
    return lambda data: Exception(because) if data["month"] in months else result(1)


@pytest.mark.usefixtures("typing_mode")
@pytest.mark.parametrize("failing", [(), ("2025-12",), tuple(MONTHS)])
def test_months_are_exported_one_after_the_other(failing: tuple[str, ...]) -> None:
    """The next month begins only when the last has ended, well or not, across a new year too."""
    played = _run(_failing(*failing))
    assert [call["month"] for call in played.calls(MONTHLY_EXPORTS)] == MONTHS
    assert played.most_at_once == 1
    played.require_sound()


def test_each_month_runs_under_an_id_of_the_range_and_looks_once() -> None:
    """Whoever cancels the range finds its months by the prefix; months of long ago get no more invoices."""
    played = _run()
    children = [task.child_id for task in played.tasks if task.name == MONTHLY_EXPORTS]
    assert children == [f"{ID}:{month}" for month in MONTHS]
    orders = [MonthlyOrder.from_json(call) for call in played.calls(MONTHLY_EXPORTS)]
    assert {(order.policy, *order.datasets, order.wait_days) for order in orders} == {(POLICY, *DATASETS, 0)}


def test_the_result_lists_all_months() -> None:
    """What became of each, in their order."""
    played = _run()
    listed = [{"month": month, "state": "succeeded", "error": None} for month in MONTHS]
    assert played.output == {"months": listed}
    assert played.status["result"] == played.output
    assert played.status["phase"] == "done"


def test_a_month_that_fails_does_not_stop_the_others() -> None:
    """The status lists every month, and the error names those that failed, and why."""
    played = _run(_failing("2025-12", "2026-02"))
    assert [(month["month"], month["state"]) for month in played.status["result"]["months"]] == [
        ("2025-11", "succeeded"),
        ("2025-12", "failed"),
        ("2026-01", "succeeded"),
        ("2026-02", "failed"),
    ]
    error = played.status["error"]
    assert error["code"] == "MonthsFailed"
    assert "2 of 4 months" in error["message"]
    assert "2025-12: NoInvoice: none was issued.; 2026-02: NoInvoice: none was issued." in error["message"]
    assert played.end.failure == f"MonthsFailed: {error['message']}"


def test_what_is_done_shows_while_later_months_run() -> None:
    """The status counts up, month by month."""
    shown = [len((status.get("result") or {"months": []})["months"]) for status in _run().statuses]
    assert shown == sorted(shown)
    assert set(shown) == set(range(len(MONTHS) + 1))


def test_the_longest_range_has_small_statuses_and_a_short_history() -> None:
    """36 months that all fail with long texts are no more than Durable takes."""
    always = _answers(lambda _: Exception("InvoicesFailed: " + "x" * 2000))
    played = play_story(BACKFILL, _order("2023-07", "2026-06"), always, instance="monthly-2023-07-to-2026-06")
    assert len(played.status["result"]["months"]) == 36
    assert all(len(json.dumps(status)) < MOST_CHARACTERS for status in played.statuses)
    assert played.longest_history < 1000


def test_no_id_is_longer_than_durable_takes() -> None:
    """From the range down to the polling of the longest invoice's export, every id has at most 100 characters."""
    export = replies(1)
    listing: Replies = {LIST_INVOICES: lambda _: listed("G" + "9" * 15), **export}
    months = play_story(BACKFILL, _order(), _answers(lambda _: result(1)), instance=ID)
    month = _child(months, MONTHLY_EXPORTS)
    exports = play_story(
        MONTHLY_EXPORTS, month.input, {**listing, RUN_EXPORT: lambda _: result(1)}, instance=month.child_id or ""
    )
    longest = _child(exports, RUN_EXPORT)
    polling = _child(play_story(RUN_EXPORT, longest.input, export, instance=longest.child_id or ""), POLL_OPERATION)
    ids = [task.child_id or "" for task in (month, longest, polling)]
    assert [id_.startswith(f"{parent}:") for parent, id_ in zip([ID, *ids], ids, strict=False)] == [True] * 3
    cancellations = [f"{CANCEL_ID}{id_}" for id_ in ids[:2]]
    assert max(map(len, [*ids, *cancellations])) <= MOST_ID_CHARACTERS


def _child(played: Story, name: str) -> Any:
    """The sub-orchestration of this name with the longest id."""
    return max((task for task in played.tasks if task.name == name), key=lambda task: len(task.child_id or ""))


def test_a_month_that_a_person_cancelled_fails_nothing() -> None:
    """It stands there as cancelled, and the others are exported."""
    played = _run(_failing("2025-12", "2026-01"), cancelled=[f"{ID}:2025-12"])
    states = {month["month"]: month["state"] for month in played.status["result"]["months"]}
    assert (states["2025-12"], states["2026-01"], states["2026-02"]) == ("cancelled", "failed", "succeeded")
    assert "2025-12" not in played.status["error"]["message"]
