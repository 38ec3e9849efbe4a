"""An invoice of the emulator's ledger, as the blobs that land."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from local.emulator.data.books import Books
from local.emulator.data.differences import Difference
from local.emulator.data.events import Event
from local.emulator.data.generator import Generator
from local.emulator.data.invoices import Invoices
from local.emulator.options import EmulatorOptions

INVOICE = "G016907411"


@dataclass(frozen=True)
class Exports:
    """The blobs of both exports, and what Partner Center says that the invoice comes to."""

    usage: Sequence[Path]
    lines: Sequence[Path]
    total: Decimal


def landed(
    folder: Path,
    *,
    seed: int = 1,
    rows: int = 60,
    blobs: int = 2,
    customers: int = 5,
    differences: tuple[Difference, ...] = (),
    events: tuple[Event, ...] = (),
    attribute_set: str = "full",
    revision: int = 0,
) -> Exports:
    """Writes an invoice for October 2026, of so many daily rows, into the folder."""
    now = datetime(2026, 11, 20, tzinfo=UTC)
    options = EmulatorOptions(
        seed=seed, blobs=blobs, rows=rows // blobs, customers=customers, differences=differences, events=events
    )
    books = Books(options, Invoices((INVOICE,), lambda: now, events=events), lambda: now)
    bill = books.billed(INVOICE, revision)
    generator = Generator(options.blobs)

    def written(dataset: str) -> list[Path]:
        (folder / dataset).mkdir(parents=True)
        paths = []
        for name, blob in generator.export(dataset, [bill], attribute_set).blobs.items():
            paths.append(folder / dataset / name)
            paths[-1].write_bytes(b"".join(blob.pieces()))
        return paths

    return Exports(written("billedUsage"), written("billedReconciliation"), books.total(INVOICE, revision))
