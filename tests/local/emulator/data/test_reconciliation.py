"""What invoice lines and aggregated usage say."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.local.emulator.conftest import Call, Caller

INVOICE = {"invoiceId": "G016907411"}
NAMES = """
    PartnerId CustomerId CustomerName CustomerDomainName CustomerCountry InvoiceNumber MpnId ResellerMpnId OrderId
    OrderDate ProductId SkuId AvailabilityId SkuName ProductName ChargeType UnitPrice Quantity Subtotal TaxTotal Total
    Currency PriceAdjustmentDescription PublisherName PublisherId SubscriptionDescription SubscriptionId
    ChargeStartDate ChargeEndDate TermAndBillingCycle EffectiveUnitPrice UnitType AlternateId BillableQuantity
    BillingFrequency PricingCurrency PCToBCExchangeRate PCToBCExchangeRateDate MeterDescription ReservationOrderId
    CreditReasonCode SubscriptionStartDate SubscriptionEndDate ReferenceId ProductQualifiers PromotionId
"""
NUMBERS = """
    BillableQuantity EffectiveUnitPrice PCToBCExchangeRate Quantity Subtotal TaxTotal Total UnitPrice
"""
SUMS = ("Quantity", "PricingPreTaxTotal", "BillingPreTaxTotal")


def rows(caller: Caller, dataset: str) -> list[Any]:
    """All rows of a billed dataset."""
    return caller.rows(caller.ended(dataset, INVOICE, "beta")["resourceLocation"])


def by_meter(items: list[Any], name: str) -> dict[tuple[str, str], Decimal]:
    """The sum of an attribute by customer and meter."""
    sums: dict[tuple[str, str], Decimal] = {}
    for item in items:
        key = item["CustomerId"], item["MeterId"]
        sums[key] = sums.get(key, Decimal(0)) + item[name]
    return sums


def test_invoice_lines_are_charges_of_the_invoice(call: Call) -> None:
    """Each line is on the invoice, in its currency and its month, and says what is sold for how long."""
    items = rows(call(), "billedReconciliation")
    assert {(item["InvoiceNumber"], item["Currency"]) for item in items} == {("G016907411", "EUR")}
    assert {item["PCToBCExchangeRateDate"] for item in items} == {"2026-09-01T00:00:00Z"}
    assert all(item["ChargeStartDate"] <= item["ChargeEndDate"] for item in items)
    assert all(item["OrderId"] and item["SubscriptionId"] and item["TermAndBillingCycle"] for item in items)
    assert not any("MeterId" in item for item in items)


def test_invoice_lines_have_microsofts_attributes(call: Call) -> None:
    """Each line has the attributes of Microsoft's reconciliation file, and the basic ones are among them."""
    caller = call()
    full = rows(caller, "billedReconciliation")
    assert all(item.keys() == set(NAMES.split()) for item in full)
    basic = caller.rows(caller.ended("billedReconciliation", INVOICE | {"attributeSet": "basic"})["resourceLocation"])
    assert [{name: item[name] for name in basic[0]} for item in full] == basic
    assert basic[0].keys() < full[0].keys()


def test_amounts_are_numbers_and_all_else_is_text(call: Call) -> None:
    """Sums are in whole cents, and dates are midnights in UTC, or empty."""
    for item in rows(call(customers=30), "billedReconciliation"):
        assert {name for name, value in item.items() if isinstance(value, Decimal)} == set(NUMBERS.split())
        assert all(isinstance(value, str | Decimal) for value in item.values())
        assert all(item[name] == round(item[name], 2) for name in ("Subtotal", "TaxTotal", "Total"))
        dates = {value for name, value in item.items() if name.endswith("Date")}
        assert all(date.endswith("T00:00:00Z") for date in dates - {""})


def test_an_order_stays_the_same(call: Call) -> None:
    """A subscription names the same order in every month, and no order is of a day after what it is charged for."""
    caller = call(customers=30)
    orders: dict[str, set[tuple[str, str]]] = {}
    for month in ("2026-07", "2026-08"):
        caller.emulator.add_invoice(f"G{month[-2:]}", month=month)
        lines = caller.ended("billedReconciliation", {"invoiceId": f"G{month[-2:]}"})["resourceLocation"]
        for line in caller.rows(lines):
            orders.setdefault(line["SubscriptionId"], set()).add((line["OrderId"], line["OrderDate"]))
            assert line["OrderDate"] <= line["ChargeStartDate"]
    assert len(orders) > 60
    assert all(len(order) == 1 for order in orders.values())


def test_an_invoice_has_what_usage_never_holds(call: Call) -> None:
    """Licences, a reservation, a savings plan, software, the marketplace, promotions, credits and tax."""
    items = rows(call(customers=30), "billedReconciliation")
    names = {item["ProductName"] for item in items}
    assert names > {"Reserved VM Instance", "Azure savings plan for compute", "Windows Server", "Exchange Online"}
    assert {item["ChargeType"] for item in items} == {
        "new",
        "cycleFee",
        "addQuantity",
        "removeQuantity",
        "customerCredit",
    }
    assert {item["PublisherName"] for item in items} == {"Microsoft", "Microsoft Corporation", "Tailspin Toys Software"}
    promoted = [item for item in items if item["PromotionId"] and item["ChargeType"] == "cycleFee"]
    assert promoted
    assert all(item["EffectiveUnitPrice"] == item["UnitPrice"] * 85 / 100 for item in promoted)
    assert all(item["Total"] < 0 for item in items if item["CreditReasonCode"])


def test_tax_is_on_each_line(call: Call) -> None:
    """It is 19 % in euros, on credits as well, to the nearest cent."""
    for item in rows(call(customers=30), "billedReconciliation"):
        assert item["TaxTotal"] == (item["Subtotal"] * 19 / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)


def test_aggregated_usage_has_a_row_for_each_customer_and_meter(call: Call) -> None:
    """No customer and meter has two rows, in whichever blob, and none speaks of a day or a resource."""
    items = rows(call(rows=200), "billedAggregatedUsage")
    assert len({(item["CustomerId"], item["MeterId"]) for item in items}) == len(items)
    assert not any(item.keys() & {"UsageDate", "ResourceURI"} for item in items)


def test_aggregated_usage_is_the_sum_of_billed_usage(call: Call) -> None:
    """Quantities and totals of an invoice's usage come to those of its aggregate, row by row."""
    caller = call(rows=200)
    usage, aggregate = (rows(caller, dataset) for dataset in ("billedUsage", "billedAggregatedUsage"))
    for name in SUMS:
        assert by_meter(aggregate, name) == by_meter(usage, name)


def test_datasets_of_one_invoice_differ_in_all(call: Call) -> None:
    """They have no eTag, folder or blob name in common, though they are about one invoice."""
    caller = call()
    datasets = ("billedUsage", "billedReconciliation", "billedAggregatedUsage")
    manifests = [caller.ended(dataset, INVOICE, "beta")["resourceLocation"] for dataset in datasets]
    for identity in ("eTag", "rootDirectory"):
        assert len({manifest[identity] for manifest in manifests}) == 3
    assert len({blob["name"] for manifest in manifests for blob in manifest["blobs"]}) == 6
