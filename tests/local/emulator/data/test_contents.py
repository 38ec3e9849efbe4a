"""What invoice lines and aggregated usage say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.local.emulator.conftest import Call, Caller

INVOICE = {"invoiceId": "G016907411"}
SUMS = ("Quantity", "PricingPreTaxTotal", "BillingPreTaxTotal")


def rows(caller: Caller, dataset: str) -> list[Any]:
    """All rows of a billed dataset."""
    return caller.rows(caller.ended(dataset, INVOICE, "beta")["resourceLocation"])


def by_meter(items: list[Any], name: str) -> dict[tuple[str, str], float]:
    """The sum of an attribute by customer and meter."""
    sums: dict[tuple[str, str], float] = {}
    for item in items:
        key = item["CustomerId"], item["MeterId"]
        sums[key] = sums.get(key, 0) + item[name]
    return sums


def test_invoice_lines_are_charges_of_the_invoice(call: Call) -> None:
    """Each line is on the invoice, in its currency and its month, and says what is sold for how long."""
    items = rows(call(), "billedReconciliation")
    assert {(item["InvoiceNumber"], item["Currency"]) for item in items} == {("G016907411", "EUR")}
    assert len({item["ChargeStartDate"][:7] for item in items}) == 1
    assert all(item["ChargeStartDate"] <= item["ChargeEndDate"] for item in items)
    assert all(item["OrderId"] and item["SubscriptionId"] and item["TermAndBillingCycle"] for item in items)
    assert not any("MeterId" in item for item in items)


def test_invoice_lines_add_up(call: Call) -> None:
    """The subtotal is quantity times price, and the total is the subtotal and its tax."""
    for item in rows(call(rows=100), "billedReconciliation"):
        assert item["Subtotal"] == round(item["Quantity"] * item["EffectiveUnitPrice"], 2)
        assert item["Total"] == round(item["Subtotal"] + item["TaxTotal"], 2)


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
        assert by_meter(aggregate, name) == pytest.approx(by_meter(usage, name), abs=0.001)


def test_datasets_of_one_invoice_differ_in_all(call: Call) -> None:
    """They have no eTag, folder or blob name in common, though they are about one invoice."""
    caller = call()
    datasets = ("billedUsage", "billedReconciliation", "billedAggregatedUsage")
    manifests = [caller.ended(dataset, INVOICE, "beta")["resourceLocation"] for dataset in datasets]
    for identity in ("eTag", "rootDirectory"):
        assert len({manifest[identity] for manifest in manifests}) == 3
    assert len({blob["name"] for manifest in manifests for blob in manifest["blobs"]}) == 6
