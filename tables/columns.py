"""Which columns has the table, and what does each one say of a line of daily usage and of a row from reconciliation?

The columns are those of FOCUS 1.2 in its order of letters, then the ones beginning with x_ that FinOps hubs know, then
our own. `usage` and `invoice` are SQL over the attributes of `attributes.py`; besides them there are

- for both: what `mapping.py` makes of resource, service, region, unit, tags and additional information;
- for reconciliation: `kind` (charge, tax, adjustment), `is_usage`, `category`, `amount`, `adjustment_reason`,
  `billed_month`, and `PartnerName`, which is that of daily usage.

Sources, by letter: F FOCUS 1.2, https://focus.finops.org/focus-specification/v1-2/; C
https://learn.microsoft.com/cloud-computing/finops/focus/convert; D
https://learn.microsoft.com/partner-center/billing/daily-rated-usage-recon-files; R
https://learn.microsoft.com/partner-center/billing/use-the-reconciliation-files; H
https://learn.microsoft.com/cloud-computing/finops/toolkit/hubs/data-model; U: unsettled, no source says it.
"""

from dataclasses import dataclass
from typing import Literal

from tables.expressions import (
    BENEFIT,
    BILLED_QUANTITY,
    CATEGORY_OF_PRICE,
    FX,
    INVOICE_EFFECTIVE,
    INVOICE_FX,
    IS_PLAN_ORDER,
    IS_SAVINGS_PLAN,
    ORDERED,
    PRICE_ID,
    PRICE_LEFT,
    PUBLISHER,
    SKU_ID,
    TERM,
    USAGE_MONTH,
    charged,
    day_after,
    moment,
    times,
    untaxed,
)

Type = Literal["VARCHAR", "DECIMAL(38,18)", "DOUBLE", "TIMESTAMP", "INTEGER"]

TEXT: Type = "VARCHAR"
EXACT: Type = "DECIMAL(38,18)"
PRODUCT: Type = "DOUBLE"
TIME: Type = "TIMESTAMP"
WHOLE: Type = "INTEGER"

NONE = "NULL"


@dataclass(frozen=True)
class Column:
    """A column, the SQL of its value on either side, why it is that, and who says so."""

    name: str
    type: Type
    usage: str
    invoice: str
    reason: str
    sources: str


COLUMNS: tuple[Column, ...] = (
    Column("AvailabilityZone", TEXT, NONE, NONE, "not in the source", "D"),
    Column(
        "BilledCost",
        EXACT,
        "BillingPreTaxTotal",
        "amount",
        "the billed amount; tax and rounding have rows of their own",
        "DF",
    ),
    Column("BillingAccountId", TEXT, "PartnerId", "PartnerId", "the source names no billing profile", "D"),
    Column(
        "BillingAccountName",
        TEXT,
        "PartnerName",
        "PartnerName",
        "reconciliation has no name of the partner, and takes that of daily usage",
        "DR",
    ),
    Column("BillingAccountType", TEXT, "'Partner'", "'Partner'", "what the account is", "F"),
    Column("BillingCurrency", TEXT, "BillingCurrency", "Currency", "", "DR"),
    Column("BillingPeriodStart", TIME, USAGE_MONTH, "billed_month", "new-commerce invoices are about months", "D"),
    Column(
        "BillingPeriodEnd",
        TIME,
        f"{USAGE_MONTH} + INTERVAL 1 MONTH",
        "billed_month + INTERVAL 1 MONTH",
        "the end is not part of it",
        "F",
    ),
    Column("CapacityReservationId", TEXT, NONE, NONE, "not in the source", "D"),
    Column("CapacityReservationStatus", TEXT, NONE, NONE, "not in the source", "D"),
    Column("ChargeCategory", TEXT, "'Usage'", "category", "", "F"),
    Column(
        "ChargeClass",
        TEXT,
        f"CASE WHEN {moment('UsageDate')} < {USAGE_MONTH} THEN 'Correction' END",
        "CASE WHEN amount < 0 AND kind <> 'adjustment' "
        f"AND {moment('ChargeStartDate')} < billed_month THEN 'Correction' END",
        "usage, and what is given back, of a month that was invoiced before; usage that came late counts too",
        "FU",
    ),
    Column(
        "ChargeDescription",
        TEXT,
        "coalesce(ProductName, SkuName)",
        "CASE WHEN kind = 'tax' THEN 'Tax: ' ELSE '' END || CASE WHEN category = 'Credit' THEN "
        "coalesce(PriceAdjustmentDescription, ProductName, SkuName) ELSE concat_ws(', ', ProductName, SkuName) END",
        "",
        "C",
    ),
    Column(
        "ChargeFrequency",
        TEXT,
        "'Usage-Based'",
        "CASE WHEN is_usage THEN 'Usage-Based' WHEN regexp_matches(coalesce(BillingFrequency, ''), "
        "'(?i)month|annual|year') THEN 'Recurring' ELSE 'One-Time' END",
        "tax has that of its line",
        "F",
    ),
    Column(
        "ChargePeriodStart",
        TIME,
        f"date_trunc('day', {moment('UsageDate')})::TIMESTAMP",
        f"coalesce({moment('ChargeStartDate')}, billed_month)",
        "",
        "DR",
    ),
    Column(
        "ChargePeriodEnd",
        TIME,
        day_after("UsageDate"),
        f"coalesce({day_after('ChargeEndDate')}, billed_month + INTERVAL 1 MONTH)",
        "the end is not part of it",
        "F",
    ),
    Column(
        "CommitmentDiscountCategory",
        TEXT,
        f"CASE WHEN {BENEFIT} IS NOT NULL AND {IS_SAVINGS_PLAN} THEN 'Spend' END",
        f"CASE WHEN {ORDERED} THEN CASE WHEN {IS_PLAN_ORDER} THEN 'Spend' ELSE 'Usage' END END",
        "a savings plan commits to an amount, a reservation to a quantity",
        "F",
    ),
    Column(
        "CommitmentDiscountId",
        TEXT,
        f"CASE WHEN {IS_SAVINGS_PLAN} THEN {BENEFIT} END",
        untaxed("ReservationOrderId"),
        "usage under a plan names the order that its purchase has",
        "DR",
    ),
    Column("CommitmentDiscountName", TEXT, NONE, NONE, "not in the source", "D"),
    Column("CommitmentDiscountQuantity", EXACT, NONE, NONE, "not in the source", "D"),
    Column(
        "CommitmentDiscountStatus",
        TEXT,
        f"CASE WHEN {BENEFIT} IS NOT NULL AND {IS_SAVINGS_PLAN} THEN 'Used' END",
        NONE,
        "only usage has one",
        "F",
    ),
    Column(
        "CommitmentDiscountType",
        TEXT,
        f"CASE WHEN {BENEFIT} IS NOT NULL AND {IS_SAVINGS_PLAN} THEN 'Savings Plan' END",
        f"CASE WHEN {ORDERED} THEN CASE WHEN {IS_PLAN_ORDER} THEN 'Savings Plan' ELSE 'Reservation' END END",
        "daily usage has no reservations",
        "D",
    ),
    Column("CommitmentDiscountUnit", TEXT, NONE, NONE, "not in the source", "D"),
    Column(
        "ConsumedQuantity", PRODUCT, times("Quantity", "unit_size"), NONE, "the quantity counts blocks of the unit", "U"
    ),
    Column("ConsumedUnit", TEXT, "unit_name", NONE, "", "F"),
    Column(
        "ContractedCost",
        PRODUCT,
        f"coalesce({times(PRICE_LEFT, FX, 'Quantity')}, BillingPreTaxTotal::DOUBLE)",
        f"coalesce({charged(times('EffectiveUnitPrice', INVOICE_FX, BILLED_QUANTITY))}, amount::DOUBLE)",
        "price times quantity; without a price what is billed",
        "F",
    ),
    Column(
        "ContractedUnitPrice",
        PRODUCT,
        times(PRICE_LEFT, FX),
        charged(times("EffectiveUnitPrice", INVOICE_FX)),
        "after the partner earned credit, or hubs would take that for a saving by commitment",
        "HU",
    ),
    Column(
        "EffectiveCost",
        EXACT,
        "BillingPreTaxTotal",
        INVOICE_EFFECTIVE,
        "0 for a commitment's purchase; its amortization is not in the source",
        "F",
    ),
    Column("InvoiceId", TEXT, "InvoiceNumber", "InvoiceNumber", "none until there is an invoice", "D"),
    Column("InvoiceIssuerName", TEXT, "'Microsoft'", "'Microsoft'", "the partner buys from Microsoft", "F"),
    Column(
        "ListCost",
        PRODUCT,
        f"coalesce({times('UnitPrice', FX, 'Quantity')}, BillingPreTaxTotal::DOUBLE)",
        f"coalesce({charged(times('UnitPrice', INVOICE_FX, BILLED_QUANTITY))}, amount::DOUBLE)",
        "price times quantity; without a price what is billed",
        "F",
    ),
    Column(
        "ListUnitPrice",
        PRODUCT,
        times("UnitPrice", FX),
        charged(times("UnitPrice", INVOICE_FX)),
        "partners' data has no other list price",
        "U",
    ),
    Column(
        "PricingCategory",
        TEXT,
        CATEGORY_OF_PRICE,
        charged("'Standard'"),
        "spot by the names of meter and SKU",
        "FU",
    ),
    Column("PricingCurrency", TEXT, "PricingCurrency", "PricingCurrency", "", "DR"),
    Column(
        "PricingCurrencyContractedUnitPrice",
        PRODUCT,
        times(PRICE_LEFT),
        charged(times("EffectiveUnitPrice")),
        "after the partner earned credit",
        "D",
    ),
    Column(
        "PricingCurrencyEffectiveCost",
        EXACT,
        "PricingPreTaxTotal",
        f"round(try_cast(({INVOICE_EFFECTIVE})::DOUBLE / nullif({INVOICE_FX}, 0)::DOUBLE AS {EXACT}), 12)",
        "reconciliation has none: there it is computed in double, from the billed amount and the line's rate",
        "DRF",
    ),
    Column("PricingCurrencyListUnitPrice", PRODUCT, times("UnitPrice"), charged(times("UnitPrice")), "", "D"),
    Column("PricingQuantity", EXACT, "Quantity", charged(BILLED_QUANTITY), "what the price is for", "DR"),
    Column(
        "PricingUnit",
        TEXT,
        "CASE WHEN unit_size > 1 THEN unit_size || ' ' ELSE '' END || unit_name",
        charged("CASE WHEN unit_size > 1 THEN unit_size || ' ' ELSE '' END || unit_name"),
        "as FOCUS writes units",
        "F",
    ),
    Column("ProviderName", TEXT, "'Microsoft'", "'Microsoft'", "", "F"),
    Column("PublisherName", TEXT, PUBLISHER, PUBLISHER, "must not be null", "F"),
    Column("RegionId", TEXT, "coalesce(region_id, ResourceLocation)", NONE, "the meter's region is one of prices", "C"),
    Column("RegionName", TEXT, "coalesce(region_name, ResourceLocation)", NONE, "", "C"),
    Column("ResourceId", TEXT, "ResourceURI", NONE, "", "C"),
    Column(
        "ResourceName",
        TEXT,
        "nullif(regexp_extract(ResourceURI, '([^/]+)/*$', 1), '')",
        NONE,
        "the last part of the resource's URI",
        "C",
    ),
    Column("ResourceType", TEXT, "resource_type", NONE, "provider and type from the resource's URI", "C"),
    Column("ServiceCategory", TEXT, "service_category", "service_category", "a service has one category", "F"),
    Column(
        "ServiceName",
        TEXT,
        "service_name",
        "service_name",
        "by resource type, else by the name of meter category or product",
        "U",
    ),
    Column("ServiceSubcategory", TEXT, "service_subcategory", "service_subcategory", "", "F"),
    Column("SkuId", TEXT, SKU_ID, untaxed(SKU_ID), "an SKU's id is unique within its product", "C"),
    Column("SkuMeter", TEXT, "MeterName", untaxed("MeterDescription"), "", "C"),
    Column("SkuPriceDetails", TEXT, "price_details", NONE, "AdditionalInfo, its keys with x_", "CF"),
    Column("SkuPriceId", TEXT, PRICE_ID, untaxed(PRICE_ID), "the offer of an SKU", "F"),
    Column(
        "SubAccountId",
        TEXT,
        "EntitlementId",
        NONE,
        "the Azure subscription; reconciliation knows only the plan above it",
        "D",
    ),
    Column("SubAccountName", TEXT, "EntitlementDescription", NONE, "", "D"),
    Column("SubAccountType", TEXT, "CASE WHEN EntitlementId IS NOT NULL THEN 'Subscription' END", NONE, "", "F"),
    Column(
        "Tags",
        TEXT,
        "flat_tags",
        NONE,
        "with braces where Microsoft leaves them out; if no flat JSON, only in x_Tags",
        "C",
    ),
    Column(
        "x_BilledUnitPrice",
        PRODUCT,
        times("EffectiveUnitPrice", FX),
        charged(times("EffectiveUnitPrice", INVOICE_FX)),
        "",
        "H",
    ),
    Column("x_BillingExchangeRate", EXACT, "PCToBCExchangeRate", "PCToBCExchangeRate", "", "H"),
    Column(
        "x_BillingExchangeRateDate", TIME, moment("PCToBCExchangeRateDate"), moment("PCToBCExchangeRateDate"), "", "H"
    ),
    Column("x_CustomerId", TEXT, "CustomerId", "CustomerId", "none for one who has left the partner", "H"),
    Column("x_CustomerName", TEXT, "CustomerName", "CustomerName", "", "H"),
    Column(
        "x_EffectiveUnitPrice",
        PRODUCT,
        times("EffectiveUnitPrice", FX),
        charged(times("EffectiveUnitPrice", INVOICE_FX)),
        "",
        "H",
    ),
    Column("x_InvoiceIssuerId", TEXT, "PartnerId", "PartnerId", "", "C"),
    Column(
        "x_PartnerCreditApplied",
        TEXT,
        "(PartnerEarnedCreditPercentage > 0)",
        NONE,
        "hubs have text",
        "H",
    ),
    Column(
        "x_PartnerCreditRate",
        TEXT,
        "rtrim(rtrim(PartnerEarnedCreditPercentage::VARCHAR, '0'), '.')",
        NONE,
        "hubs have text",
        "H",
    ),
    Column("x_PricingBlockSize", WHOLE, "unit_size", charged("unit_size"), "", "H"),
    Column("x_PricingUnitDescription", TEXT, "UnitType", charged("UnitType"), "as Microsoft writes it", "H"),
    Column("x_PublisherId", TEXT, "PublisherId", "PublisherId", "", "H"),
    Column("x_ResellerId", TEXT, "Tier2MpnId", "ResellerMpnId", "", "H"),
    Column("x_ResourceGroupName", TEXT, "ResourceGroup", NONE, "", "H"),
    Column("x_ResourceType", TEXT, "lower(resource_type)", NONE, "", "C"),
    Column("x_ServicePeriodStart", TIME, moment("ChargeStartDate"), moment("ChargeStartDate"), "", "H"),
    Column(
        "x_ServicePeriodEnd",
        TIME,
        day_after("ChargeEndDate"),
        day_after("ChargeEndDate"),
        "the end is not part of it",
        "H",
    ),
    Column("x_SkuDescription", TEXT, "SkuName", untaxed("SkuName"), "", "HU"),
    Column("x_SkuMeterCategory", TEXT, "MeterCategory", NONE, "", "H"),
    Column("x_SkuMeterId", TEXT, "MeterId", NONE, "", "H"),
    Column("x_SkuMeterSubcategory", TEXT, "MeterSubCategory", NONE, "", "H"),
    Column(
        "x_SkuOrderId", TEXT, "SubscriptionId", "SubscriptionId", "the Azure plan, or the licence's subscription", "H"
    ),
    Column("x_SkuOrderName", TEXT, "SubscriptionDescription", "SubscriptionDescription", "", "H"),
    Column("x_SkuRegion", TEXT, "MeterRegion", NONE, "", "H"),
    Column(
        "x_SkuTerm",
        WHOLE,
        NONE,
        TERM,
        "in months",
        "HU",
    ),
    Column("x_SourceName", TEXT, "'billedUsage'", "'billedReconciliation'", "which export it comes from", "H"),
    Column("x_SourceProvider", TEXT, "'Microsoft'", "'Microsoft'", "", "H"),
    Column("x_SourceType", TEXT, "'PartnerBilling'", "'PartnerBilling'", "", "H"),
    Column("x_SourceVersion", TEXT, "'1.0'", "'1.0'", "of this mapping", "H"),
    Column("x_AdditionalInfo", TEXT, "AdditionalInfo", NONE, "as Microsoft sends it", ""),
    Column("x_AdjustmentReason", TEXT, NONE, "adjustment_reason", "rounding, or unexplained", ""),
    Column("x_AlternateId", TEXT, NONE, "AlternateId", "", ""),
    Column("x_AvailabilityId", TEXT, "AvailabilityId", "AvailabilityId", "", ""),
    Column("x_BenefitId", TEXT, "BenefitId", NONE, "", ""),
    Column("x_BenefitType", TEXT, "BenefitType", NONE, "", ""),
    Column("x_ChargeType", TEXT, "ChargeType", "ChargeType", "", ""),
    Column("x_ConsumedService", TEXT, "ConsumedService", NONE, "", ""),
    Column("x_CreditPercentage", EXACT, "CreditPercentage", NONE, "", ""),
    Column("x_CreditReasonCode", TEXT, NONE, "CreditReasonCode", "", ""),
    Column("x_CreditType", TEXT, "CreditType", NONE, "", ""),
    Column("x_CustomerCountry", TEXT, "CustomerCountry", "CustomerCountry", "", ""),
    Column("x_CustomerDomainName", TEXT, "CustomerDomainName", "CustomerDomainName", "", ""),
    Column("x_MeterType", TEXT, "MeterType", NONE, "", ""),
    Column("x_MpnId", TEXT, "MpnId", "MpnId", "", ""),
    Column("x_OrderDate", TIME, NONE, moment("OrderDate"), "", ""),
    Column("x_OrderId", TEXT, NONE, "OrderId", "", ""),
    Column("x_ProductId", TEXT, "ProductId", "ProductId", "", ""),
    Column("x_ProductQualifiers", TEXT, NONE, "ProductQualifiers", "", ""),
    Column("x_PromotionId", TEXT, NONE, "PromotionId", "", ""),
    Column("x_ReferenceId", TEXT, NONE, "ReferenceId", "", ""),
    Column("x_ServiceInfo1", TEXT, "ServiceInfo1", NONE, "", ""),
    Column("x_ServiceInfo2", TEXT, "ServiceInfo2", NONE, "", ""),
    Column("x_SkuPartId", TEXT, "SkuId", "SkuId", "Microsoft's SkuId alone", ""),
    Column("x_SubscriptionEndDate", TIME, NONE, moment("SubscriptionEndDate"), "", ""),
    Column("x_SubscriptionStartDate", TIME, NONE, moment("SubscriptionStartDate"), "", ""),
    Column(
        "x_Tags",
        TEXT,
        "CASE WHEN flat_tags IS NULL THEN Tags END",
        NONE,
        "what is no flat JSON, as Microsoft sends it",
        "",
    ),
    Column("x_TermAndBillingCycle", TEXT, NONE, "TermAndBillingCycle", "", ""),
    Column("x_Unit", TEXT, "Unit", NONE, "", ""),
)
