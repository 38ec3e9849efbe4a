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


def line(product: str, subtotal: str, tax: str) -> str:
    """A line of an invoice, of usage where the product is the one that was used."""
    return (
        f'{{"SubscriptionId": "s", "ProductId": "{product}", "SkuId": "1", "AvailabilityId": "a", '
        f'"Subtotal": {subtotal}, "TaxTotal": {tax}, "PCToBCExchangeRate": 0.5}}\n'
    )


def month(run: Run, zone: LandingZone, *lines: str) -> report.MonthSum:  # noqa: F811
    """The sum of a month with these lines, and daily usage of 2.015 and 1."""
    export = "billed_reconciliation/invoice_id=G016907411/attribute_set=full"

    async def landed() -> report.MonthSum:
        await zone.write(f"{export}/{NEW}/part.gz", gzip.compress("".join(lines).encode()))
        await zone.write(f"{export}/_latest.json", json.dumps({"glob": f"{NEW}/*.gz"}).encode())
        used: set[report.Key] = {("s", product, "1", "a") for product in ("used", "also used")}
        usage = report.Contents("", costs={("Contoso", "EUR"): Decimal("3.015")}, keys=used)
        return await report.month_sum(zone, usage, f"{zone.url}/{export}/{NEW}/")

    found: report.MonthSum = run(landed())
    return found


LINES = (line("used", "2.01", "0.38"), line("also used", "1", "0.19"), line("licence", "6", "1.14"))


def test_a_month_is_summed_up_beside_its_usage(run: Run, zone: LandingZone) -> None:  # noqa: F811
    """Lines of what was used are told from all others by their key, and tax stands by itself."""
    found = month(run, zone, *LINES)
    assert (found.usage, found.usage_lines, found.cut) == (Decimal("3.015"), Decimal("3.01"), Decimal("0.005"))
    assert (found.purchases, found.tax, found.total) == (Decimal(6), Decimal("1.71"), Decimal("10.72"))
    assert found.most_cut == Decimal("0.03")


@pytest.mark.parametrize(
    ("lines", "charged", "agrees"),
    [
        (LINES, "10.72", True),
        (LINES, "10.73", False),
        (LINES[1:], "8.33", False),
        ((*LINES, line("used", "0.01", "0")), "10.73", False),
    ],
)
def test_usage_lines_and_invoice_must_agree(
    run: Run,  # noqa: F811
    zone: LandingZone,  # noqa: F811
    lines: tuple[str, ...],
    charged: str,
    agrees: bool,
) -> None:
    """Another total, a line of usage too few or one too many: each is seen, and said."""
    found = month(run, zone, *lines)
    console: Any = Console(record=True, width=200)
    report.show_month(found, "G016907411", Decimal(charged), "EUR", console)
    assert found.agrees(Decimal(charged)) is agrees
    shown = console.export_text()
    assert ("All agree" in shown, "They do not agree" in shown) == (agrees, not agrees)
