"""The messages of monthly runs: the months to export, the invoices found, and what became of each."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from messages.encoding import Message, PublicMessage
from messages.exports import Policy
from messages.problems import Answer, MetProblem


@dataclass(frozen=True)
class Outcome(PublicMessage):
    """What became of one export of a monthly run; `state` is `succeeded`, `failed` or `cancelled`."""

    invoice_id: str
    dataset: str
    state: str
    version: str | None = None
    blob_count: int = 0
    bytes: int = 0
    unchanged: bool = False
    error: str | None = None


@dataclass(frozen=True)
class MonthlyOrder(Message):
    """Input of `monthly_exports`: the billing month, as `2026-10`, and which datasets of its invoices to export.

    For `wait_days` it looks for more invoices every `recheck_hours`; without, it looks once. `started_at` is said by
    whoever starts it; the rest is set when it continues as new: when the `last_look` is due, whether it has `looked` at
    all, the ids of `invoices` that are to be exported now, and the `outcomes` so far.
    """

    month: str
    policy: Policy
    datasets: list[str]
    recheck_hours: float = 12
    wait_days: float = 0
    started_at: datetime | None = None
    last_look: datetime | None = None
    looked: bool = False
    invoices: list[str] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    last_problem: MetProblem | None = None


@dataclass(frozen=True)
class BackfillOrder(Message):
    """Input of `backfill`: the months from the first to the last, both included.

    `started_at` is said by whoever starts it; `done` is what became of the months so far, as callers see it.
    """

    first: str
    last: str
    policy: Policy
    datasets: list[str]
    started_at: datetime | None = None
    done: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class InvoicesOrder(Message):
    """Input of `list_invoices`: the billing month, as `2026-10`."""

    month: str


@dataclass(frozen=True)
class InvoicesAnswer(Answer):
    """Answer of `list_invoices`: the ids of the month's invoices that have daily-rated usage."""

    invoice_ids: list[str]
