"""The messages of one export: what its orchestrations are told, and what its activities are asked and answer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from catalog.export_request import ExportRequest
from failures import NO_DATA
from messages.encoding import Message, PublicMessage
from messages.problems import Answer, MetProblem, Problem


@dataclass(frozen=True)
class Policy(Message):
    """What the settings say about one export; the starter copies it, for an orchestrator reads no settings. Seconds.

    `tables`: a table is made of what lands of an invoice.
    """

    copy_batch_size: int
    poll_interval_seconds: float
    poll_max_seconds: float
    retry_seconds: float
    export_attempts: int
    export_deadline_hours: float
    tables: bool = False


@dataclass(frozen=True)
class OfRun(Message):
    """What the orders say of activities that do nothing for an orchestration that has ended: its id.

    Orders of releases before do not say it.
    """

    run_id: str | None = None

    @property
    def lineage(self) -> list[str]:
        """The ids of the run that a caller started, of what runs within it, and so on to the orchestration's own."""
        parts = self.run_id.split(":") if self.run_id else []
        return [":".join(parts[: length + 1]) for length in range(len(parts))]


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
class CopyProgress(Message):
    """How far copying has come: the index ranges `[start, stop]` still to do, and what is done, in blobs and bytes.

    `idle_rounds` counts the rounds since a range last got further.
    """

    plan: Plan
    pending: list[list[int]]
    blobs_done: int = 0
    bytes_done: int = 0
    idle_rounds: int = 0


@dataclass(frozen=True)
class StartOrder(Message):
    """Input of `start_export`."""

    request: ExportRequest


@dataclass(frozen=True)
class StartAnswer(Answer):
    """Answer of `start_export`: the operation's URL and the seconds until it may be polled.

    `posted`: when it was asked for (UTC), which tells the month of unbilled data.
    """

    operation_url: str
    retry_after: float | None = None
    posted: datetime | None = None


@dataclass(frozen=True)
class Operation(Message):
    """An export that Microsoft is preparing: its URL, when it was posted (UTC), the seconds until it may be polled."""

    url: str
    posted: datetime
    retry_after: float | None = None


@dataclass(frozen=True)
class ExportOrder(Message):
    """Input of `run_export`. `started_at` is said by whoever starts it; the rest is set when it continues as new.

    `operation` and `copying` are how far this attempt has come, `latest` the version that it may take the place of. It
    tells of a failure unless `tells_failure` is false, of one for want of data unless `tells_no_data` is.
    """

    request: ExportRequest
    policy: Policy
    deadline: datetime | None = None
    attempt: int = 1
    copying: CopyProgress | None = None
    started_at: datetime | None = None
    operation: Operation | None = None
    last_problem: MetProblem | None = None
    latest: str | None = None
    tells_failure: bool = True
    tells_no_data: bool = True

    def tells(self, problem: Problem) -> bool:
        """Whether it is to be announced that the export failed for this problem."""
        return self.tells_failure and (self.tells_no_data or problem.code != NO_DATA)


@dataclass(frozen=True)
class Polling(Message):
    """Input of `poll_operation`: what is polled, how, and what was seen so far.

    `posted` is when the export was posted; `seen` whether Microsoft ever knew the operation. `last_fault` kept the last
    poll from being answered, `last_problem` any poll.
    """

    operation_url: str
    policy: Policy
    posted: datetime
    deadline: datetime
    retry_after: float | None = None
    polls: int = 0
    seen: bool = False
    last_fault: Problem | None = None
    last_problem: MetProblem | None = None


@dataclass(frozen=True)
class CheckOperation(Message):
    """Input of `check_operation`. `may_be_too_early`: the operation may not be known everywhere yet."""

    operation_url: str
    may_be_too_early: bool = False


@dataclass(frozen=True)
class OperationAnswer(Answer):
    """Answer of `check_operation`: `state` is `running`, or `succeeded` with a `plan`."""

    state: str
    retry_after: float | None = None
    plan: Plan | None = None


@dataclass(frozen=True)
class PollingAnswer(Answer):
    """What `poll_operation` ends with: the plan of the operation that succeeded, and what it met on its way."""

    plan: Plan
    last_problem: MetProblem | None = None


@dataclass(frozen=True)
class VersionOrder(Message):
    """Input of `reuse_version` and `commit_export`; `run_id` as in `OfRun`.

    `latest` is the version that was the latest when this one was planned.
    """

    request: ExportRequest
    plan: Plan
    run_id: str | None = None
    latest: str | None = None


@dataclass(frozen=True)
class Result(PublicMessage):
    """What an export ends with: the version's folder and totals; `unchanged` where it had been the latest already.

    Not `pointed`: `_latest.json` names the version of a newer manifest. Callers see that field only where it is false,
    and the `previous_version` only where billed data was restated: the version that this one has taken the place of.
    `table` is that of the invoice, as callers see it, where one was to be made; `content_verified`: for it all bytes of
    the version have been read, and compared. `detours`: blobs that passed through the app, where there are any, because
    the landing account could not reach their source.
    """

    e_tag: str
    version: str
    blob_count: int
    bytes: int
    location: str
    unchanged: bool
    pointed: bool = True
    previous_version: str | None = None
    table: dict[str, Any] | None = None
    content_verified: bool | None = None
    detours: int = 0

    def to_json(self) -> dict[str, Any]:
        """The message as plain JSON."""
        values = super().to_json()
        unsaid = {"pointed": True, "previousVersion": None, "table": None, "contentVerified": None, "detours": 0}
        return {name: value for name, value in values.items() if name not in unsaid or value != unsaid[name]}


@dataclass(frozen=True)
class VersionAnswer(Answer):
    """Answer of `reuse_version`, without a result where there is nothing to reuse; `latest` as in `VersionOrder`."""

    result: Result | None = None
    latest: str | None = None


@dataclass(frozen=True)
class CommitAnswer(Answer):
    """Answer of `commit_export`."""

    result: Result


@dataclass(frozen=True)
class CopyOrder(Message):
    """Input of `copy_blobs`: the blobs from index `start` up to, not including, `stop` of the sorted manifest.

    `run_id`: as in `OfRun`.
    """

    request: ExportRequest
    plan: Plan
    start: int
    stop: int
    run_id: str | None = None


@dataclass(frozen=True)
class CopyAnswer(Answer):
    """Answer of `copy_blobs`: it got to index `next`, and so many blobs and bytes of the range have landed meanwhile.

    `not_done` tells what kept it from getting further, if not time alone.
    """

    next: int
    blobs: int = 0
    bytes: int = 0
