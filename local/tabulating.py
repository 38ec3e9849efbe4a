"""The FOCUS table of an invoice, from what has landed in a folder of this machine."""

import glob
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit

from rich.console import Console
from rich.progress import Progress
from rich.table import Table as Grid

from catalog.datasets import DATASETS, INVOICE_ID
from local.configuration import DEMO_LANDING, load_local_settings
from tables.csv import write_csv
from tables.sums import amount_text
from tables.table import Table, tabulate

_MOST_SHOWN = 10


class NothingLanded(Exception):
    """There is nothing whole to make a table of."""


class Unwritable(Exception):
    """The table cannot be put where it is wanted."""


@dataclass(frozen=True)
class Export:
    """The current version of an export: its blobs by name, and which attributes they have."""

    blobs: list[Path]
    attribute_set: str


def make_table(what: str, target: Path | None, console: Console, *, is_without_usage: bool = False) -> None:
    """Writes the table of an invoice, or of the one invoice in a landing folder, and says what it comes to.

    `is_without_usage`: the invoice has no daily usage, and never will.

    Raises:
        NothingLanded: when there is no such invoice, or more than one, or not all of it.
        Unwritable: when the target is no place for a file.
        TableFailure: when what landed cannot be read.
    """
    is_invoice = INVOICE_ID.fullmatch(what) is not None
    landing = _landing() if is_invoice else Path(what)
    invoice = what if is_invoice else _only_invoice(landing)
    usage, lines = (_current(landing, dataset, invoice) for dataset in ("billedUsage", "billedReconciliation"))
    if usage is None and lines is None:
        raise NothingLanded(f"Nothing of invoice {invoice} has landed in {landing}.")
    target = target or Path(f"{invoice}.parquet")
    with Progress(console=console, transient=True) as progress:
        reading = progress.add_task("Reading", total=sum(len(one.blobs) for one in (usage, lines) if one))
        try:
            table = _written(usage, lines, target, is_without_usage, lambda _: progress.advance(reading))
        except OSError as fault:
            raise Unwritable(f"{target} cannot be written: {fault.strerror}.") from None
    _show(table, target, console)


def _written(
    usage: Export | None,
    lines: Export | None,
    target: Path,
    is_without_usage: bool,
    progress: Callable[[Path], None],
) -> Table:
    with TemporaryDirectory(dir=target.absolute().parent) as folder:
        written = finished = Path(folder) / "table.parquet"
        table = tabulate(
            usage.blobs if usage else None,
            lines.blobs if lines else None,
            written,
            is_without_usage=is_without_usage,
            is_reduced=any(one.attribute_set == "basic" for one in (usage, lines) if one),
            progress=progress,
        )
        if target.suffix.lower() == ".csv":
            finished = written.with_suffix(".csv")
            write_csv(written, finished)
        finished.replace(target)
    return table


def _landing() -> Path:
    """The folder of the settings, or the demo's."""
    load_local_settings()
    url = os.environ.get("LANDING_URL", "")
    if not url:
        return DEMO_LANDING
    if urlsplit(url).scheme not in {"", "file"}:
        raise NothingLanded(f"LANDING_URL is no folder: {url}. Give a folder that has a copy of what landed.")
    return Path(unquote(urlsplit(url).path))


def _only_invoice(landing: Path) -> str:
    folders = glob.glob(f"{glob.escape(str(landing))}/billed_*/partner_tenant=*/invoice_id=*")
    invoices = sorted({folder.rpartition("=")[2] for folder in folders})
    if not invoices:
        raise NothingLanded(f"No invoice has landed in {landing}.")
    if len(invoices) > 1:
        raise NothingLanded(f"{landing} has {len(invoices)} invoices: {', '.join(invoices)}. Give the id of one.")
    return invoices[0]


def _current(landing: Path, dataset: str, invoice: str) -> Export | None:
    """What `_latest.json` names, of all attributes where both sets have landed."""
    folder = f"{glob.escape(str(landing / DATASETS[dataset].folder))}/partner_tenant=*/invoice_id={invoice}"
    for attribute_set in ("full", "basic"):
        pointers = [Path(path) for path in glob.glob(f"{folder}/attribute_set={attribute_set}/_latest.json")]
        if len(pointers) > 1:
            raise NothingLanded(f"Invoice {invoice} has landed for several partners in {landing}.")
        for pointer in pointers:
            return Export(_named_by(pointer), attribute_set)
    return None


def _named_by(pointer: Path) -> list[Path]:
    """The blobs of the version that is current, all of them: a copy of what landed may lack some."""
    try:
        latest = json.loads(pointer.read_text(encoding="utf-8"))
        pattern, count, size = str(latest["glob"]), latest["blobCount"], latest["bytes"]
    except (ValueError, KeyError, TypeError):
        raise NothingLanded(f"{pointer} is damaged: export the invoice again.") from None
    found = (Path(path) for path in glob.glob(f"{glob.escape(str(pointer.parent))}/{pattern}", recursive=True))
    blobs = sorted(path for path in found if path.is_file())
    if (len(blobs), sum(blob.stat().st_size for blob in blobs)) != (count, size):
        raise NothingLanded(
            f"{pointer.parent} does not have the {count} blobs of {size} bytes that _latest.json names: "
            "export the invoice again, or copy the folder again."
        )
    return blobs


def _show(table: Table, target: Path, console: Console) -> None:
    billed = table.sums.by["categories"]
    grid = Grid("Category", "Rows", "BilledCost", title=f"{target}: {table.state}", title_justify="left")
    for column in grid.columns[1:]:
        column.justify = "right"
    for category in sorted({str(key[0]) for key in billed}):
        sums = [one for key, one in billed.items() if key[0] == category]
        total = sum(sums[1:], start=sums[0])
        grid.add_row(category, f"{total.rows:,}", amount_text(total.billed))
    grid.add_section()
    grid.add_row("All", f"{table.sums.total.rows:,}", amount_text(table.sums.total.billed))
    console.print(grid)
    if table.settlement:
        count, size = table.settlement.unexplained
        console.print(f"Unexplained: {count} rows, {amount_text(size)} without their signs.", highlight=False)
        for difference in table.settlement.differences[:_MOST_SHOWN]:
            console.print("  " + ", ".join(difference.values()), markup=False, highlight=False)
