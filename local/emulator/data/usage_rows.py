"""What does one line of daily-rated usage say?

Source: https://learn.microsoft.com/partner-center/billing/daily-rated-usage-recon-files
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice

from local.emulator.clock import midnight
from local.emulator.data.bill import PRICING_CURRENCY, Bill
from local.emulator.data.customers import partner_tenant_id
from local.emulator.data.line import LineItem
from local.emulator.data.regions import REGIONS
from local.emulator.data.usage import Use, uses

MPN_ID = "4390934"
USED_TOGETHER = 512
"""Resources whose days are mixed, as in Microsoft's files. Of so many the text is kept in memory at once."""

_FIRST_DAY = 1
_SHIFT = Decimal("0.0100")


def usage_count(bill: Bill) -> int:
    """How many lines of daily usage the bill has."""
    return sum(len(_days(bill, use)) for use in uses(bill))


def together(bill: Bill) -> Iterator[list[Use]]:
    """The bill's uses, some at a time."""
    left = uses(bill)
    while some := list(islice(left, USED_TOGETHER)):
        yield some


def days_used(bill: Bill, some: list[Use]) -> Iterator[tuple[Use, int]]:
    """Every day of some uses that the bill has a line for, by day."""
    days = [(day, use) for use in some for day in _days(bill, use)]
    return ((use, day) for day, use in sorted(days, key=lambda one: one[0]))


def _days(bill: Bill, use: Use) -> range:
    first = use.first_day
    if "dropped-day" in bill.differences:
        first = max(first, _FIRST_DAY + 1)
    return range(first, use.first_day + use.days_until(bill.until.day))


def shared_attributes(bill: Bill, use: Use) -> LineItem:
    """What all days of a use have in common."""
    customer, subscription, meter = use.customer, use.subscription, use.meter
    group_uri = f"{subscription.uri}/resourceGroups/{use.resource_group}"
    return {
        "PartnerName": "Margie's Cloud Services",
        "MpnId": MPN_ID,
        "PartnerId": partner_tenant_id(bill.seed),
        "Tier2MpnId": customer.reseller,
        "CustomerId": customer.id,
        "CustomerName": customer.name,
        "CustomerDomainName": customer.domain,
        "CustomerCountry": customer.country,
        "InvoiceNumber": bill.invoice_id,
        "SubscriptionId": subscription.plan_id,
        "SubscriptionDescription": "Azure plan",
        "EntitlementId": subscription.entitlement_id,
        "EntitlementDescription": subscription.description,
        "ResourceGroup": use.resource_group,
        "ResourceLocation": use.location,
        "ResourceURI": f"{group_uri}/providers/{meter.resource_type}/{use.resource}",
        "ConsumedService": meter.service,
        "Tags": use.tags,
        "AdditionalInfo": json.dumps({"ServiceType": meter.name}) if meter.is_compute else "",
        "ServiceInfo1": "",
        "ServiceInfo2": "",
        "MeterId": meter.id,
        "MeterCategory": meter.category,
        "MeterSubCategory": meter.sub_category,
        "MeterName": meter.name,
        "MeterType": f"{meter.unit} {meter.category}",
        "MeterRegion": REGIONS[use.location],
        "ProductId": meter.product_id,
        "ProductName": meter.category,
        "SkuId": meter.sku_id,
        "SkuName": meter.name,
        "AvailabilityId": meter.availability_id,
        "PublisherId": "",
        "PublisherName": "Microsoft",
        "Unit": meter.unit,
        "UnitType": meter.unit,
        "ChargeType": "new",
        "ChargeStartDate": midnight(bill.month),
        "ChargeEndDate": midnight(bill.last_day),
        "UnitPrice": use.unit_price,
        "EffectiveUnitPrice": use.price,
        "PartnerEarnedCreditPercentage": Decimal(use.earned_credit),
        "CreditPercentage": Decimal(0),
        "CreditType": "Partner Earned Credit Applied" if use.earned_credit else "Credit Not Applied",
        "PricingCurrency": PRICING_CURRENCY,
        "PCToBCExchangeRate": rate(bill, use),
        "PCToBCExchangeRateDate": midnight(bill.month),
        "BillingCurrency": bill.currency,
        "BenefitId": f"savings-plan-{use.customer.savings_plan}" if use.is_covered else "",
        "BenefitOrderId": use.customer.savings_plan if use.is_covered else "",
        "BenefitType": "SavingsPlan" if use.is_covered else "Charge",
    }


def amounts(bill: Bill, use: Use, quantity: Decimal) -> dict[str, Decimal]:
    """What so much of a use costs: unrounded, first in the pricing currency, then in the billing currency."""
    price = use.price * quantity
    return {
        "Quantity": quantity,
        "PricingPreTaxTotal": price,
        "BillingPreTaxTotal": price * rate(bill, use),
    }


def day_attributes(bill: Bill, use: Use, day: int) -> LineItem:
    """What one day of a use has of its own."""
    return {"UsageDate": midnight(use.date_of(day, bill.month)), **amounts(bill, use, use.quantity_on(day))}


def rate(bill: Bill, use: Use) -> Decimal:
    """The exchange rate that daily usage is billed at."""
    is_shifted = "shifted-rate" in bill.differences and use.index % 2 == 1
    return bill.exchange_rate + _SHIFT if is_shifted else bill.exchange_rate
