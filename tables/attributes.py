"""Which attributes does Microsoft document for daily-rated usage and for reconciliation lines, and what are they?

Sources: https://learn.microsoft.com/partner-center/billing/daily-rated-usage-recon-files and
https://learn.microsoft.com/partner-center/billing/use-the-reconciliation-files
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "amount"]
"""Times are read as text: an empty one stands for none."""

SQL_TYPES: Mapping[Kind, str] = {"text": "VARCHAR", "amount": "DECIMAL(38,18)"}


@dataclass(frozen=True)
class Shape:
    """The attributes that lines of one sort may have. Without those of `required` there is no table."""

    name: str
    attributes: Mapping[str, Kind]
    required: frozenset[str]

    @property
    def amounts(self) -> tuple[str, ...]:
        """Those that are numbers, of money, of something counted, or a percentage."""
        return tuple(name for name, kind in self.attributes.items() if kind == "amount")


def _shape(name: str, texts: str, amounts: str, required: str) -> Shape:
    kinds: dict[str, Kind] = dict.fromkeys(texts.split(), "text")
    kinds |= dict.fromkeys(amounts.split(), "amount")
    return Shape(name, kinds, frozenset(required.split()))


USAGE = _shape(
    "daily usage",
    texts="""
        PartnerId PartnerName CustomerId CustomerName CustomerDomainName CustomerCountry MpnId Tier2MpnId InvoiceNumber
        ProductId SkuId AvailabilityId SkuName ProductName PublisherName PublisherId SubscriptionDescription
        SubscriptionId ChargeStartDate ChargeEndDate UsageDate MeterType MeterCategory MeterId MeterSubCategory
        MeterName MeterRegion Unit ResourceLocation ConsumedService ResourceGroup ResourceURI ChargeType UnitType
        PricingCurrency BillingCurrency PCToBCExchangeRateDate ServiceInfo1 ServiceInfo2 Tags AdditionalInfo
        EntitlementId EntitlementDescription CreditType BenefitId BenefitOrderId BenefitType
    """,
    amounts="""
        UnitPrice Quantity BillingPreTaxTotal PricingPreTaxTotal EffectiveUnitPrice PCToBCExchangeRate
        PartnerEarnedCreditPercentage CreditPercentage
    """,
    required="PartnerId SubscriptionId ProductId SkuId UsageDate BillingCurrency Quantity BillingPreTaxTotal",
)

RECONCILIATION = _shape(
    "reconciliation",
    texts="""
        PartnerId CustomerId CustomerName CustomerDomainName CustomerCountry InvoiceNumber MpnId ResellerMpnId OrderId
        OrderDate ProductId SkuId AvailabilityId SkuName ProductName ChargeType Currency PriceAdjustmentDescription
        PublisherName PublisherId SubscriptionDescription SubscriptionId ChargeStartDate ChargeEndDate
        TermAndBillingCycle UnitType AlternateId BillingFrequency PricingCurrency PCToBCExchangeRateDate
        MeterDescription ReservationOrderId CreditReasonCode SubscriptionStartDate SubscriptionEndDate ReferenceId
        ProductQualifiers PromotionId
    """,
    amounts="UnitPrice EffectiveUnitPrice Quantity BillableQuantity Subtotal TaxTotal Total PCToBCExchangeRate",
    required="PartnerId SubscriptionId ProductId SkuId Currency Subtotal TaxTotal Total",
)
