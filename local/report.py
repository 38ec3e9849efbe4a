"""What landed, read back from the landed files themselves as a reader would: by the pointer's glob, nothing else."""

import gzip
import json
import sys
import tempfile
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from rich.console import Console
from rich.filesize import decimal as readable_size
from rich.markup import escape
from rich.table import Table

from failures import Incomplete
from landing.zones.protocol import Landed, LandingZone

MOST_CUSTOMERS = 10
"""Customers shown of one currency."""

_COSTS = {"BillingPreTaxTotal": "BillingCurrency", "Subtotal": "Currency"}
"""The columns of the cost before tax and of its currency, as usage has them and as an invoice's lines do."""

_CUSTOMER = ("CustomerName", "CustomerId")
_CENT = Decimal("0.01")
_USAGE_KEY = ("SubscriptionId", "ProductId", "SkuId", "AvailabilityId")

Row = dict[str, Any]
Key = tuple[str, ...]


KEPT_IN_MEMORY = 8 << 20
"""Bytes of a packed blob; what is longer goes through a temporary file."""


class CannotSumUp(Exception):
    """What landed is whole, but not of a form that is known here."""


@dataclass
class Contents:
    """The totals of the landed rows. `costs`, before tax, are by customer's name and billing currency.

    `location` is the export's folder: a path on this machine, or a URL. `keys` are what joins usage with the lines of
    an invoice, where the rows say it.
    """

    location: str
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
    """What an invoice consists of, in its currency.

    `usage` is daily usage, unrounded. `usage_lines` are the lines that are the sums of it, and `most_cut` is more than
    can have been cut off them. `purchases` are all other lines. Tax is in `tax` alone.
    """

    usage: Decimal
    usage_lines: Decimal = Decimal(0)
    most_cut: Decimal = Decimal(0)
    purchases: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)

    @property
    def cut(self) -> Decimal:
        """What rounding took off daily usage, if nothing is missing."""
        return self.usage - self.usage_lines

    @property
    def total(self) -> Decimal:
        """What all lines come to."""
        return self.usage_lines + self.purchases + self.tax

    def agrees(self, charged: Decimal) -> bool:
        """Whether usage and lines are one but for rounding, and the lines are this total to the cent."""
        return 0 <= self.cut <= self.most_cut and self.total == charged


async def read_back(zone: LandingZone, version_url: str) -> Contents:
    """The contents that the pointer beside this version names: rows of usage or of an invoice.

    Raises:
        LandingFailure: when they cannot be read.
        CannotSumUp: when they are no packed lines of JSON with amounts.
    """
    folder = _folder(zone, version_url)
    contents = Contents(folder_of(version_url))
    for blob in await _current(zone, folder):
        contents.blobs += 1
        contents.bytes += blob.length
        with _known_form(blob):
            async for row in _rows(zone, blob):
                contents.rows += 1
                cost, currency = next(((c, of) for c, of in _COSTS.items() if c in row), ("", ""))
                customer = next(filter(None, map(row.get, _CUSTOMER)), "")
                contents.costs[customer, row.get(currency) or ""] += _amount(row.get(cost))
                contents.keys.add(_key(row))
    return contents


async def month_sum(zone: LandingZone, usage: Contents, reconciliation_url: str) -> MonthSum:
    """What the lines of an invoice come to, beside its daily usage.

    Microsoft cuts a line of usage to cents, in the pricing currency and then in the billing currency.
    https://learn.microsoft.com/partner-center/billing/use-the-reconciliation-files

    Raises:
        LandingFailure: when the lines cannot be read.
        CannotSumUp: when they are no packed lines of JSON with amounts.
    """
    month = MonthSum(usage.cost)
    for blob in await _current(zone, _folder(zone, reconciliation_url)):
        with _known_form(blob):
            async for line in _rows(zone, blob):
                month.tax += _amount(line.get("TaxTotal"))
                if _key(line) in usage.keys:
                    month.usage_lines += _amount(line.get("Subtotal"))
                    month.most_cut += _CENT * _amount(line.get("PCToBCExchangeRate")) + _CENT
                else:
                    month.purchases += _amount(line.get("Subtotal"))
    return month


def _folder(zone: LandingZone, version_url: str) -> str:
    """The folder that holds the pointer, from the URL of a version in it."""
    return version_url.removeprefix(f"{zone.url}/").rstrip("/").rpartition("/")[0]


async def _current(zone: LandingZone, folder: str) -> list[Landed]:
    """The blobs of the version that the pointer names, by its glob."""
    pointer = await zone.read(f"{folder}/_latest.json")
    if pointer is None:
        raise Incomplete("The export has no _latest.json.")
    version, *_, names = json.loads(pointer.content)["glob"].split("/")
    # Without folders in its middle the glob is of a version that has none, and `**` stands for any number of them.
    below = [blob async for blob in zone.list(f"{folder}/{version}")]
    return sorted((blob for blob in below if fnmatchcase(PurePosixPath(blob.path).name, names)), key=lambda b: b.path)


def folder_of(version_url: str) -> str:
    """The export's folder: a path on this machine, or a URL."""
    url = version_url.rstrip("/").rpartition("/")[0]
    return unquote(urlsplit(url).path) if url.startswith("file:") else url


async def _rows(zone: LandingZone, blob: Landed) -> AsyncIterator[Row]:
    with tempfile.SpooledTemporaryFile(KEPT_IN_MEMORY) as packed:
        async for piece in zone.stream(blob.path):
            packed.write(piece)
        packed.seek(0)
        with gzip.open(packed, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield _row(line)


def _row(line: str) -> Row:
    row = json.loads(line, parse_float=Decimal)
    if not isinstance(row, dict):
        raise ValueError("a line is no object")
    return row


def _amount(value: Any) -> Decimal:
    """What is null, empty or missing counts as nothing."""
    return Decimal(value or 0)


@contextmanager
def _known_form(blob: Landed) -> Iterator[None]:
    """Whatever is done inside with the blob's lines.

    Raises:
        CannotSumUp: when they are of another form.
    """
    try:
        yield
    except (OSError, EOFError, zlib.error, ValueError, TypeError, ArithmeticError) as fault:
        raise CannotSumUp(f"{blob.path} cannot be summed up: {fault}") from fault


def show(contents: Contents, console: Console) -> None:
    """Prints what landed, the most expensive customers, and where to look."""
    table = Table("Customer", "Cost before tax", title="Cost by customer", title_justify="left")
    table.columns[1].justify = "right"
    for currency in sorted({currency for _, currency in contents.costs}):
        for customer, cost in _ranked(contents, currency):
            table.add_row(escape(customer), escape(f"{cost:,.2f} {currency}".rstrip()))
    console.print(table)
    console.print(f"Landed: {contents.blobs} blobs, {contents.rows:,} rows, {readable_size(contents.bytes)}")
    show_location(contents.location, console)


def show_location(location: str, console: Console) -> None:
    """Prints where to look."""
    console.print("Look into:", highlight=False)
    console.print(f"  {location}", soft_wrap=True, highlight=False, markup=False)


def _ranked(contents: Contents, currency: str) -> list[tuple[str, Decimal]]:
    """Who costs most in the currency, and last the sum of all others."""
    costs = [(customer, cost) for (customer, of), cost in contents.costs.items() if of == currency]
    ranked = sorted(costs, key=lambda item: item[1], reverse=True)
    shown, rest = ranked[:MOST_CUSTOMERS], ranked[MOST_CUSTOMERS:]
    return [*shown, (f"… and {len(rest)} more", sum((cost for _, cost in rest), Decimal(0)))] if rest else shown


def show_month(month: MonthSum, invoice_id: str, charged: Decimal, currency: str, console: Console) -> None:
    """Prints what the month comes to, what Partner Center has as the invoice's total, and whether they agree."""
    table = Table("Month", currency, title="The month's sum", title_justify="left")
    table.columns[1].justify = "right"
    table.add_row("Daily usage, unrounded", f"{month.usage:,.2f}")
    table.add_row("Cut off by rounding", f"{-month.cut:,.2f}", end_section=True)
    table.add_row("Lines of usage", f"{month.usage_lines:,.2f}")
    table.add_row("Licences, commitments, credits", f"{month.purchases:,.2f}")
    table.add_row("Tax", f"{month.tax:,.2f}", end_section=True)
    table.add_row("Sum of what landed", f"{month.total:,.2f}")
    table.add_row(f"Invoice {invoice_id} in Partner Center", f"{charged:,.2f}")
    console.print(table)
    if month.agrees(charged):
        console.print(
            f"All agree: usage and lines, except for rounding (below {month.most_cut:,.2f}); lines and invoice."
        )
    else:
        console.print("They do not agree.", style="bold red")


def show_table(landing: Path, invoice_id: str, charged: Decimal, currency: str, console: Console) -> bool:
    """Opens the invoice's FOCUS table, prints what it comes to, and how it was opened; whether that is the total."""
    import duckdb

    file = f"{landing}/focus/**/{invoice_id}.parquet"
    ((billed,),) = duckdb.read_parquet(file).aggregate("sum(BilledCost)").fetchall()
    agrees = billed == charged
    verb = "is" if agrees else "is not"
    console.print(
        f"FOCUS table: {billed:,.2f} {currency}, which {verb} the invoice's total. Open it: "
        f"""{sys.executable} -c "import duckdb; duckdb.read_parquet('{file}').show()\"""",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    return bool(agrees)


def _key(row: Row) -> Key:
    return tuple(row.get(name, "") for name in _USAGE_KEY)
