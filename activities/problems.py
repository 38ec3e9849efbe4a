"""Failures as messages, without secrets."""

from clients.redaction import redacted
from failures import Failure
from failures.text import MOST_CHARACTERS, MOST_CODE_CHARACTERS
from messages.problems import NotDone, Problem


def problem_of(failure: Failure) -> Problem:
    """The problem that a person sees: small, for a custom status takes no more than 16 KB."""
    return Problem(
        redacted(failure.code)[:MOST_CODE_CHARACTERS],
        redacted(failure.message)[:MOST_CHARACTERS],
        failure.remedy,
        failure.request_id and failure.request_id[:MOST_CODE_CHARACTERS],
    )


def not_done(failure: Failure) -> NotDone:
    """The failure with all that an orchestrator decides by."""
    return NotDone(problem_of(failure), failure.kind, failure.at_last, failure.wait)
