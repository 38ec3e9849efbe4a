"""What does an invoice consist of, line by line, and what does it come to?

A month's usage of a meter at one price is one line; beside it there is what was bought. The lines come to the invoice's
total.

Source: https://learn.microsoft.com/partner-center/developer/billed-invoice-reconciliation
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import repeat
from random import Random

from local.emulator.clock import midnight
from local.emulator.data.bill import PRICING_CURRENCY, Bill
from local.emulator.data.customers import Customer, guid, partner_tenant_id
from local.emulator.data.line import LineItem
from local.emulator.data.money import NOTHING, licence_subtotal, tax, usage_subtotal
from local.emulator.data.purchases import Purchase, purchases
from local.emulator.data.usage import Use, uses
from local.emulator.data.usage_rows import MPN_ID

_TOO_MUCH = Decimal("100.00")


@dataclass(frozen=True)
class UsageCharge:
    """All that a customer's Azure plan used of a meter at one price. `first` is one of those uses."""

    first: Use
    quantity: Decimal

    def subtotal(self, bill: Bill) -> Decimal:
        """What it costs before tax."""
        return usage_subtotal(self.first.price, self.quantity, bill.exchange_rate)


def reconciliation(bill: Bill) -> Iterator[LineItem]:
    """The lines of the invoice, with all attributes."""
    lines = _lines(bill)
    for line in lines:
        if line["Total"]:
            yield from repeat(line, _times(bill))
            break
        yield line
    yield from lines


def _times(bill: Bill) -> int:
    """How often the first line that costs something stands there."""
    if "hidden-line" in bill.differences:
        return 0
    return 2 if "doubled-line" in bill.differences else 1


def total_charges(bill: Bill) -> Decimal:
    """What the invoice comes to, as Partner Center has it."""
    subtotals = [
        *(charge.subtotal(bill) for charge in usage_charges(bill)),
        *(_subtotal(purchase) for purchase in purchases(bill)),
    ]
    total = sum((subtotal + tax(subtotal, bill.tax_percentage) for subtotal in subtotals), NOTHING)
    return total + _TOO_MUCH if "changed-total" in bill.differences else total


def usage_charges(bill: Bill) -> Iterator[UsageCharge]:
    """The bill's usage until its day, summed by Azure plan, meter and price."""
    first: dict[tuple[str, str, Decimal], Use] = {}
    quantities: dict[tuple[str, str, Decimal], Decimal] = {}
    for use in uses(bill):
        if use.days_until(bill.until.day):
            key = use.customer.plan_id, use.meter.id, use.price
            first.setdefault(key, use)
            quantities[key] = quantities.get(key, NOTHING) + use.quantity_until(bill.until.day)
    return (UsageCharge(use, quantities[key]) for key, use in first.items())


def _subtotal(purchase: Purchase) -> Decimal:
    # It is priced in the currency that it is billed in.
    return licence_subtotal(purchase.price, Decimal(purchase.quantity), Decimal(1))


def _lines(bill: Bill) -> Iterator[LineItem]:
    for charge in usage_charges(bill):
        yield _usage_line(bill, charge)
    for purchase in purchases(bill):
        yield _purchase_line(bill, purchase)


def _usage_line(bill: Bill, charge: UsageCharge) -> LineItem:
    use, meter = charge.first, charge.first.meter
    return {
        **_parties(bill, use.customer),
        **_order(use.customer.plan_id, use.customer.since),
        **_sums(bill, charge.subtotal(bill)),
        "ProductId": meter.product_id,
        "ProductName": meter.category,
        "SkuId": meter.sku_id,
        "SkuName": meter.name,
        "AvailabilityId": meter.availability_id,
        "PublisherId": "",
        "PublisherName": "Microsoft",
        "SubscriptionId": use.customer.plan_id,
        "SubscriptionDescription": "Azure plan",
        "ChargeType": "new",
        "ChargeStartDate": midnight(bill.month),
        "ChargeEndDate": midnight(bill.last_day),
        "TermAndBillingCycle": "1 Month",
        "BillingFrequency": "Monthly",
        "UnitType": meter.unit,
        "UnitPrice": use.unit_price,
        "EffectiveUnitPrice": use.price,
        "Quantity": charge.quantity,
        "BillableQuantity": charge.quantity,
        "PricingCurrency": PRICING_CURRENCY,
        "PCToBCExchangeRate": bill.exchange_rate,
        "PCToBCExchangeRateDate": midnight(bill.month),
        "MeterDescription": f"{meter.category} - {meter.name}",
        "PriceAdjustmentDescription": _adjustment(use),
        "ReservationOrderId": "",
        "CreditReasonCode": "",
        "SubscriptionStartDate": "",
        "SubscriptionEndDate": "",
        "PromotionId": "",
    }


def _adjustment(use: Use) -> str:
    if use.is_covered:
        return "Savings plan"
    return f"{use.earned_credit}% partner earned credit for services managed" if use.earned_credit else ""


def _purchase_line(bill: Bill, purchase: Purchase) -> LineItem:
    offer = purchase.offer
    return {
        **_parties(bill, purchase.customer),
        **_order(purchase.subscription_id, purchase.ordered),
        **_sums(bill, _subtotal(purchase)),
        "ProductId": offer.product_id,
        "ProductName": offer.product,
        "SkuId": "0001",
        "SkuName": offer.sku,
        "AvailabilityId": offer.availability_id,
        "PublisherId": offer.publisher_id,
        "PublisherName": offer.publisher,
        "SubscriptionId": purchase.subscription_id,
        "SubscriptionDescription": offer.sku,
        "ChargeType": purchase.charge_type,
        "ChargeStartDate": midnight(purchase.start),
        "ChargeEndDate": midnight(purchase.end),
        "TermAndBillingCycle": offer.term,
        "BillingFrequency": offer.frequency,
        "UnitType": "Licenses",
        "UnitPrice": purchase.list_price,
        "EffectiveUnitPrice": purchase.price,
        "Quantity": Decimal(purchase.quantity),
        "BillableQuantity": Decimal(purchase.quantity),
        "PricingCurrency": bill.currency,
        "PCToBCExchangeRate": Decimal(1),
        "PCToBCExchangeRateDate": midnight(bill.month),
        "MeterDescription": "",
        "PriceAdjustmentDescription": purchase.adjustment,
        "ReservationOrderId": purchase.order,
        "CreditReasonCode": purchase.credit_reason,
        "SubscriptionStartDate": midnight(purchase.start),
        "SubscriptionEndDate": midnight(purchase.end),
        "PromotionId": purchase.promotion,
    }


def _parties(bill: Bill, customer: Customer) -> LineItem:
    is_renamed = "renamed-customer" in bill.differences and customer == bill.customers.all[0]
    return {
        "PartnerId": partner_tenant_id(bill.seed),
        "CustomerId": customer.id,
        "CustomerName": f"{customer.name} (renamed)" if is_renamed else customer.name,
        "CustomerDomainName": customer.domain,
        "CustomerCountry": customer.country,
        "InvoiceNumber": bill.invoice_id,
        "MpnId": MPN_ID,
        "ResellerMpnId": customer.reseller,
    }


def _order(subscription_id: str, ordered: date) -> LineItem:
    """The order that a subscription came from: the same in every month."""
    draw = Random(f"order {subscription_id}")
    return {
        "OrderId": base64.b32encode(draw.randbytes(8)).decode().rstrip("="),
        "OrderDate": midnight(ordered),
        "ReferenceId": guid(draw),
        "AlternateId": "",
        "ProductQualifiers": "",
    }


def _sums(bill: Bill, subtotal: Decimal) -> LineItem:
    taxed = tax(subtotal, bill.tax_percentage)
    return {"Subtotal": subtotal, "TaxTotal": taxed, "Total": subtotal + taxed, "Currency": bill.currency}
