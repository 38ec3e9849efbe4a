"""The messages of monthly runs: the months to export, the documents found, and what became of each."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from messages.encoding import Message, PublicMessage
from messages.exports import Policy
from messages.problems import Answer, MetProblem, Problem

STATES = ("failed", "unreadable", "noData", "waiting", "running", "cancelled", "voided", "listed", "landed")
"""What a month's exports can be, by what a person must look at first. What has no lines is `unreadable` or `listed`."""

FAILED, UNREADABLE, NO_DATA, WAITING, RUNNING, CANCELLED, VOIDED, LISTED, LANDED = STATES


@dataclass(frozen=True)
class Document(Message):
    """A document of a month, of this `kind`; one that is not `exported` has no lines of its own.

    What is not `readable` may be of any month. Notes say that one is `voided`, and by which it is replaced.
    """

    id: str
    kind: str = "invoice"
    exported: bool = True
    readable: bool = True
    voided: bool = False
    replaced_by: str | None = None


@dataclass(frozen=True)
class Outcome(PublicMessage):
    """What has become of one export of a month; `id` is that of its run, `state` one of `STATES`.

    `version` and totals are of what has landed, in the place of the `previous_version` if it was restated; `error` is
    why the last try failed. Times are in UTC. `table` is that of the invoice, as callers see it, where one was to be
    made. A document that has no lines of its own has no `dataset`, and its `id`.
    """

    id: str
    invoice_id: str
    dataset: str | None
    kind: str = "invoice"
    state: str = WAITING
    replaced_by: str | None = None
    version: str | None = None
    previous_version: str | None = None
    blob_count: int = 0
    bytes: int = 0
    unchanged: bool = False
    started_at: datetime | None = None
    ended_at: datetime | None = None
    error: Problem | None = None
    table: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """The message as plain JSON, without a table where there is none."""
        return {name: value for name, value in super().to_json().items() if name != "table" or value}

    @property
    def has_landed(self) -> bool:
        """Whether data has landed."""
        return self.version is not None


@dataclass(frozen=True)
class MonthlyOrder(Message):
    """Input of `monthly_exports`: the billing month, as `2026-10`, and which datasets of its invoices to export.

    For `wait_days` it looks every `recheck_hours`; without, it looks once. `started_at` is said by whoever starts it;
    the rest is set when it continues as new: when the `last_look` is due, and the `next_look`, and the `outcomes` so
    far.
    """

    month: str
    policy: Policy
    datasets: list[str]
    recheck_hours: float = 12
    wait_days: float = 0
    started_at: datetime | None = None
    last_look: datetime | None = None
    next_look: datetime | None = None
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
    """Answer of `list_invoices`: the month's documents."""

    documents: list[Document]
