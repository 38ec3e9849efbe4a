"""What landed, read back as a reader would, from either kind of landing zone."""

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from rich.console import Console

from failures import Incomplete
from landing.zones.local_folder import LocalFolder
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


def shown(contents: report.Contents) -> str:
    """What a person is shown of it."""
    console: Any = Console(record=True, width=200)
    report.show(contents, console)
    return str(console.export_text())


def landed(run: Run, folder: LocalFolder, *lines: str) -> report.Contents:  # noqa: F811
    """What is read back of these lines."""
    return land(run, folder, f"{NEW}/*.gz", {f"{NEW}/part.gz": gzip.compress("\n".join(lines).encode())})


@pytest.mark.parametrize(
    ("line", "customer", "cost", "currency"),
    [
        ('{"CustomerName": "Contoso", "BillingCurrency": "EUR", "BillingPreTaxTotal": 1.5}', "Contoso", "1.5", "EUR"),
        ('{"CustomerName": "Contoso", "Currency": "EUR", "Subtotal": 1.5, "Total": 2}', "Contoso", "1.5", "EUR"),
        ('{"CustomerName": "Contoso", "Currency": "EUR", "Subtotal": null}', "Contoso", "0", "EUR"),
        ('{"CustomerName": "Contoso", "Currency": "EUR", "Subtotal": ""}', "Contoso", "0", "EUR"),
        ('{"CustomerName": "Contoso", "Currency": "EUR", "Subtotal": "1.50"}', "Contoso", "1.5", "EUR"),
        ('{"CustomerName": "Contoso", "Currency": null, "Subtotal": 1}', "Contoso", "1", ""),
        ('{"CustomerName": "Contoso", "BillingPreTaxTotal": 7}', "Contoso", "7", ""),
        ('{"CustomerName": null, "CustomerId": "a1", "Currency": "EUR", "Subtotal": 1}', "a1", "1", "EUR"),
        ('{"CustomerId": "a1", "Quantity": 3}', "a1", "0", ""),
        ("{}", "", "0", ""),
    ],
)
def test_each_line_is_summed_up_by_what_it_has(
    run: Run,  # noqa: F811
    folder: LocalFolder,  # noqa: F811
    line: str,
    customer: str,
    cost: str,
    currency: str,
) -> None:
    """Usage and an invoice's lines name their cost differently; what is null, empty or missing costs nothing."""
    contents = landed(run, folder, line)
    assert contents.rows == 1
    assert contents.costs == {(customer, currency): Decimal(cost)}
    assert "Landed: 1 blobs, 1 rows" in shown(contents)


def test_sums_never_mix_currencies(run: Run, folder: LocalFolder) -> None:  # noqa: F811
    """Each currency has its own most expensive customers, and its own sum of the others."""
    lines = [
        f'{{"CustomerName": "{currency} {number}", "Currency": "{currency}", "Subtotal": {number * worth}}}'
        for currency, worth in (("USD", 1), ("JPY", 100))
        for number in range(1, 13)
    ]
    text = shown(landed(run, folder, *lines))
    assert text.index("JPY 12") < text.index("JPY 3 ") < text.index("USD 12") < text.index("USD 3 ")
    others = [line.split("│")[2].strip() for line in text.splitlines() if "… and 2 more" in line]
    assert others == ["300.00 JPY", "3.00 USD"]


def test_names_are_shown_as_they_are(run: Run, folder: LocalFolder) -> None:  # noqa: F811
    """A customer's name may look like what the console takes for colours."""
    text = shown(landed(run, folder, '{"CustomerName": "[red]Contoso[/blue]", "Currency": "[b]", "Subtotal": 1}'))
    assert "[red]Contoso[/blue]" in text
    assert "1.00 [b]" in text


@pytest.mark.parametrize(
    "content",
    [
        b"plain text",
        gzip.compress(b"no JSON"),
        gzip.compress(b'{"CustomerName": "Contoso"}')[:-9],
        gzip.compress(b"\xff"),
        gzip.compress(b"[1]"),
        gzip.compress(b'{"Subtotal": "much"}'),
    ],
    ids=["not packed", "no JSON", "cut off", "no UTF-8", "no object", "no amount"],
)
def test_what_cannot_be_summed_up_says_so(run: Run, folder: LocalFolder, content: bytes) -> None:  # noqa: F811
    """Microsoft may change what the blobs hold; what has landed stays good."""
    with pytest.raises(report.CannotSumUp, match=r"part\.gz"):
        land(run, folder, f"{NEW}/*.gz", {f"{NEW}/part.gz": content})


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


@pytest.mark.parametrize(("charged", "verb"), [("10.72", "is"), ("30.72", "is not")])
def test_a_table_is_that_of_its_invoice(tmp_path: Path, charged: str, verb: str) -> None:
    """Others lie beside it."""
    for invoice_id, billed in (("G016907411", "10.72"), ("G016907412", "20.00"), ("G0169074110", "1.00")):
        place = tmp_path / "focus" / "partner_tenant=p" / f"billing_month=2026-1{invoice_id[-1]}"
        place.mkdir(parents=True, exist_ok=True)
        duckdb.sql(f"COPY (SELECT {billed} AS BilledCost) TO '{place / invoice_id}.parquet'")
    console: Any = Console(record=True, width=200)
    assert report.show_table(tmp_path, "G016907411", Decimal(charged), "EUR", console) is (verb == "is")
    assert f"FOCUS table: 10.72 EUR, which {verb} the invoice's total" in console.export_text()
