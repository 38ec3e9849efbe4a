"""The messages of cancelling: whom to end, and what was found."""

from dataclasses import dataclass

from messages.encoding import Message
from messages.problems import Answer


@dataclass(frozen=True)
class CancelOrder(Message):
    """Input of `cancel_run`: the run that is to end, with all that runs within it."""

    run_id: str


@dataclass(frozen=True)
class EndOrder(Message):
    """Input of `end_run`. `ended`: the run itself has ended, and only what runs within it is still looked for."""

    run_id: str
    ended: bool = False


@dataclass(frozen=True)
class EndAnswer(Answer):
    """Answer of `end_run`: whether the run had ended before, and how many instances were found that had not."""

    ended: bool
    found: int
