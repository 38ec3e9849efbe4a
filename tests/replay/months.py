"""A month as its stories are played: what is listed, how exports end, and what is seen of it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from messages.encoding import Message
from messages.endings import Ending, Endings
from messages.exports import ExportOrder
from messages.months import MonthlyOrder
from messages.names import LIST_INVOICES, MONTHLY_EXPORTS, READ_ENDINGS, RUN_EXPORT, START_NOTICE
from tests.replay.exports import POLICY, in_turn, listed, result
from tests.replay.player import START, TIMER, Order, Reply, Story, Task, one_by_one, play_story

ID = "monthly-2026-09"
DATASETS = ["billedUsage", "billedReconciliation", "billedAggregatedUsage"]
ONCE = MonthlyOrder("2026-09", POLICY, ["billedUsage"])
WAITING = replace(ONCE, recheck_hours=12, wait_days=10)
BRIEFLY = replace(WAITING, wait_days=2)
MOST_EVENTS = 1000
MOST_CHARACTERS = 8192
"""Of a custom status: Durable takes 16 KB in UTF-16."""


class Issuing:
    """Lists each invoice from its day on; it is told the time by the timers that it lets fire, first come first."""

    def __init__(self, **days: float) -> None:
        self._issued = {invoice: START + timedelta(days=day) for invoice, day in days.items()}
        self._now = START

    def __call__(self, _: Any) -> Reply:
        return listed(*(invoice for invoice, issued in self._issued.items() if issued <= self._now))

    def order(self, pending: list[Task]) -> list[Task]:
        if pending[0].fire_at:
            self._now = datetime.fromisoformat(pending[0].fire_at)
        return pending[:1]


def listing(*invoices: str) -> Callable[[Any], Reply]:
    """Lists these invoices."""
    return lambda _: listed(*invoices)


def exporting(_: Any) -> Reply:
    """Exports whatever it is."""
    return result(2)


def exporting_all_but(
    *invoices: str, because: str = "UnsafeName: a blob's name is not safe."
) -> Callable[[Any], Reply]:
    """Exports all invoices but these."""
    return lambda data: Exception(because) if data["request"]["invoiceId"] in invoices else result(2)


class Tries:
    """Exports each dataset in turn as its replies say, the last for ever; else well."""

    def __init__(self, **replies: Sequence[Reply]) -> None:
        self._replies = {dataset: in_turn(*these) for dataset, these in replies.items()}

    def __call__(self, data: Any) -> Reply:
        return self._replies.get(data["request"]["dataset"], exporting)(data)


def play_month(
    order: MonthlyOrder,
    invoices: Callable[[Any], Reply],
    export: Callable[[Any], Reply] = exporting,
    in_order: Order = one_by_one,
    endings: Callable[[Any], Reply] = lambda _: Endings([]),
) -> Story:
    """A month in which invoices are listed, exports end, and their endings are told so."""
    answers = {
        LIST_INVOICES: invoices,
        RUN_EXPORT: export,
        START_NOTICE: lambda _: Message(),
        READ_ENDINGS: endings,
    }
    return play_story(MONTHLY_EXPORTS, order.to_json(), answers, in_order, instance=ID)


def asking_first(pending: list[Task]) -> list[Task]:
    """Exports take longer than it takes to ask how one has ended."""
    return sorted(pending, key=lambda task: task.name == RUN_EXPORT)[:1]


def cancelling(*ids: str) -> Callable[[Any], Reply]:
    """Tells of these exports that a person cancelled them."""
    return lambda data: Endings([Ending(id_, id_ in ids) for id_ in data["ids"]])


def exports_of(played: Story) -> list[str]:
    """The ids of the exports, in their order."""
    return [ExportOrder.from_json(order).request.export_id for order in played.calls(RUN_EXPORT)]


def states_of(shown: Any) -> list[tuple[str, str, str]]:
    """What is shown of each: invoice, dataset, state."""
    return [(invoice["invoiceId"], invoice["dataset"], invoice["state"]) for invoice in shown["invoices"]]


def looks_of(played: Story) -> list[datetime]:
    """When each look was due."""
    return [datetime.fromisoformat(fire_at) for fire_at in played.calls(TIMER)]


def looks_before(played: Story, invoice: str) -> int:
    """How often the list was read before the invoice was exported."""
    names = [task.input["request"]["invoiceId"] if task.name == RUN_EXPORT else task.name for task in played.tasks]
    return names[: names.index(invoice)].count(LIST_INVOICES)


def require_small_statuses(played: Story) -> None:
    """No status was larger than Durable takes."""
    for status in played.statuses:
        assert len(json.dumps(status, ensure_ascii=False)) < MOST_CHARACTERS


NO_DATA = Exception("5000: Microsoft's export failed: No data available")
