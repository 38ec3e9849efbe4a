"""What does the usage of a customer come to, by meter?"""

from collections.abc import Iterator
from decimal import Decimal

from local.emulator.data.bill import Bill
from local.emulator.data.line import LineItem
from local.emulator.data.money import NOTHING
from local.emulator.data.usage import Use, uses
from local.emulator.data.usage_rows import amounts, shared_attributes

_OF_ONE_USE = (
    "EntitlementId",
    "EntitlementDescription",
    "ResourceGroup",
    "ResourceLocation",
    "ResourceURI",
    "ConsumedService",
    "Tags",
    "AdditionalInfo",
    "ServiceInfo1",
    "ServiceInfo2",
    "MeterRegion",
    "EffectiveUnitPrice",
    "PartnerEarnedCreditPercentage",
    "CreditPercentage",
    "CreditType",
    "BenefitId",
    "BenefitOrderId",
    "BenefitType",
)


def aggregated(bill: Bill) -> Iterator[LineItem]:
    """One row for each customer and meter, with the sums of its quantities and totals."""
    first: dict[tuple[str, str], Use] = {}
    sums: dict[tuple[str, str], dict[str, Decimal]] = {}
    for use in uses(bill):
        if use.days_until(bill.until.day):
            key = use.customer.id, use.meter.id
            first.setdefault(key, use)
            total = sums.setdefault(key, {})
            for name, amount in amounts(bill, use, use.quantity_until(bill.until.day)).items():
                total[name] = total.get(name, NOTHING) + amount
    return (_without_use(bill, use) | sums[key] for key, use in first.items())


def _without_use(bill: Bill, use: Use) -> dict[str, str | Decimal]:
    return {name: value for name, value in shared_attributes(bill, use).items() if name not in _OF_ONE_USE}
