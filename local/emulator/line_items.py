"""What does one line of billed usage say?

Source: https://learn.microsoft.com/partner-center/billing/daily-rated-usage-recon-files
"""

import calendar
import json
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Self

from local.emulator.meters import METERS, Meter
from local.emulator.world import Customer, Subscription

BILLING_CURRENCY = "EUR"

LineItem = dict[str, str | float]

_REGIONS = {"westeurope": "EU West", "northeurope": "EU North", "germanywestcentral": "DE West Central"}


@dataclass(frozen=True)
class Bill:
    """What all line items of one invoice share. `exchange_rate` is billing currency for one US dollar."""

    invoice_id: str
    partner_id: str
    customers: tuple[Customer, ...]
    month: date
    exchange_rate: float

    @classmethod
    def of(cls, invoice_id: str, partner_id: str, customers: tuple[Customer, ...]) -> Self:
        """The bill of an invoice. Its month and exchange rate hang on the invoice's id alone, whatever the seed."""
        draw = Random(f"bill {invoice_id}")
        month = date(draw.randint(2023, 2025), draw.randint(1, 12), 1)
        return cls(invoice_id, partner_id, customers, month, round(draw.uniform(0.86, 0.97), 4))


def line_item(bill: Bill, draw: Random) -> LineItem:
    """A day's use of one meter by one resource, with all documented attributes."""
    customer = draw.choice(bill.customers)
    subscription = draw.choice(customer.subscriptions)
    meter = draw.choice(METERS)
    return {
        **_parties(bill, customer),
        **_subscription(subscription),
        **_resource(subscription, meter, draw),
        **_meter(meter),
        **_charge(bill, meter, draw),
    }


def _parties(bill: Bill, customer: Customer) -> LineItem:
    return {
        "PartnerId": bill.partner_id,
        "PartnerName": "Margie's Cloud Services",
        "MpnId": "4390934",
        "Tier2MpnId": "0",
        "CustomerId": customer.id,
        "CustomerName": customer.name,
        "CustomerDomainName": customer.domain,
        "CustomerCountry": customer.country,
        "InvoiceNumber": bill.invoice_id,
    }


def _subscription(subscription: Subscription) -> LineItem:
    return {
        "SubscriptionId": subscription.plan_id,
        "SubscriptionDescription": "Azure plan",
        "EntitlementId": subscription.entitlement_id,
        "EntitlementDescription": subscription.description,
    }


def _resource(subscription: Subscription, meter: Meter, draw: Random) -> LineItem:
    group = draw.choice(subscription.resource_groups)
    name = f"{meter.category.replace(' ', '-').lower()}-{draw.randint(1, 40):02}"
    location = draw.choice(tuple(_REGIONS))
    tags = {"environment": subscription.description, "cost-center": f"CC-{draw.randint(100, 120)}"}
    return {
        "ResourceGroup": group,
        "ResourceLocation": location,
        "ResourceURI": f"{subscription.uri}/resourceGroups/{group}/providers/{meter.resource_type}/{name}",
        "MeterRegion": _REGIONS[location],
        "Tags": json.dumps(tags) if draw.random() < 0.7 else "",
        "AdditionalInfo": json.dumps({"ServiceType": meter.name}) if meter.category == "Virtual Machines" else "",
        "ServiceInfo1": "",
        "ServiceInfo2": "",
    }


def _meter(meter: Meter) -> LineItem:
    return {
        "MeterId": meter.id,
        "MeterCategory": meter.category,
        "MeterSubCategory": meter.sub_category,
        "MeterName": meter.name,
        "MeterType": f"{meter.unit} {meter.category}",
        "ConsumedService": meter.service,
        "ProductId": meter.product_id,
        "ProductName": meter.category,
        "SkuId": "0001",
        "SkuName": meter.name,
        "AvailabilityId": meter.product_id[::-1],
        "PublisherId": "",
        "PublisherName": "Microsoft",
        "Unit": meter.unit,
        "UnitType": meter.unit,
    }


def _charge(bill: Bill, meter: Meter, draw: Random) -> LineItem:
    last_day = calendar.monthrange(bill.month.year, bill.month.month)[1]
    quantity = round(draw.uniform(0.01, 1) * meter.busiest_day, 6)
    earned_credit = draw.choice((0, 15, 15, 15))
    unit_price = round(meter.price * (100 - earned_credit) / 100, 6)
    price = quantity * unit_price
    return {
        "ChargeType": "New",
        "ChargeStartDate": _midnight(bill.month),
        "ChargeEndDate": _midnight(bill.month.replace(day=last_day)),
        "UsageDate": _midnight(bill.month.replace(day=draw.randint(1, last_day))),
        "Quantity": quantity,
        "UnitPrice": meter.price,
        "EffectiveUnitPrice": unit_price,
        "PartnerEarnedCreditPercentage": earned_credit,
        "CreditPercentage": 0,
        "CreditType": "Credit Not Applied",
        "PricingCurrency": "USD",
        "PricingPreTaxTotal": round(price, 6),
        "PCToBCExchangeRate": bill.exchange_rate,
        "PCToBCExchangeRateDate": _midnight(bill.month),
        "BillingCurrency": BILLING_CURRENCY,
        "BillingPreTaxTotal": round(price * bill.exchange_rate, 2),
        "BenefitId": "",
        "BenefitOrderId": "",
        "BenefitType": "Charge",
    }


def _midnight(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"
