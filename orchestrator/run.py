"""What every step of an orchestration needs: time, timers, activities called until they answer, the status."""

import logging
import re
from collections.abc import Callable, Generator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from azure.durable_functions import DurableOrchestrationContext

from failures import ANEW, LATER, Kind
from messages.encoding import Message
from messages.exports import Policy
from messages.problems import Answer, MetProblem, NotDone, Problem
from orchestrator.policy import ACTIVITY_TRIES, EARLIEST_TIMER, retry_delay
from orchestrator.status import Status

T = TypeVar("T")
A = TypeVar("A", bound=Answer)
_HOSTS_WORDS = re.compile(r"^(Orchestrator|Activity) function '\w+' failed: ")
Steps = Generator[Any, Any, T]
"""A part of an orchestration: it yields durable tasks and in the end returns a T."""

log = logging.getLogger(__name__)


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


class ContinueAsNew(Exception):
    """This history ends here: the orchestration goes on with the order, in a new one. Nothing may be under way."""

    def __init__(self, order: Message) -> None:
        self.order = order


class Run:
    """One orchestration's context, and its status; once it has read its order, also its policy and its deadline."""

    policy: Policy
    deadline: datetime
    started_at: datetime
    retry_seconds = 30.0
    tells: Callable[[Problem], bool] = staticmethod(lambda _: True)
    """Whether it is announced when the run fails for this problem."""

    def __init__(self, context: DurableOrchestrationContext) -> None:
        self.context = context
        self.status = Status(context)

    def begin(
        self,
        policy: Policy,
        started_at: datetime | None,
        deadline: datetime | None = None,
        attempt: int = 1,
        last_problem: MetProblem | None = None,
    ) -> None:
        """Takes over what the order says."""
        self.policy = policy
        self.retry_seconds = policy.retry_seconds
        self.started_at = started_at or self.now.replace(microsecond=0)
        self.deadline = deadline or self.now + timedelta(hours=policy.export_deadline_hours)
        self.status.begin(self.started_at, attempt, last_problem)

    @property
    def now(self) -> datetime:
        """The orchestration's own time (UTC), the same in every replay."""
        moment: datetime = self.context.current_utc_datetime
        return moment

    def show(
        self, phase: str, blobs_done: int = 0, blob_count: int = 0, bytes_done: int = 0, result: Any = None
    ) -> None:
        """Sets what the status shows from now on; `result` is what there is of it so far."""
        self.status.show(phase, blobs_done, blob_count, bytes_done, result)

    def wait(self, seconds: float, waiting_for: str, because_of: Problem | None = None) -> Steps[None]:
        """Waits by a durable timer, no shorter than that; the status shows until when.

        Raises:
            ExportFailed: when the deadline would pass before.
        """
        until = self.now + timedelta(seconds=seconds)
        if until >= self.deadline:
            raise ExportFailed(deadline_passed(waiting_for, because_of))
        self.status.wait_until(until)
        yield self.context.create_timer(until)
        if self.now < until:
            yield self.context.create_timer(until + EARLIEST_TIMER)
        self.status.wait_until(None)

    def call(self, activity: str, message: Message, answer: type[A]) -> Steps[A]:
        """Calls the activity, again and again while it may succeed later, with growing waits between.

        Where waiting is all that can help, it is tried until the deadline.

        Raises:
            ExportFailed: when it cannot do its work.
            ExportAnew: when it cannot, and a new export may fix that.
        """
        for failures in count(1):
            reply = yield from self.call_once(activity, message, answer)
            if not isinstance(reply, NotDone):
                return reply
            if reply.kind != LATER:
                raise ending(reply.kind, reply.problem)
            if failures >= ACTIVITY_TRIES and reply.at_last != LATER:
                raise in_vain(reply, f"The step {activity} failed {failures} times")
            yield from self.wait_after(reply, failures)
        raise AssertionError("unreachable: the deadline ends the waiting")

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
        seconds = max(not_done.retry_after or 0, retry_delay(failures, self.policy.retry_seconds))
        self.meet(not_done.problem, seconds)
        yield from self.wait(seconds, not_done.problem.message, not_done.problem)

    def meet(self, problem: Problem, seconds: float) -> None:
        """Status and log say what the run met, and that it will try again after so many seconds, if it has them."""
        self.status.meet(problem, self.now)
        if self.now + timedelta(seconds=seconds) < self.deadline:
            self.log(logging.WARNING, "tries again in %.0f s: %s: %s", seconds, problem.code, problem.message)

    def log(self, level: int, message: str, *values: object, with_traceback: bool = False) -> None:
        """Logs a line about this run, once: not when it is replayed."""
        if not self.context.is_replaying:
            log.log(level, f"%s {message}", self.context.instance_id, *values, exc_info=with_traceback)

    def task(self, activity: str, message: Message) -> Any:
        """The durable task of one call of the activity."""
        return self.context.call_activity(activity, message.to_json(), expected_type=dict)


def deadline_passed(waiting_for: str, because_of: Problem | None = None) -> Problem:
    """The problem of an export that its deadline ends; `waiting_for` says what it was waiting for.

    What helps against the problem that it had to wait because of, helps here.
    """
    return Problem(
        "DeadlineExceeded",
        f"The export did not end before its deadline; at last: {waiting_for}",
        because_of.remedy if because_of else _MORE_TIME,
        because_of.request_id if because_of else None,
    )


_MORE_TIME = "Start the export again, with a larger EXPORT_DEADLINE_HOURS if this happens often: what landed is kept."


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
