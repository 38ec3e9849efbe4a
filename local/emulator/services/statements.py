"""What does an export end with at this moment?"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from threading import Thread

from local.emulator.clock import Now
from local.emulator.data.bill import Bill
from local.emulator.data.books import Books
from local.emulator.data.contents import CONTENTS
from local.emulator.data.exports import Export
from local.emulator.data.generator import Generator
from local.emulator.data.invoices import Invoices
from local.emulator.data.subjects import Subject
from local.emulator.options import EmulatorOptions
from local.emulator.services.operations import NO_DATA, Failure

_RESTATED = 1
_LITTLE = 50_000
"""Rows that are made within the poll that asks for them, in seconds."""


@dataclass(frozen=True)
class Statement:
    """What exports of a subject answer with: this data, or generated data of this revision; and since when they do."""

    since: datetime
    revision: int = 0
    export: Export | None = None


class Statements:
    """The latest statement on each subject, and which subjects there are.

    There is generated data on the invoices that are listed and the currencies of the options, and on whatever else is
    stated.
    """

    def __init__(self, options: EmulatorOptions, invoices: Invoices, books: Books, now: Now) -> None:
        self._currencies = options.currencies
        self._invoices = invoices
        self._books = books
        self._generator = Generator(options.blobs)
        self._now = now
        self._opened = self._latest = now()
        self._statements: dict[Subject, Statement] = {}
        self._failures: dict[Subject, Failure] = {}
        self._is_little = options.blobs * options.rows <= _LITTLE
        self._making: dict[Hashable, Thread] = {}
        self._made: set[Hashable] = set()

    def failure(self, subject: Subject) -> Failure | None:
        """Why an export of the subject ends without data; None where it ends with data."""
        there = subject in self._statements or self._is_there(subject)
        return self._failures.get(subject, None if there else NO_DATA)

    def since(self, subject: Subject) -> datetime:
        """Since when exports of the subject end with the data that they end with now."""
        return self._statement(subject).since

    def is_made(self, subject: Subject, attribute_set: str) -> bool:
        """Whether the subject's data can be read without waiting; much data is made in the background."""
        key = subject, attribute_set, self._statement(subject)
        if self._is_little or key in self._made:
            return True
        if key not in self._making:
            self._making[key] = Thread(target=self.export, args=(subject, attribute_set), daemon=True)
            self._making[key].start()
        elif not self._making[key].is_alive():
            del self._making[key]
            self._made.add(key)
        return key in self._made

    def export(self, subject: Subject, attribute_set: str) -> Export:
        """The subject's data, as it is stated or was until its exports were to fail."""
        statement = self._statement(subject)
        bills = self._bills(subject, statement.revision)
        return statement.export or self._generator.export(subject.dataset, bills, attribute_set)

    def total(self, invoice_id: str) -> Decimal:
        """What an invoice comes to: the sum of its reconciliation."""
        revision = self._statement(Subject("billedReconciliation", invoice_id)).revision
        return self._books.total(invoice_id, revision)

    def restate(self, subject: Subject, revision: int) -> None:
        """From now on the subject has generated data of this revision."""
        self._state(subject, Statement(self._moment(), revision))

    def use(self, subject: Subject, export: Export) -> None:
        """From now on the subject has this data, whatever the attribute set."""
        self._state(subject, Statement(self._moment(), export=export))

    def fail(self, subject: Subject, failure: Failure) -> None:
        """From now on, until its data is stated again, exports of the subject end like this."""
        self._failures[subject] = failure

    def _statement(self, subject: Subject) -> Statement:
        if subject in self._statements:
            return self._statements[subject]
        restated = None if subject.month else self._invoices.restated(self._invoices.find(subject.about))
        return Statement(restated, _RESTATED) if restated else Statement(self._opened)

    def _is_there(self, subject: Subject) -> bool:
        has_usage = CONTENTS[subject.dataset].has_usage
        if subject.month is None:
            is_listed = self._invoices.has(subject.about)
            return is_listed and (not has_usage or self._invoices.has_usage(self._invoices.find(subject.about)))
        bills = self._bills(subject, 0)
        return subject.about in self._currencies and not (has_usage and all(bill.only_licences for bill in bills))

    def _bills(self, subject: Subject, revision: int) -> Sequence[Bill]:
        if subject.month is None:
            return [self._books.billed(subject.about, revision)]
        return self._books.unbilled(subject.about, subject.month, revision)

    def _moment(self) -> datetime:
        # A later statement must show as later even where the clock stands still, as a test's clock may.
        self._latest = max(self._now(), self._latest + timedelta.resolution)
        return self._latest

    def _state(self, subject: Subject, statement: Statement) -> None:
        self._statements[subject] = statement
        self._failures.pop(subject, None)
