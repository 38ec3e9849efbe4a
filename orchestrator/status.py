"""What an orchestration's status shows: where it is, since when, what went wrong last, and when it goes on."""

from datetime import datetime
from typing import Any

from azure.durable_functions import DurableOrchestrationContext

from messages.problems import MetProblem, Problem


class Status:
    """The custom status; whoever watches the run reads it under these names."""

    def __init__(self, context: DurableOrchestrationContext) -> None:
        self._context = context
        self._shown: dict[str, Any] = {}
        self.last_problem: MetProblem | None = None

    def begin(self, started_at: datetime, attempt: int, last_problem: MetProblem | None) -> None:
        """Says when the run began, for which time it tries, and what it met before this history."""
        self.last_problem = last_problem
        self._set(startedAt=started_at.isoformat(), attempt=attempt)

    def show(self, phase: str, blobs_done: int, blob_count: int, bytes_done: int, result: Any) -> None:
        """Says where the run is; `result` is what there is of it so far."""
        progress = {"blobsDone": blobs_done, "blobCount": blob_count, "bytesDone": bytes_done}
        self._set(phase=phase, progress=progress, result=result)

    def wait_for(self, child: str | None) -> None:
        """Says which orchestration this one waits for, if any: what that one meets stands in a status of its own."""
        self._set(waitsFor=child)

    def take_over(self, last_problem: MetProblem | None) -> None:
        """Says what the orchestration met last that this one has waited for."""
        self.last_problem = last_problem or self.last_problem
        self.wait_for(None)

    def wait_until(self, moment: datetime | None) -> None:
        """Says when the run goes on; None: at once."""
        self._set(nextTryAt=moment and moment.replace(microsecond=0).isoformat())

    def meet(self, problem: Problem, now: datetime) -> None:
        """Says what the run met last."""
        self.last_problem = MetProblem.at(problem, now.replace(microsecond=0))
        self.wait_for(None)

    def fail(self, problem: Problem) -> None:
        """Says why the run failed."""
        self._set(error=problem.to_json(), nextTryAt=None)

    def _set(self, **values: Any) -> None:
        last_problem = self.last_problem and self.last_problem.to_json()
        self._shown = {**self._shown, "lastProblem": last_problem, **values}
        self._context.set_custom_status({name: value for name, value in self._shown.items() if value is not None})
