"""Which of the orchestrations that failed did a person cancel? To whoever waits for them both look the same."""

from collections.abc import Sequence

from messages.cancelling import CancelledInstances, FailedInstances
from messages.names import FIND_CANCELLED
from orchestrator.run import ExportAnew, ExportFailed, Run, Steps


def find_cancelled(run: Run, ids: Sequence[str]) -> Steps[set[str]]:
    """The ids of those that were cancelled; none, where that cannot be told."""
    if not ids:
        return set()
    try:
        answer = yield from run.call(FIND_CANCELLED, FailedInstances(list(ids)), CancelledInstances)
    except (ExportAnew, ExportFailed):
        return set()
    return set(answer.ids)
