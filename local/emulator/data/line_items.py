"""What does one line of usage say?

Source: https://learn.microsoft.com/partner-center/billing/daily-rated-usage-recon-files
"""

import json
from random import Random

from local.emulator.clock import midnight
from local.emulator.data.bill import PRICING_CURRENCY, Bill, LineItem
from local.emulator.data.customers import Subscription
from local.emulator.data.meters import METERS, Meter

_REGIONS = {"westeurope": "EU West", "northeurope": "EU North", "germanywestcentral": "DE West Central"}


def line_item(bill: Bill, draw: Random) -> LineItem:
    """A day's use of one meter by one resource, with all documented attributes."""
    customer = draw.choice(bill.customers)
    subscription = draw.choice(customer.subscriptions)
    meter = draw.choice(METERS)
    return {
        **bill.parties(customer),
        **_subscription(subscription),
        **_resource(subscription, meter, draw),
        **_meter(meter),
        **_charge(bill, meter, draw),
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
    quantity = round(draw.uniform(0.01, 1) * meter.busiest_day, 6)
    earned_credit = draw.choice((0, 15, 15, 15))
    unit_price = round(meter.price * (100 - earned_credit) / 100, 6)
    price = quantity * unit_price
    return {
        "ChargeType": "New",
        "ChargeStartDate": midnight(bill.first_day),
        "ChargeEndDate": midnight(bill.last_day),
        "UsageDate": midnight(bill.some_day(draw)),
        "Quantity": quantity,
        "UnitPrice": meter.price,
        "EffectiveUnitPrice": unit_price,
        "PartnerEarnedCreditPercentage": earned_credit,
        "CreditPercentage": 0,
        "CreditType": "Credit Not Applied",
        "PricingCurrency": PRICING_CURRENCY,
        "PricingPreTaxTotal": round(price, 6),
        "PCToBCExchangeRate": bill.exchange_rate,
        "PCToBCExchangeRateDate": midnight(bill.first_day),
        "BillingCurrency": bill.currency,
        "BillingPreTaxTotal": round(price * bill.exchange_rate, 2),
        "BenefitId": "",
        "BenefitOrderId": "",
        "BenefitType": "Charge",
    }
