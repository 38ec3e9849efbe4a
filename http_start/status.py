"""An export's status as callers see it, made from Durable's, whose management URLs hold a key and are left out."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from azure.durable_functions import OrchestrationRuntimeStatus
from azure.durable_functions.models.DurableOrchestrationStatus import DurableOrchestrationStatus

from messages.instances import is_active
from messages.problems import Problem

_STATES = {
    OrchestrationRuntimeStatus.Pending: "pending",
    OrchestrationRuntimeStatus.Running: "running",
    OrchestrationRuntimeStatus.ContinuedAsNew: "running",
    OrchestrationRuntimeStatus.Suspended: "running",
    OrchestrationRuntimeStatus.Completed: "succeeded",
    OrchestrationRuntimeStatus.Failed: "failed",
    OrchestrationRuntimeStatus.Terminated: "cancelled",
    OrchestrationRuntimeStatus.Canceled: "cancelled",
}
UNEXPECTED = Problem(
    "Unexpected",
    "The orchestration ended for an unexpected reason.",
    "Look at the app's log for the cause.",
)
"""Of a run that ended without saying why, as one does that the platform ended."""

_NO_PROGRESS = {"blobsDone": 0, "blobCount": 0, "bytesDone": 0}


def whole_second(moment: datetime) -> datetime:
    """The moment (UTC) as statuses tell it: Durable's own times have no parts of seconds."""
    return moment.replace(microsecond=0, tzinfo=moment.tzinfo or UTC)


def started_at(status: DurableOrchestrationStatus) -> datetime:
    """When the run began (UTC): Durable's own time is that of its current history."""
    told = _shown(status).get("startedAt")
    return datetime.fromisoformat(told) if told else whole_second(status.created_time)


def child_of(status: DurableOrchestrationStatus) -> str | None:
    """The id of the orchestration that the run waits for, while it does: one that polls, or makes a table."""
    child = _shown(status).get("waitsFor")
    return child if child and is_active(status) else None


def is_ending(status: DurableOrchestrationStatus) -> bool:
    """Whether a run that is active has done all but say so."""
    return is_active(status) and (_shown(status).get("phase") == "done" or "error" in _shown(status))


def just_started(export_id: str, now: datetime) -> dict[str, Any]:
    """The status of an export that Durable has taken but may not show yet."""
    return _document(export_id, "pending", whole_second(now), whole_second(now), {})


def status_document(
    status: DurableOrchestrationStatus, child: DurableOrchestrationStatus | None = None
) -> dict[str, Any]:
    """What callers are told, in the fields of `docs/http-api.md`. `child` is the status of what the run waits for.

    A `result` or an `error` is there once the run has ended; of months the result so far.
    """
    shown, updated = _shown(status), whole_second(status.last_updated_time)
    if child:
        shown = {**shown, **{name: value for name, value in _shown(child).items() if name in _OF_CHILD}}
        updated = max(updated, whole_second(child.last_updated_time))
    state = _STATES[status.runtime_status]
    document = _document(status.instance_id, state, started_at(status), updated, shown)
    if not is_active(status):
        document |= {"endedAt": document["updatedAt"], "nextTryAt": None}
    if state == "succeeded":
        document["result"] = status.output
    if state == "failed":
        document["error"] = shown.get("error", UNEXPECTED.to_json())
    return document


_OF_CHILD = frozenset({"lastProblem", "nextTryAt"})


def _shown(status: DurableOrchestrationStatus) -> Mapping[str, Any]:
    return status.custom_status if isinstance(status.custom_status, Mapping) else {}


def _document(
    export_id: str, state: str, started: datetime, updated: datetime, shown: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "id": export_id,
        "state": state,
        "phase": shown.get("phase", "pending"),
        "progress": shown.get("progress", _NO_PROGRESS),
        "startedAt": started.isoformat(),
        "updatedAt": updated.isoformat(),
        "endedAt": None,
        "attempt": shown.get("attempt", 1),
        "lastProblem": shown.get("lastProblem"),
        "nextTryAt": shown.get("nextTryAt"),
        "result": shown.get("result"),
        "error": None,
    }
