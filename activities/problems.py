"""Errors that a person must act on, as messages."""

from billing.errors import BillingError, ServiceUnavailable
from clients.redaction import redacted
from landing.errors import LandingError, SourceFault, TryAgain
from messages.problems import NotNow, Problem

MOST_CHARACTERS = 1000
"""Of a message that others wrote."""


def problem_of(error: BillingError | LandingError) -> Problem:
    """The error's code, message, Microsoft's request id where it has one, and remedy."""
    return problem(error.code, error.message, error.remedy, getattr(error, "request_id", None))


def not_now(fault: ServiceUnavailable | TryAgain) -> NotNow:
    """What keeps an activity from its work for now."""
    return NotNow(problem_of(fault), getattr(fault, "retry_after", None), isinstance(fault, SourceFault))


def problem(code: str, message: str, remedy: str, request_id: str | None = None) -> Problem:
    """A problem fit to be stored: without secrets, and small, for a custom status takes no more than 16 KB."""
    return Problem(redacted(code)[:100], redacted(message)[:MOST_CHARACTERS], remedy, request_id and request_id[:100])


def data_changed() -> Problem:
    """Microsoft renewed the data between planning and copying, or before the commit."""
    return Problem(
        "DataChanged",
        "The data changed while it was exported, and kept changing in every attempt.",
        "Start the export again when Microsoft has finished renewing the data.",
    )
