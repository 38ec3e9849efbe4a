"""What does an export end with at this moment?"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.emulator.clock import Clock
from local.emulator.data.exports import Export
from local.emulator.data.generator import Generator
from local.emulator.data.invoices import Invoices
from local.emulator.data.subjects import Subject
from local.emulator.options import EmulatorOptions
from local.emulator.services.operations import NO_DATA, Failure


@dataclass(frozen=True)
class Statement:
    """What exports of a subject answer with, by attribute set, and since when they do."""

    export: Callable[[str], Export]
    since: datetime


class Statements:
    """The latest statement on each subject, and which subjects there are.

    There is generated data on the invoices that are listed and the currencies of the options, and on whatever else is
    stated.
    """

    def __init__(self, options: EmulatorOptions, invoices: Invoices, now: Clock) -> None:
        self._currencies = options.currencies
        self._invoices = invoices
        self._generator = Generator(options, invoices, now)
        self._now = now
        self._opened = self._latest = now()
        self._statements: dict[Subject, Statement] = {}
        self._failures: dict[Subject, Failure] = {}

    def failure(self, subject: Subject) -> Failure | None:
        """Why an export of the subject ends without data; None where it ends with data."""
        there = subject in self._statements or self._is_there(subject)
        return self._failures.get(subject, None if there else NO_DATA)

    def statement(self, subject: Subject) -> Statement:
        """The statement that holds for a subject, or held until its exports were to fail."""
        return self._statements.get(subject) or Statement(self._revision(subject, 0), self._opened)

    def restate(self, subject: Subject, revision: int) -> None:
        """From now on the subject has generated data of this revision."""
        self._state(subject, self._revision(subject, revision))

    def use(self, subject: Subject, export: Export) -> None:
        """From now on the subject has this data, whatever the attribute set."""
        self._state(subject, lambda _: export)

    def fail(self, subject: Subject, failure: Failure) -> None:
        """From now on, until it is stated anew, exports of the subject end so."""
        self._failures[subject] = failure

    def _is_there(self, subject: Subject) -> bool:
        return self._invoices.has(subject.about) if subject.month is None else subject.about in self._currencies

    def _revision(self, subject: Subject, revision: int) -> Callable[[str], Export]:
        return lambda attribute_set: self._generator.export(subject, attribute_set, revision)

    def _state(self, subject: Subject, export: Callable[[str], Export]) -> None:
        # A later statement must show as later even where the clock stands still, as a test's clock may.
        self._latest = max(self._now(), self._latest + timedelta.resolution)
        self._statements[subject] = Statement(export, self._latest)
        self._failures.pop(subject, None)
