"""What Durable says of an instance: whether it has ended, and how."""

from azure.durable_functions import OrchestrationRuntimeStatus
from azure.durable_functions.models.DurableOrchestrationStatus import DurableOrchestrationStatus

ACTIVE = [
    OrchestrationRuntimeStatus.Pending,
    OrchestrationRuntimeStatus.Running,
    OrchestrationRuntimeStatus.ContinuedAsNew,
    OrchestrationRuntimeStatus.Suspended,
]
"""Durable's words for an orchestration that has not ended."""

CANCELLED = [OrchestrationRuntimeStatus.Terminated, OrchestrationRuntimeStatus.Canceled]
"""Its words for one that somebody has ended."""

ENDED = [OrchestrationRuntimeStatus.Completed, OrchestrationRuntimeStatus.Failed, *CANCELLED]
"""Its words for one that has ended, however."""


def is_active(status: DurableOrchestrationStatus) -> bool:
    """Whether the instance exists and has not ended."""
    return bool(status) and status.runtime_status in ACTIVE


def has_ended(status: DurableOrchestrationStatus) -> bool:
    """Whether the instance exists, and has ended."""
    return bool(status) and status.runtime_status in ENDED


def is_cancelled(status: DurableOrchestrationStatus) -> bool:
    """Whether the instance exists, and somebody has ended it."""
    return bool(status) and status.runtime_status in CANCELLED
