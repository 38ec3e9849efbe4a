"""What the activities of a table share: its inputs, the parts made of them, and the engine's turn."""

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

from catalog.datasets import DATASETS, TABLED
from clients.process import Clients
from failures import Failure, NoRoom
from landing.inputs import NO_DATA, InputBlob, LandedInvoice, blobs_of
from landing.layout import TablePlace
from landing.publishing import published
from landing.work import WorkFolder, sweep_work
from messages.tables import TablePlan, TableResult
from tables.engine import FULL

USAGE, LINES = FOLDERS = tuple(DATASETS[name].folder for name in TABLED)
"""The folders of daily usage and of reconciliation lines."""

TURN_SECONDS = 5.0
"""For so long an activity waits for the engine: it holds a place that copying may need."""

SPARE_BYTES = 64 << 20
"""Room that stays free in the temporary folder."""

SWEEP_SECONDS = 60.0
"""Time given to removing old parts."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TableBlob:
    """One blob of the inputs, and where its part is kept: `name` is the beginning of all its files' names."""

    dataset: str
    blob: InputBlob
    name: str
    work: WorkFolder


@dataclass(frozen=True)
class Making:
    """A table that is being made."""

    using: Clients
    plan: TablePlan

    @property
    def invoice(self) -> LandedInvoice:
        """The invoice as it has landed."""
        return LandedInvoice(self.using.zone, FOLDERS, self.plan.partner, self.plan.invoice_id)

    @property
    def place(self) -> TablePlace:
        """Where the table goes."""
        return TablePlace(self.plan.partner, self.plan.month, self.plan.invoice_id)

    @property
    def work(self) -> WorkFolder:
        """Where that is kept which belongs to this version of the table alone."""
        return WorkFolder.of_table(self.using.zone, self.plan.invoice_id, self.plan.version)

    @property
    def is_without_usage(self) -> bool:
        """Whether the invoice has no daily usage, and never will."""
        return self.plan.inputs[USAGE] == NO_DATA

    @property
    def is_reduced(self) -> bool:
        """Whether one of the inputs has the basic attributes only."""
        return any(told.startswith("attribute_set=basic/") for told in self.plan.inputs.values())

    async def is_current(self) -> bool:
        """Whether what has landed still is what the table is made of, and the invoice is not void."""
        return not await self.invoice.is_void() and await self.invoice.inputs() == self.plan.inputs

    async def blobs(self) -> list[TableBlob]:
        """The blobs of all inputs, daily usage first."""
        return [blob for dataset in FOLDERS for blob in await self.blobs_of(dataset) or ()]

    async def blobs_of(self, dataset: str) -> list[TableBlob] | None:
        """The blobs of one input; None where it has not landed."""
        from tables.release import mapping_digest

        version = self.invoice.version(dataset, self.plan.inputs)
        if version is None:
            return None
        work = WorkFolder.of_version(self.using.zone, mapping_digest(), version)
        blobs = await blobs_of(self.using.zone, version)
        return [TableBlob(dataset, blob, f"{index:05d}", work) for index, blob in enumerate(blobs)]


@asynccontextmanager
async def engine_turn(using: Clients) -> AsyncIterator[bool]:
    """Whether the engine is this activity's as long as the block lasts; False where it did not come free in time."""
    try:
        async with asyncio.timeout(TURN_SECONDS):
            await using.engine.acquire()
    except TimeoutError:
        yield False
        return
    try:
        yield True
    finally:
        using.engine.release()


@contextmanager
def temporary_folder(needed: int) -> Iterator[Path]:
    """A folder on this machine that is gone afterwards, with room for so many bytes.

    Raises:
        NoRoom: when there is less, or it was taken by others meanwhile.
    """
    try:
        with TemporaryDirectory(prefix="table-") as folder:
            free = shutil.disk_usage(folder).free
            if free < needed + SPARE_BYTES:
                needed_mib = (needed + SPARE_BYTES) >> 20
                raise NoRoom(f"The temporary folder {gettempdir()} has {free >> 20} MiB free of {needed_mib} needed.")
            yield Path(folder)
    except OSError as fault:
        if fault.errno not in FULL:
            raise
        raise NoRoom(f"The temporary folder {gettempdir()} has become full.") from None


async def standing_table(making: Making) -> TableResult | None:
    """The table of this very version, where it stands in its place and is described as it should be."""
    described = await published(making.using.zone, making.place, making.plan.version)
    return table_result(described) if described and describes_table(described) else None


def table_result(description: Mapping[str, Any]) -> TableResult:
    """What callers see of a table that is described so."""
    unexplained = description.get("unexplained")
    return TableResult(
        description["state"],
        description["version"],
        description["rows"],
        description["billedCost"],
        description["currency"],
        unexplained and unexplained["billedCost"],
    )


def describes_table(description: Mapping[str, Any]) -> bool:
    """Whether it says what is said of every table; somebody may have written into the file."""
    try:
        table, invoice, files = table_result(description), description["invoice"], description["files"]
        texts, perhaps = (table.state, table.version, table.sum), (invoice["total"], invoice["currency"])
    except (KeyError, TypeError):
        return False
    return (
        isinstance(table.rows, int)
        and isinstance(files, list)
        and len(files) > 0
        and all(isinstance(text, str) for text in texts)
        and all(isinstance(text, str | None) for text in (table.currency, table.unexplained, *perhaps))
    )


async def sweep_parts(using: Clients, made: WorkFolder) -> None:
    """Removes what only the published table needed, and old parts; whether that succeeds is nothing to the table."""
    try:
        async with asyncio.timeout(SWEEP_SECONDS):
            await made.remove()
            await sweep_work(using.zone, using.now())
    except (Failure, TimeoutError) as fault:
        log.warning("Old parts of tables could not be removed; the next table tries again: %r", fault)
