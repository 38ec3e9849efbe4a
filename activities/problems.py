"""Errors that a person must act on, as messages."""

from billing.errors import BillingError
from landing.errors import LandingError
from orchestrator.messages import Problem


def problem_of(error: BillingError | LandingError) -> Problem:
    """The error's code, message, Microsoft's request id where it has one, and remedy."""
    return Problem(error.code, error.message, error.remedy, getattr(error, "request_id", None))


def data_changed() -> Problem:
    """Microsoft renewed the data between planning and copying, or before the commit."""
    return Problem(
        "DataChanged",
        "The data changed while it was exported, and kept changing in every attempt.",
        "Start the export again when Microsoft has finished renewing this invoice's data.",
    )
