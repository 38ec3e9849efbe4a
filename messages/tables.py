"""The messages of an invoice's table: what is known of the invoice, how the table is planned, how far it has come."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from messages.encoding import Message, PublicMessage
from messages.exports import Policy
from messages.problems import Answer, MetProblem


@dataclass(frozen=True)
class InvoiceOrder(Message):
    """Input of `read_invoice`, and of `mark_no_data`."""

    invoice_id: str


@dataclass(frozen=True)
class InvoiceAnswer(Answer):
    """Answer of `read_invoice`: the billing month, as `2026-10`."""

    month: str


@dataclass(frozen=True)
class PlanOrder(Message):
    """Input of `plan_table`."""

    invoice_id: str
    month: str


@dataclass(frozen=True)
class TablePlan(Message):
    """What a table is made of, and where it goes.

    `partner` is the partition's folder; `inputs` are by their datasets' folders as in `landing.inputs`; `version` names
    what they make. `blob_count`: those of all inputs. A file of the table has at most so many rows (`rows_a_file`),
    unless a blob alone has more.
    """

    invoice_id: str
    partner: str
    month: str
    inputs: dict[str, str]
    version: str
    blob_count: int
    rows_a_file: int


@dataclass(frozen=True)
class TableResult(PublicMessage):
    """The table as callers see it: `state` is `complete`, `partial`, `none` where nothing has to be tabulated, or
    `voided` where the invoice is void, and has no table any more.

    `sum` is what its rows come to, `unexplained` what of that the two documents do not agree on; both are texts with
    all digits.
    """

    state: str
    version: str | None = None
    rows: int = 0
    sum: str = "0.00"
    currency: str | None = None
    unexplained: str | None = None


@dataclass(frozen=True)
class PlanAnswer(Answer):
    """Answer of `plan_table`: the plan, or the table, where it stands there already or there is nothing to make."""

    plan: TablePlan | None = None
    table: TableResult | None = None


@dataclass(frozen=True)
class Building(Message):
    """How far converting has come: the index of the blob that is next, and the bytes that have been read."""

    plan: TablePlan
    next: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class TableOrder(Message):
    """Input of `build_table`. `without_usage`: the invoice has none, and none is expected any more.

    `started_at` is said by whoever starts it; the rest is set when it continues as new.
    """

    invoice_id: str
    policy: Policy
    started_at: datetime | None = None
    without_usage: bool = False
    deadline: datetime | None = None
    attempt: int = 1
    building: Building | None = None
    last_problem: MetProblem | None = None


@dataclass(frozen=True)
class ConvertOrder(Message):
    """Input of `convert_lines`: the plan's blobs from this index on. `run_id`: as in `OfRun`."""

    plan: TablePlan
    start: int
    run_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class EngineAnswer(Answer):
    """Base of what is answered by activities that need the engine. `busy`: another one had it, and nothing was done."""

    busy: bool = False


@dataclass(frozen=True)
class ConvertAnswer(EngineAnswer):
    """Answer of `convert_lines`: it got to index `next`, and has read so many bytes meanwhile."""

    next: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class TableStep(Message):
    """Input of `settle_table`, and of `publish_table`: the table's file of this index. `run_id`: as in `OfRun`."""

    plan: TablePlan
    run_id: str | None = None
    file: int = 0


@dataclass(frozen=True)
class SettleAnswer(EngineAnswer):
    """Answer of `settle_table`: the table will have so many files."""

    files: int = 0


@dataclass(frozen=True)
class PublishAnswer(EngineAnswer):
    """Answer of `publish_table`: the table, once it is published, which it is with its last file."""

    table: TableResult | None = None


@dataclass(frozen=True)
class TablesOrder(Message):
    """Input of `build_tables`: the billing month, as `2026-10`."""

    month: str
    policy: Policy
    started_at: datetime | None = None
    invoices: list[str] = field(default_factory=list)
    done: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class LandedInvoices(Answer):
    """Answer of `find_landed`: the ids of a month's invoices of which something has landed."""

    invoice_ids: list[str]


@dataclass(frozen=True)
class TablesAnswer(Answer):
    """Answer of `read_tables`: a month's tables as callers see them."""

    tables: list[dict[str, Any]]
