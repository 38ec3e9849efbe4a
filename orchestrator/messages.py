"""What crosses the durable boundary: small messages without secrets that become plain JSON and back.

Durable stores every message for good and replays it, so each stays the same size whatever the number of blobs.
"""

import functools
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from billing.models import ExportRequest


class Message:
    """Base of all messages: dataclasses of JSON values, of lists, times and other messages."""

    def to_json(self) -> dict[str, Any]:
        """The message as plain JSON; what is None is left out."""
        values = {name: getattr(self, name) for name in _names(type(self))}
        return {name: _encoded(value) for name, value in values.items() if value is not None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The message that `to_json` wrote; fields of another release that this one does not know are ignored."""
        hints = _hints(typing.cast(Any, cls))
        return cls(**{name: _decoded(value, hints[name]) for name, value in data.items() if name in hints})


class Shown(Message):
    """Base of what callers see as it is: names are in camel case, and what is None is there too."""

    def to_json(self) -> dict[str, Any]:
        """The message as plain JSON."""
        return {_camel(name): _encoded(getattr(self, name)) for name in _names(type(self))}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The message that `to_json` wrote."""
        return super().from_json({name: data[_camel(name)] for name in _names(cls) if _camel(name) in data})


def _names(cls: Any) -> Iterable[str]:
    return _hints(cls).keys()


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


@functools.cache
def _hints(cls: Any) -> Mapping[str, Any]:
    return {name: _without_none(hint) for name, hint in typing.get_type_hints(cls).items()}


def _without_none(hint: Any) -> Any:
    if isinstance(hint, types.UnionType):
        return next(part for part in hint.__args__ if part is not type(None))
    return hint


def _encoded(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.to_json() if hasattr(value, "to_json") else value


def _decoded(value: Any, hint: Any) -> Any:
    if hint is datetime:
        return datetime.fromisoformat(value)
    return hint.from_json(value) if hasattr(hint, "from_json") else value


@dataclass(frozen=True)
class Policy(Message):
    """What the settings say about one export; the starter copies it, for an orchestrator reads no settings. Seconds."""

    copy_batch_size: int
    poll_interval_seconds: float
    poll_max_seconds: float
    retry_seconds: float
    export_attempts: int
    export_deadline_hours: float


@dataclass(frozen=True)
class Problem(Shown):
    """An error that a person must act on; `request_id` is Microsoft's, `remedy` one sentence on what to do."""

    code: str
    message: str
    remedy: str
    request_id: str | None = None


@dataclass(frozen=True)
class NotNow(Message):
    """What keeps an activity from its work for now: it may be called again.

    `retry_after`: the seconds that the service asked to wait, if it did. `anew`: where waiting does not help, a new
    export may.
    """

    problem: Problem
    retry_after: float | None = None
    anew: bool = False


@dataclass(frozen=True)
class PutOff(Message):
    """The answer of any activity that could do nothing yet. In the JSON of other answers it finds no `not_now`."""

    not_now: NotNow | None = None


@dataclass(frozen=True)
class Plan(Message):
    """What an operation's manifest says, without its SAS token and its list of names.

    `digest` (SHA-256, hex) stands for eTag and names; `created` is the manifest's own time, as Microsoft wrote it;
    `month` is the one that unbilled data is for.
    """

    manifest_url: str
    digest: str
    e_tag: str
    blob_count: int
    tenant_id: str | None = None
    created: str | None = None
    month: str | None = None


@dataclass(frozen=True)
class Copying(Message):
    """How far copying has come: the index ranges `[start, stop]` still to do, and what is done, in blobs and bytes.

    `idle_rounds` counts the rounds since a range last got further.
    """

    plan: Plan
    pending: list[list[int]]
    blobs_done: int = 0
    bytes_done: int = 0
    idle_rounds: int = 0


@dataclass(frozen=True)
class ExportOrder(Message):
    """Input of `run_export`. All but the first two fields are set when it continues as new."""

    request: ExportRequest
    policy: Policy
    deadline: datetime | None = None
    attempt: int = 1
    copying: Copying | None = None


@dataclass(frozen=True)
class StartOrder(Message):
    """Input of `start_export`."""

    request: ExportRequest


@dataclass(frozen=True)
class StartAnswer(Message):
    """Answer of `start_export`: the operation's URL and the seconds until it may be polled, or why there is none.

    `posted`: when it was asked for (UTC), which tells the month of unbilled data.
    """

    operation_url: str | None = None
    retry_after: float | None = None
    problem: Problem | None = None
    posted: datetime | None = None


@dataclass(frozen=True)
class Polling(Message):
    """Input of `poll_operation`: what is polled, how, and what was seen so far.

    `posted` is when the export was posted; `seen` whether Microsoft ever knew the operation.
    """

    operation_url: str
    policy: Policy
    posted: datetime
    deadline: datetime
    retry_after: float | None = None
    polls: int = 0
    seen: bool = False
    last_fault: Problem | None = None


@dataclass(frozen=True)
class CheckOperation(Message):
    """Input of `check_operation`."""

    operation_url: str


@dataclass(frozen=True)
class OperationAnswer(Message):
    """Answer of `check_operation`, and in the end of `poll_operation`.

    `state` is `running` (with a `problem` where the API could not be asked), `succeeded` (with a `plan`), `failed` or
    `gone` (a new export may mend it), or `final` (none can).
    """

    state: str
    retry_after: float | None = None
    plan: Plan | None = None
    problem: Problem | None = None


@dataclass(frozen=True)
class VersionOrder(Message):
    """Input of `reuse_version` and `commit_export`."""

    request: ExportRequest
    plan: Plan


@dataclass(frozen=True)
class Result(Shown):
    """What an export ends with: the version's folder and totals; `unchanged` where it had been the latest already."""

    e_tag: str
    version: str
    blob_count: int
    bytes: int
    location: str
    unchanged: bool


@dataclass(frozen=True)
class VersionAnswer(Message):
    """Answer of `reuse_version` and `commit_export`.

    Neither field: there is nothing to reuse. `anew`: the problem is one that a new export may mend.
    """

    result: Result | None = None
    problem: Problem | None = None
    anew: bool = False


@dataclass(frozen=True)
class CopyOrder(Message):
    """Input of `copy_blobs`: the blobs from index `start` up to, not including, `stop` of the sorted manifest."""

    request: ExportRequest
    plan: Plan
    start: int
    stop: int


@dataclass(frozen=True)
class CopyAnswer(Message):
    """Answer of `copy_blobs`: it got to index `next`, and so many blobs and bytes of the range have landed meanwhile.

    `not_now` kept it from getting further. `problem` is final, unless `anew`: then a new export may mend it.
    """

    next: int
    blobs: int = 0
    bytes: int = 0
    not_now: NotNow | None = None
    problem: Problem | None = None
    anew: bool = False


@dataclass(frozen=True)
class MonthlyOrder(Message):
    """Input of `monthly_exports`: the billing month, as `2026-10`, and which datasets of its invoices to export.

    For `wait_days` it looks for more invoices every `recheck_hours`; without, it looks once.
    """

    month: str
    policy: Policy
    datasets: list[str]
    recheck_hours: float = 12
    wait_days: float = 0


@dataclass(frozen=True)
class BackfillOrder(Message):
    """Input of `backfill`: the months from the first to the last, both included."""

    first: str
    last: str
    policy: Policy
    datasets: list[str]


@dataclass(frozen=True)
class Outcome(Shown):
    """What became of one export of a monthly run; `state` is `succeeded` or `failed`."""

    invoice_id: str
    dataset: str
    state: str
    version: str | None = None
    blob_count: int = 0
    bytes: int = 0
    unchanged: bool = False
    error: str | None = None


@dataclass(frozen=True)
class InvoicesOrder(Message):
    """Input of `list_invoices`: the billing month, as `2026-10`."""

    month: str


@dataclass(frozen=True)
class InvoicesAnswer(Message):
    """Answer of `list_invoices`: the ids of the month's invoices that have daily-rated usage, or why there are none."""

    invoice_ids: list[str]
    problem: Problem | None = None


@dataclass(frozen=True)
class Notice(Message):
    """Input of `send_notice`: the run `subject` ended at `time` as `succeeded`, `failed` or `unchanged`.

    `id` is the same in every attempt to tell this; `data` is the result or the error, as callers see it.
    """

    id: str
    outcome: str
    subject: str
    time: datetime
    data: dict[str, Any]
    attempt: int = 1


@dataclass(frozen=True)
class NoticeAnswer(Message):
    """Answer of `send_notice`: whether somebody took it."""

    taken: bool
