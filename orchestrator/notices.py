"""Tells of a run's end. Whether that succeeds changes nothing about the run."""

from dataclasses import replace
from typing import Any

from failures import LATER
from messages.names import SEND_NOTICE
from messages.notices import Notice
from messages.problems import Answer, NotDone
from orchestrator.policy import NOTICE_TRIES
from orchestrator.run import ExportFailed, Run, Steps


def with_notice(run: Run, subject: str, steps: Steps[dict[str, Any]]) -> Steps[dict[str, Any]]:
    """What the steps return, once it was told, or the failure with which they end, which then is in the status too.

    Raises:
        ExportFailed: as the steps.
    """
    try:
        result = yield from steps
    except ExportFailed as failure:
        run.show_failure(failure.problem)
        yield from _announce(run, subject, "failed", failure.problem.to_json())
        raise
    yield from _announce(run, subject, "unchanged" if result.get("unchanged") else "succeeded", result)
    return result


def _announce(run: Run, subject: str, outcome: str, data: dict[str, Any]) -> Steps[None]:
    # One id for all tries, by which a receiver knows what it has seen before.
    notice = Notice(run.context.new_uuid(), outcome, subject, run.now, data)
    for attempt in range(1, NOTICE_TRIES + 1):
        answer = yield from run.call_once(SEND_NOTICE, replace(notice, attempt=attempt), Answer)
        if not (isinstance(answer, NotDone) and answer.kind == LATER):
            return
        if attempt < NOTICE_TRIES:
            yield from run.pause(attempt)
