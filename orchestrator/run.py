"""What every step of an orchestration needs: time, timers, activities called until they answer, the status."""

import re
from collections.abc import Generator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from azure.durable_functions import DurableOrchestrationContext

from failures import ANEW, LATER, Kind
from messages.encoding import Message
from messages.exports import Policy
from messages.problems import Answer, NotDone, Problem
from orchestrator.policy import ACTIVITY_TRIES, retry_delay

T = TypeVar("T")
A = TypeVar("A", bound=Answer)
_HOSTS_WORDS = re.compile(r"^(Orchestrator|Activity) function '\w+' failed: ")
Steps = Generator[Any, Any, T]
"""A part of an orchestration: it yields durable tasks and in the end returns a T."""


class ExportFailed(Exception):
    """The export ends here, for a reason that a person must act on."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.code}: {problem.message}")
        self.problem = problem


class ExportAnew(Exception):
    """This attempt ends here; a new export may bring what this one could not."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class Run:
    """One orchestration's context, with its deadline and policy."""

    def __init__(self, context: DurableOrchestrationContext, policy: Policy, deadline: datetime | None) -> None:
        self.context = context
        self.policy = policy
        self.deadline = deadline or self.now + timedelta(hours=policy.export_deadline_hours)

    @property
    def now(self) -> datetime:
        """The orchestration's own time (UTC), the same in every replay."""
        moment: datetime = self.context.current_utc_datetime
        return moment

    def show(
        self, phase: str, blobs_done: int = 0, blob_count: int = 0, bytes_done: int = 0, result: Any = None
    ) -> None:
        """Sets what the status shows from now on; `result` is what there is of it so far."""
        progress = {"blobsDone": blobs_done, "blobCount": blob_count, "bytesDone": bytes_done}
        self._status = {"phase": phase, "progress": progress} | ({"result": result} if result else {})
        self.context.set_custom_status(self._status)

    def show_failure(self, problem: Problem) -> None:
        """Adds to the status why the run failed."""
        self.context.set_custom_status({**self._status, "error": problem.to_json()})

    def wait(self, seconds: float, waiting_for: str) -> Steps[None]:
        """Waits by a durable timer.

        Raises:
            ExportFailed: when the deadline would pass before.
        """
        until = self.now + timedelta(seconds=seconds)
        if until >= self.deadline:
            raise ExportFailed(deadline_passed(waiting_for))
        yield self.context.create_timer(until)

    def pause(self, failures: int) -> Steps[None]:
        """Waits before something is tried again that failed `failures` times, also beyond the deadline."""
        yield self.context.create_timer(self.now + timedelta(seconds=retry_delay(failures, self.policy)))

    def call(self, activity: str, message: Message, answer: type[A]) -> Steps[A]:
        """Calls the activity, again and again while it may succeed later, with growing waits between.

        Raises:
            ExportFailed: when it cannot do its work.
            ExportAnew: when it cannot, and a new export may fix that.
        """
        for failures in range(1, ACTIVITY_TRIES + 1):
            reply = yield from self.call_once(activity, message, answer)
            if not isinstance(reply, NotDone):
                return reply
            if reply.kind != LATER:
                raise ending(reply.kind, reply.problem)
            not_done = reply
            if failures < ACTIVITY_TRIES:
                yield from self.wait_after(not_done, failures)
        raise in_vain(not_done, f"The step {activity} failed {ACTIVITY_TRIES} times")

    def call_once(self, activity: str, message: Message, answer: type[A]) -> Steps[A | NotDone]:
        """The activity's answer to one call, or why there is none."""
        try:
            reply = yield self.task(activity, message)
        except Exception as fault:
            return crashed(fault)
        return Answer.from_json(reply).not_done or answer.from_json(reply)

    def wait_after(self, not_done: NotDone, failures: int) -> Steps[None]:
        """Waits before something is tried again that failed `failures` times, at least as long as the service asked.

        Raises:
            ExportFailed: when the deadline would pass before.
        """
        seconds = max(not_done.retry_after or 0, retry_delay(failures, self.policy))
        yield from self.wait(seconds, not_done.problem.message)

    def task(self, activity: str, message: Message) -> Any:
        """The durable task of one call of the activity."""
        return self.context.call_activity(activity, message.to_json(), expected_type=dict)


def deadline_passed(waiting_for: str) -> Problem:
    """The problem of an export that its deadline ends; `waiting_for` says what it was waiting for."""
    return Problem(
        "DeadlineExceeded",
        f"The export did not end before its deadline; at last: {waiting_for}",
        "Start the export again, with a larger EXPORT_DEADLINE_HOURS if this happens often.",
    )


def ending(kind: Kind, problem: Problem) -> ExportFailed | ExportAnew:
    """How an attempt ends that waiting does not help."""
    return ExportAnew(problem) if kind == ANEW else ExportFailed(problem)


def in_vain(not_done: NotDone, what: str) -> ExportFailed | ExportAnew:
    """The end of an attempt in which `what` stayed so however often it was tried, at last because of `not_done`."""
    problem = replace(not_done.problem, message=f"{what}; at last: {not_done.problem.message}")
    return ending(not_done.at_last, problem)


def crashed(fault: object) -> NotDone:
    """What is known of an activity that raised: text, which is never branched on, so it is tried again."""
    problem = Problem(
        "KeptFailing",
        reason_of(fault),
        "Look at the app's log for the cause; then start the export again: what landed is kept.",
    )
    return NotDone(problem, LATER)


def reason_of(fault: object) -> str:
    """The first line of an exception, which arrives as bare text, or none; on Azure behind words of the host's."""
    lines = _HOSTS_WORDS.sub("", str(fault).strip()).splitlines()
    return lines[0][:500] if lines else "no reason given"
