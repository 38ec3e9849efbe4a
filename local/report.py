"""What landed, read back from the landed files themselves as a reader would: by the pointer's glob, nothing else."""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from rich.console import Console
from rich.filesize import decimal as readable_size
from rich.table import Table

MOST_CUSTOMERS = 10
_USAGE_COST = ("BillingPreTaxTotal", "BillingCurrency")
_LINE_COST = ("Subtotal", "Currency")
_USAGE_KEY = ("SubscriptionId", "ProductId", "SkuId", "AvailabilityId")

Row = dict[str, Any]
Key = tuple[str, ...]


@dataclass
class Contents:
    """The totals of the landed rows. `costs`, before tax, are by customer's name and billing currency.

    `keys` are what joins usage with the lines of an invoice, where the rows say it.
    """

    folder: Path
    blobs: int = 0
    bytes: int = 0
    rows: int = 0
    costs: dict[tuple[str, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    keys: set[Key] = field(default_factory=set)

    @property
    def cost(self) -> Decimal:
        """The sum of all costs."""
        return sum(self.costs.values(), Decimal(0))


@dataclass
class MonthSum:
    """What an invoice consists of, in its currency: usage unrounded, what rounding took off, all else, and tax."""

    usage: Decimal
    rounding: Decimal = Decimal(0)
    purchases: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        """What it comes to: to the cent what Partner Center has as the invoice's total."""
        return self.usage + self.rounding + self.purchases + self.tax


def folder_of(location: str) -> Path:
    """The folder that holds the pointer, from the `file:` URL of a version in it."""
    return Path(unquote(urlsplit(location.rstrip("/")).path)).parent


def read_back(folder: Path) -> Contents:
    """The contents that the folder's pointer names: rows of usage or of an invoice."""
    contents = Contents(folder)
    for blob in _blobs(folder):
        contents.blobs += 1
        contents.bytes += blob.stat().st_size
    for row in _rows(folder):
        contents.rows += 1
        cost, currency = _USAGE_COST if _USAGE_COST[0] in row else _LINE_COST
        contents.costs[row["CustomerName"], row[currency]] += row[cost]
        contents.keys.add(_key(row))
    return contents


def month_sum(usage: Contents, reconciliation: Path) -> MonthSum:
    """What the lines of an invoice come to, with its daily usage in place of the lines that are the sums of it."""
    month = MonthSum(usage.cost, -usage.cost)
    for line in _rows(reconciliation):
        month.tax += line["TaxTotal"]
        if _key(line) in usage.keys:
            month.rounding += line["Subtotal"]
        else:
            month.purchases += line["Subtotal"]
    return month


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


def show_month(month: MonthSum, invoice_id: str, charged: Decimal, currency: str, console: Console) -> None:
    """Prints what the month comes to, and beside it what Partner Center has as the invoice's total."""
    table = Table("Month", currency, title="The month's sum", title_justify="left")
    table.columns[1].justify = "right"
    table.add_row("Daily usage, unrounded", f"{month.usage:,.2f}")
    table.add_row("Rounding of the invoice's lines", f"{month.rounding:,.2f}")
    table.add_row("Licences, commitments, credits", f"{month.purchases:,.2f}")
    table.add_row("Tax", f"{month.tax:,.2f}", end_section=True)
    table.add_row("Sum of what landed", f"{month.total:,.2f}")
    table.add_row(f"Invoice {invoice_id} in Partner Center", f"{charged:,.2f}")
    console.print(table)


def _blobs(folder: Path) -> list[Path]:
    pointer = json.loads((folder / "_latest.json").read_text(encoding="utf-8"))
    return sorted(folder.glob(pointer["glob"]))


def _rows(folder: Path) -> Iterator[Row]:
    for blob in _blobs(folder):
        with gzip.open(blob, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line, parse_float=Decimal)


def _key(row: Row) -> Key:
    return tuple(row.get(name, "") for name in _USAGE_KEY)
