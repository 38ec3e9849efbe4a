"""How did the sub-orchestrations end that failed? To whoever waits for them, all of these look the same."""

from collections.abc import Mapping

from messages.endings import EndedInstances, Endings
from messages.names import READ_ENDINGS
from messages.problems import Problem
from orchestrator.run import ExportAnew, ExportFailed, Run, Steps, reason_of


def as_it_arrived(fault: object) -> Problem:
    """All that the exception itself tells: the text with which the sub-orchestration failed."""
    code, _, message = reason_of(fault).partition(": ")
    return Problem(code, message or code, "Look at the status of the run that failed, or at the app's log.")


def how_they_ended(run: Run, failed: Mapping[str, Problem]) -> Steps[dict[str, Problem | None]]:
    """For each id the problem for which it failed; None where a person cancelled it.

    `failed` are the problems as they arrived. They stay, where nobody can tell more.
    """
    told: dict[str, Problem | None] = dict(failed)
    if not told:
        return told
    try:
        answer = yield from run.call(READ_ENDINGS, EndedInstances(list(told)), Endings)
    except (ExportAnew, ExportFailed):
        return told
    for ending in answer.endings:
        told[ending.id] = None if ending.cancelled else ending.problem or told[ending.id]
    return told
