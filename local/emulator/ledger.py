"""Which data does an invoice have at this moment?"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.emulator.clock import Clock
from local.emulator.exports import Export
from local.emulator.generator import Generator
from local.emulator.options import EmulatorOptions


@dataclass(frozen=True)
class Statement:
    """What exports of an invoice answer with, by attribute set, and since when they do."""

    export: Callable[[str], Export]
    since: datetime


class Ledger:
    """The invoices that exist, each with its latest statement."""

    def __init__(self, options: EmulatorOptions, now: Clock) -> None:
        self._generator = Generator(options)
        self._now = now
        self._latest = now() - timedelta.resolution
        self._statements: dict[str, Statement] = {}
        for invoice_id in options.invoices:
            self.restate(invoice_id, 0)

    def knows(self, invoice_id: str) -> bool:
        """Whether the invoice exists."""
        return invoice_id in self._statements

    def statement(self, invoice_id: str) -> Statement:
        """The statement that holds for an invoice that exists."""
        return self._statements[invoice_id]

    def restate(self, invoice_id: str, revision: int) -> None:
        """From now on the invoice has generated data of this revision."""
        self._state(invoice_id, lambda attribute_set: self._generator.export(invoice_id, attribute_set, revision))

    def use(self, invoice_id: str, export: Export) -> None:
        """From now on the invoice has this data, whatever the attribute set."""
        self._state(invoice_id, lambda _: export)

    def _state(self, invoice_id: str, export: Callable[[str], Export]) -> None:
        # A later statement must show as later even where the clock stands still, as a test's clock may.
        self._latest = max(self._now(), self._latest + timedelta.resolution)
        self._statements[invoice_id] = Statement(export, self._latest)
