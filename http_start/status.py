"""An export's status as callers see it, made from Durable's, whose management URLs hold a key and are left out."""

from collections.abc import Mapping
from typing import Any

from azure.durable_functions import OrchestrationRuntimeStatus
from azure.durable_functions.models.DurableOrchestrationStatus import DurableOrchestrationStatus

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
ACTIVE = [status for status, state in _STATES.items() if state in {"pending", "running"}]
"""Durable's words for an orchestration that has not ended."""

ENDED = [status for status in _STATES if status not in ACTIVE]
"""Its words for one that has."""

_UNEXPECTED = Problem(
    "Unexpected",
    "The orchestration ended for an unexpected reason.",
    "Look at the app's log for the cause.",
)
_NO_PROGRESS = {"blobsDone": 0, "blobCount": 0, "bytesDone": 0}


def is_active(status: DurableOrchestrationStatus) -> bool:
    """Whether the export exists and has not ended."""
    return bool(status) and status.runtime_status in ACTIVE


def just_started(export_id: str) -> dict[str, Any]:
    """The status of an export that Durable has taken but may not show yet."""
    return _document(export_id, "pending", {})


def status_document(status: DurableOrchestrationStatus) -> dict[str, Any]:
    """`id`, `state`, `phase`, `progress`, and, once it has ended, `result` or `error`; of a month the result so far."""
    state = _STATES[status.runtime_status]
    custom = status.custom_status if isinstance(status.custom_status, Mapping) else {}
    document = _document(status.instance_id, state, custom)
    if state == "succeeded":
        document["result"] = status.output
    if state == "failed":
        document["error"] = custom.get("error", _UNEXPECTED.to_json())
    return document


def _document(export_id: str, state: str, custom: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": export_id,
        "state": state,
        "phase": custom.get("phase", "pending"),
        "progress": custom.get("progress", _NO_PROGRESS),
        "result": custom.get("result"),
        "error": None,
    }
