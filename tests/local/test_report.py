"""What landed, read back as a reader would, from either kind of landing zone."""

import gzip
import json
from decimal import Decimal
from typing import Any

import pytest
from rich.console import Console

from failures import Incomplete
from landing.zones.protocol import LandingZone
from local import report
from tests.landing.conftest import Run, container, folder, run, source, sources, zone  # noqa: F401

EXPORT = "billed_usage/invoice_id=G016907411/attribute_set=full"
OLD, NEW = "version=aaaaaaaaaaaaaaaa", "version=bbbbbbbbbbbbbbbb"


def rows(*costs: str, customer: str = "Contoso") -> bytes:
    """A packed blob with rows of these costs."""
    row = f'{{"CustomerName": "{customer}", "BillingCurrency": "EUR", "BillingPreTaxTotal": %s}}\n'
    return gzip.compress("".join(row % cost for cost in costs).encode())


def land(run: Run, zone: LandingZone, glob: str, blobs: dict[str, bytes]) -> report.Contents:  # noqa: F811
    """What is read back when these blobs have landed, and the pointer has this glob."""

    async def write() -> report.Contents:
        for path, content in blobs.items():
            await zone.write(f"{EXPORT}/{path}", content)
        await zone.write(f"{EXPORT}/_latest.json", json.dumps({"glob": glob}).encode())
        return await report.read_back(zone, f"{zone.url}/{EXPORT}/{OLD}/")

    contents: report.Contents = run(write())
    return contents


@pytest.mark.parametrize(("folders", "glob"), [("", f"{NEW}/*.json.gz"), ("day=1/", f"{NEW}/**/*.json.gz")])
def test_the_blobs_that_the_pointer_names_are_read(run: Run, zone: LandingZone, folders: str, glob: str) -> None:  # noqa: F811
    """Neither those of another version, nor our own files; sums are exact, and never of the wrong customer."""
    first, second = rows("0.10", "0.20"), rows("1e2", customer="Fabrikam")
    contents = land(
        run,
        zone,
        glob,
        {
            f"{NEW}/{folders}part-0.json.gz": first,
            f"{NEW}/{folders}part-1.json.gz": second,
            f"{NEW}/_manifest.json": b"{}",
            f"{NEW}/_receipts/_00000-00002.json": b"[]",
            f"{OLD}/{folders}part-0.json.gz": rows("7"),
        },
    )
    assert (contents.blobs, contents.rows, contents.bytes) == (2, 3, len(first) + len(second))
    assert contents.costs == {("Contoso", "EUR"): Decimal("0.30"), ("Fabrikam", "EUR"): Decimal(100)}


def test_an_export_without_a_pointer(run: Run, zone: LandingZone) -> None:  # noqa: F811
    """It says so."""
    with pytest.raises(Incomplete, match=r"_latest\.json"):
        run(report.read_back(zone, f"{zone.url}/{EXPORT}/{OLD}/"))


def test_where_to_look_is_shown(run: Run, zone: LandingZone) -> None:  # noqa: F811
    """As a path on this machine, or as a URL."""
    console: Any = Console(record=True, width=400)
    report.show(land(run, zone, f"{NEW}/*.gz", {f"{NEW}/part.gz": rows("1")}), console)
    shown = console.export_text()
    assert "Landed: 1 blobs, 1 rows" in shown
    place = shown.splitlines()[-1].strip()
    assert place.endswith(EXPORT)
    assert place.startswith(("/", "http://127.0.0.1:"))
