"""How an orchestration ends: however it does, its status says why, and a notice announces it."""

import logging
from collections.abc import Callable
from typing import Any

from azure.durable_functions import DurableOrchestrationContext

from messages.notices import EXPORT, TABLE
from messages.problems import Problem
from orchestrator import notices
from orchestrator.run import ContinueAsNew, ExportFailed, Run, Steps

Result = dict[str, Any]


def to_its_end(
    context: DurableOrchestrationContext, play: Callable[[Run], Steps[Result]], about: str = EXPORT
) -> Steps[Result | None]:
    """What the play returns, as JSON; None where it continues as new. Of the end of a table only a failure is told.

    Raises:
        ExportFailed: when it fails, for whatever reason, which then is in the status and in a notice.
    """
    run = Run(context)
    try:
        result = yield from play(run)
    except ContinueAsNew as going_on:
        context.continue_as_new(going_on.order.to_json())
        return None
    except ExportFailed as failure:
        problem = failure.problem
    except Exception as fault:
        run.log(logging.ERROR, "ended for an unexpected reason.", with_traceback=True)
        problem = _unforeseen(fault)
    else:
        if about == TABLE:
            return result
        yield from notices.begin(run, "unchanged" if result.get("unchanged") else "succeeded", result)
        if "previousVersion" in result:
            yield from notices.begin(run, "restated", result)
        return result
    run.status.fail(problem)
    if run.tells(problem):
        yield from notices.begin(run, "failed", problem.to_json(), about)
    raise ExportFailed(problem)


def _unforeseen(fault: Exception) -> Problem:
    """Nobody knows what its text holds, so only its kind is told."""
    return Problem(
        "Unexpected",
        f"The orchestration ended for an unexpected reason: {type(fault).__name__}.",
        "Start the run again: what landed is kept. This is a fault of the app itself: report it, with the app's log.",
    )
