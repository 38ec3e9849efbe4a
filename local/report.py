"""What landed, read back from the landed files themselves as a reader would: by the pointer's glob, nothing else."""

import gzip
import json
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from rich.console import Console
from rich.filesize import decimal as readable_size
from rich.table import Table

MOST_CUSTOMERS = 10


@dataclass
class Contents:
    """The totals of the landed line items. `costs` are by customer's name and billing currency."""

    folder: Path
    blobs: int = 0
    bytes: int = 0
    rows: int = 0
    costs: dict[tuple[str, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))


def read_back(location: str) -> Contents:
    """The contents that the pointer beside the version at this `file:` URL names."""
    folder = Path(unquote(urlsplit(location).path)).parent
    pointer = json.loads((folder / "_latest.json").read_text(encoding="utf-8"))
    contents = Contents(folder)
    for blob in sorted(folder.glob(pointer["glob"])):
        contents.blobs += 1
        contents.bytes += blob.stat().st_size
        _add_rows(contents, blob)
    return contents


def _add_rows(contents: Contents, blob: Path) -> None:
    with gzip.open(blob, "rt", encoding="utf-8") as lines:
        for line in lines:
            row: dict[str, Any] = json.loads(line, parse_float=Decimal)
            contents.rows += 1
            contents.costs[row["CustomerName"], row["BillingCurrency"]] += row["BillingPreTaxTotal"]


def show(contents: Contents, console: Console) -> None:
    """Prints what landed, the most expensive customers, and where to look."""
    table = Table("Customer", "Cost before tax", title="Cost by customer", title_justify="left")
    table.columns[1].justify = "right"
    ranked = sorted(contents.costs.items(), key=lambda item: item[1], reverse=True)
    for (customer, currency), cost in ranked[:MOST_CUSTOMERS]:
        table.add_row(customer, f"{cost:,.2f} {currency}")
    rest = ranked[MOST_CUSTOMERS:]
    if rest:
        table.add_row(f"… and {len(rest)} more", f"{sum(cost for _, cost in rest):,.2f} {rest[0][0][1]}")
    console.print(table)
    console.print(f"Landed: {contents.blobs} blobs, {contents.rows:,} rows, {readable_size(contents.bytes)}")
    console.print("Look into:", highlight=False)
    console.print(f"  {contents.folder}", soft_wrap=True, highlight=False)
