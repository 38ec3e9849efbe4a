"""The data: documented, plausible, and the same for the same seed."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import re
import time
import tracemalloc
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_UP, Decimal, localcontext
from typing import TYPE_CHECKING, Any

import pytest

from local.emulator.data.books import Books
from local.emulator.data.contents import CONTENTS
from local.emulator.data.generator import Generator
from local.emulator.data.invoices import Invoices
from local.emulator.options import EmulatorOptions

if TYPE_CHECKING:
    from local.emulator.data.bill import Bill
    from tests.local.emulator.conftest import Call, Caller

BASIC = """
    AdditionalInfo BenefitOrderId BenefitType BillingCurrency BillingPreTaxTotal ChargeEndDate ChargeStartDate
    ChargeType CreditPercentage CreditType CustomerId CustomerName EffectiveUnitPrice EntitlementId InvoiceNumber
    PartnerId PartnerName PCToBCExchangeRate PricingCurrency PricingPreTaxTotal ProductId PublisherName Quantity
    ResourceURI SkuId SkuName SubscriptionId UnitPrice UnitType UsageDate
"""
FULL = f"""
    {BASIC} AvailabilityId BenefitId ConsumedService CustomerCountry CustomerDomainName EntitlementDescription
    MeterCategory MeterId MeterName MeterRegion MeterSubCategory MeterType MpnId PartnerEarnedCreditPercentage
    PCToBCExchangeRateDate ProductName PublisherId ResourceGroup ResourceLocation ServiceInfo1 ServiceInfo2
    SubscriptionDescription Tags Tier2MpnId Unit
"""
NUMBERS = """
    BillingPreTaxTotal CreditPercentage EffectiveUnitPrice PartnerEarnedCreditPercentage PCToBCExchangeRate
    PricingPreTaxTotal Quantity UnitPrice
"""
LINES = {
    "billedUsage": "ef06af6a466845d3",
    "billedReconciliation": "84b9f3226c46b815",
    "billedAggregatedUsage": "eadf51a0aa506539",
}
"""The beginning of the SHA-256 of a month's lines."""

DATES = "ChargeEndDate ChargeStartDate PCToBCExchangeRateDate UsageDate"
GZIP_MAGIC = b"\x1f\x8b\x08"


def rows(caller: Caller, **body: str) -> list[Any]:
    """All line items of an export of billed usage."""
    return caller.rows(caller.manifest(**body))


def a_ledger(rows: int = 2000) -> Books:
    """The books of a partner whose invoice has so many lines of usage."""
    now = datetime(2026, 10, 9, tzinfo=UTC)
    options = EmulatorOptions(blobs=1, rows=rows)
    return Books(options, Invoices(options.invoices, lambda: now), lambda: now)


def a_bill(rows: int) -> Bill:
    """What its invoice is for."""
    return a_ledger(rows).billed("G016907411", 0)


def identity(manifest: Any) -> Any:
    """What says which data a manifest speaks of."""
    return manifest["eTag"], manifest["rootDirectory"], manifest["blobs"]


def test_the_same_seed_gives_the_same_bytes(call: Call) -> None:
    """Two emulators with one seed agree on eTag, names and bytes; one with another seed differs in all."""
    one, same, other = call(seed=7), call(seed=7), call(seed=8)
    manifests = [caller.manifest() for caller in (one, same, other)]
    assert identity(manifests[0]) == identity(manifests[1])
    assert one.blobs(manifests[0]) == same.blobs(manifests[1])
    assert manifests[0]["eTag"] != manifests[2]["eTag"]
    assert not one.blobs(manifests[0]).keys() & other.blobs(manifests[2]).keys()
    assert manifests[0]["partnerTenantId"] != manifests[2]["partnerTenantId"]


@pytest.mark.parametrize("dataset", LINES)
def test_the_lines_are_the_same_on_every_python(dataset: str) -> None:
    """Nor does it matter what else has happened in the process: to its random numbers, its decimals, its hashes."""
    random.seed(1)
    with localcontext(prec=6, rounding=ROUND_UP):
        export = Generator(3).export(dataset, [a_bill(rows=2000)], "full")
    lines = b"".join(gzip.decompress(blob.part(0, blob.size)) for blob in export.blobs.values())
    assert hashlib.sha256(lines).hexdigest()[:16] == LINES[dataset]


def test_a_month_is_made_in_less_than_a_second() -> None:
    """All its datasets, and the invoice's total, in the size that the emulator has by itself."""
    ledger, began = a_ledger(), time.process_time()
    for dataset in LINES:
        Generator(8).export(dataset, [ledger.billed("G016907411", 0)], "full")
    ledger.total("G016907411", 0)
    assert time.process_time() - began < 1


@pytest.mark.parametrize("dataset", LINES)
def test_lines_are_made_one_after_the_other(dataset: str) -> None:
    """Memory does not grow with them: 20,000 lines of usage, 37 MB, pass through less than 8 MB."""
    bill = a_bill(rows=20_000)
    tracemalloc.start()
    try:
        count = sum(1 for _ in CONTENTS[dataset].lines(bill, None))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == CONTENTS[dataset].count(bill) > 100
    assert peak < 8 << 20


def test_a_restatement_changes_everything_and_can_be_taken_back(call: Call) -> None:
    """Another revision has another eTag, names and bytes; revision 0 is the original again, in a newer manifest."""
    caller = call()
    original, url = caller.manifest(), caller.start()
    contents = caller.blobs(original)
    caller.emulator.restate("G016907411", 1)
    restated = caller.finished(url)["resourceLocation"]
    caller.emulator.restate("G016907411", 0)
    again = caller.finished(url)["resourceLocation"]

    assert restated["eTag"] != original["eTag"]
    assert not caller.blobs(restated).keys() & contents.keys()
    assert not set(caller.blobs(restated).values()) & set(contents.values())
    assert identity(again) == identity(original)
    assert caller.blobs(again) == contents
    assert original["createdDateTime"] < restated["createdDateTime"] < again["createdDateTime"]


def test_a_manifest_read_before_a_restatement_keeps_its_blobs(call: Call) -> None:
    """Whoever is reading when the data changes can go on reading what the manifest named."""
    caller = call()
    manifest = caller.manifest()
    contents = caller.blobs(manifest)
    caller.emulator.restate("G016907411", 1)
    caller.manifest()
    assert caller.blobs(manifest) == contents


def test_own_data_is_answered_as_it_is(call: Call) -> None:
    """With `use_data` an export has exactly these blobs and this eTag, also for an invoice that was unknown."""
    caller = call(invoices=())
    contents = {"b/part 1.json.gz": b"not even gzip", "a.json.gz": b""}
    caller.emulator.use_data("G000000001", contents, e_tag="mine")
    manifest = caller.manifest("G000000001")
    assert manifest["eTag"] == "mine"
    assert caller.blobs(manifest) == contents
    assert manifest["blobs"][0] == {"name": "b/part 1.json.gz", "partitionValue": "default", "sizeInBytes": 13}


def test_an_export_may_be_empty(call: Call) -> None:
    """Without blobs the export succeeds all the same."""
    manifest = call(blobs=0).manifest()
    assert (manifest["blobCount"], manifest["blobs"]) == (0, [])


@pytest.mark.parametrize(("attribute_set", "names"), [("full", FULL), ("basic", BASIC)])
def test_line_items_have_the_documented_attributes(call: Call, attribute_set: str, names: str) -> None:
    """Each line item has all attributes of its set and no other."""
    assert all(row.keys() == set(names.split()) for row in rows(call(), attributeSet=attribute_set))


def test_amounts_are_numbers_and_all_else_is_text(call: Call) -> None:
    """As Microsoft's own sample reads them. Days are midnights in UTC, and what is not there is empty, not null."""
    for row in rows(call(rows=200)):
        assert {name for name, value in row.items() if isinstance(value, Decimal)} == set(NUMBERS.split())
        assert all(isinstance(value, str | Decimal) for value in row.values())
        assert all(row[name].endswith("T00:00:00Z") for name in DATES.split())


@pytest.mark.parametrize("currency", ["EUR", "USD"])
@pytest.mark.parametrize("dataset", CONTENTS)
def test_numbers_are_written_with_few_digits(dataset: str, currency: str) -> None:
    """They have at most 15 digits after the point, no exponent, no zeros at the end, and no trace of a float."""
    written: list[str] = []
    for line in CONTENTS[dataset].lines(replace(a_bill(rows=2000), currency=currency), None):
        json.loads(line, parse_float=written.append, parse_int=written.append)
    assert len(written) > 400
    number = re.compile(r"(?!-0$)-?(0|[1-9][0-9]*)(\.[0-9]{0,14}[1-9])?")
    assert [text for text in written if not number.fullmatch(text)] == []


def test_basic_has_the_rows_of_full(call: Call) -> None:
    """The two attribute sets differ in columns, not in rows."""
    caller = call()
    basic = rows(caller, attributeSet="basic")
    assert basic == [{name: row[name] for name in BASIC.split()} for row in rows(caller)]


def test_totals_follow_from_price_and_quantity(call: Call) -> None:
    """The price is what the earned credit leaves, nothing under a savings plan; totals keep all digits."""
    items = rows(call(rows=200))
    for row in items:
        left = 0 if row["BenefitOrderId"] else 1 - row["PartnerEarnedCreditPercentage"] / 100
        assert row["EffectiveUnitPrice"] == row["UnitPrice"] * left
        assert row["PricingPreTaxTotal"] == row["Quantity"] * row["EffectiveUnitPrice"]
        assert row["BillingPreTaxTotal"] == row["PricingPreTaxTotal"] * row["PCToBCExchangeRate"]
    assert {bool(row["BenefitOrderId"]) for row in items} == {True, False}
    assert {row["PartnerEarnedCreditPercentage"] for row in items} == {0, 15}


def test_a_bill_is_about_one_partner_one_month_and_its_customers(call: Call) -> None:
    """All rows speak of the manifest's partner and of the invoice's month, but for the few that come a month late."""
    caller = call(customers=5, rows=700)
    items = rows(caller)
    assert {row["PartnerId"] for row in items} == {caller.manifest()["partnerTenantId"]}
    assert len({row["CustomerId"] for row in items}) == 5
    assert {row["ChargeStartDate"][:7] for row in items} == {"2026-09"}
    months = Counter(row["UsageDate"][:7] for row in items)
    assert months.keys() == {"2026-08", "2026-09"}
    assert months["2026-08"] < 10


def test_a_month_has_the_variety_of_real_ones(call: Call) -> None:
    """Many services and regions, tags in every form, resellers, names of all kinds, and a customer without an id."""
    items = rows(call(customers=12, rows=1000))
    assert len({row["MeterCategory"] for row in items}) >= 40
    assert len({row["ResourceLocation"] for row in items}) >= 25
    assert {row["Tags"][:1] for row in items} == {"{", '"', ""}
    tags = {row["Tags"] for row in items if row["Tags"]}
    assert all(json.loads(text if text[0] == "{" else f"{{{text}}}") for text in tags)
    assert len({row["Tier2MpnId"] for row in items}) > 2
    names = " ".join({row["CustomerName"] for row in items})
    assert all(text in names for text in ("ü", ",", '"', "日本", "\\"))
    assert len({row["CustomerName"] for row in items if row["CustomerId"] == ""}) == 1


def test_customers_are_of_very_different_size(call: Call) -> None:
    """One customer has a tenth of all lines, and many have ten."""
    sizes = Counter(row["CustomerName"] for row in rows(call(customers=100, rows=5000))).most_common()
    assert 0.07 < sizes[0][1] / 10_000 < 0.14
    assert sum(1 for _, size in sizes if size <= 10) > 40


def test_customers_come_and_go(call: Call) -> None:
    """Within two years some leave and others come, while most stay for months."""
    caller = call(customers=10, rows=100)
    names = []
    for month in ("2024-10", "2024-11", "2026-09"):
        caller.emulator.add_invoice(f"G{month[2:4]}{month[5:]}", month=month)
        names.append({row["CustomerName"] for row in rows(caller, invoice_id=f"G{month[2:4]}{month[5:]}")})
    assert len(names[0] & names[1]) > len(names[0] & names[2]) > 0
    assert names[2] - names[0]


def test_a_customer_is_in_several_blobs(call: Call) -> None:
    """Blobs are cut between any two lines, so that a customer's lines have to be gathered from all of them."""
    caller = call(rows=100)
    blobs = caller.blobs(caller.manifest()).values()
    customers = [{json.loads(line)["CustomerId"] for line in gzip.decompress(blob).splitlines()} for blob in blobs]
    assert customers[0] & customers[1]


def test_the_last_blob_has_two_gzip_members(call: Call) -> None:
    """A reader that stops after the first member of a gzip file would miss rows of the last blob."""
    caller = call()
    manifest = caller.manifest()
    first, last = caller.blobs(manifest).values()
    assert [blob.count(GZIP_MAGIC) for blob in (first, last)] == [1, 2]
    lengths = [len(gzip.decompress(blob).splitlines()) for blob in (first, last)]
    assert lengths == [blob["itemCount"] for blob in manifest["blobs"]] == [10, 10]
