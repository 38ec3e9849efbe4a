"""Which attributes of a line item does an attribute set have?

Source: https://learn.microsoft.com/graph/api/resources/partners-billing-attributeset
"""

from local.emulator.line_items import LineItem

_BASIC = (
    "AdditionalInfo",
    "BenefitOrderId",
    "BenefitType",
    "BillingCurrency",
    "BillingPreTaxTotal",
    "ChargeEndDate",
    "ChargeStartDate",
    "ChargeType",
    "CreditPercentage",
    "CreditType",
    "CustomerId",
    "CustomerName",
    "EffectiveUnitPrice",
    "EntitlementId",
    "InvoiceNumber",
    "PartnerId",
    "PartnerName",
    "PCToBCExchangeRate",
    "PricingCurrency",
    "PricingPreTaxTotal",
    "ProductId",
    "PublisherName",
    "Quantity",
    "ResourceURI",
    "SkuId",
    "SkuName",
    "SubscriptionId",
    "UnitPrice",
    "UnitType",
    "UsageDate",
)


def selected(item: LineItem, attribute_set: str) -> LineItem:
    """The item with the attributes of `basic`, or for `full` with all."""
    return {name: item[name] for name in _BASIC} if attribute_set == "basic" else item
