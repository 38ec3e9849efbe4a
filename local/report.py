"""What landed, read back from the landed files themselves as a reader would: by the pointer's glob, nothing else."""

import gzip
import json
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from rich.console import Console
from rich.filesize import decimal as readable_size
from rich.table import Table

from landing.errors import Incomplete
from landing.zones.protocol import Landed, LandingZone

MOST_CUSTOMERS = 10


KEPT_IN_MEMORY = 8 << 20
"""Bytes of a packed blob; what is longer goes through a temporary file."""


@dataclass
class Contents:
    """The totals of the landed line items. `costs` are by customer's name and billing currency.

    `location` is the export's folder: a path on this machine, or a URL.
    """

    location: str
    blobs: int = 0
    bytes: int = 0
    rows: int = 0
    costs: dict[tuple[str, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))


async def read_back(zone: LandingZone, version_url: str) -> Contents:
    """The contents that the pointer beside this version names.

    Raises:
        LandingError: when they cannot be read.
    """
    folder = version_url.removeprefix(f"{zone.url}/").rstrip("/").rpartition("/")[0]
    contents = Contents(_readable(f"{zone.url}/{folder}"))
    for blob in await _current(zone, folder):
        contents.blobs += 1
        contents.bytes += blob.length
        with tempfile.SpooledTemporaryFile(KEPT_IN_MEMORY) as packed:
            async for piece in zone.stream(blob.path):
                packed.write(piece)
            packed.seek(0)
            _add_rows(contents, packed)
    return contents


async def _current(zone: LandingZone, folder: str) -> list[Landed]:
    """The blobs of the version that the pointer names, by its glob."""
    pointer = await zone.read(f"{folder}/_latest.json")
    if pointer is None:
        raise Incomplete("The export has no _latest.json.")
    version, *_, names = json.loads(pointer.content)["glob"].split("/")
    # Without folders in its middle the glob is of a version that has none, and `**` stands for any number of them.
    below = [blob async for blob in zone.list(f"{folder}/{version}")]
    return sorted((blob for blob in below if fnmatchcase(PurePosixPath(blob.path).name, names)), key=lambda b: b.path)


def _readable(url: str) -> str:
    return unquote(urlsplit(url).path) if url.startswith("file:") else url


def _add_rows(contents: Contents, packed: IO[bytes]) -> None:
    with gzip.open(packed, "rt", encoding="utf-8") as lines:
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
    console.print(f"  {contents.location}", soft_wrap=True, highlight=False)
