"""SQL that several columns share, or that would hide a column's row in their list.

It is over the attributes of daily usage or, named INVOICE_… or about `kind`, over rows from reconciliation.
"""


def times(*factors: str) -> str:
    """A product, in double and rounded to 12 places: two decimals of 38 digits have one that no decimal holds."""
    return f"round({' * '.join(f'({factor})::DOUBLE' for factor in factors)}, 12)"


def moment(text: str) -> str:
    """The UTC time that a text tells; none for a text that tells none."""
    return f"(try_cast({text} AS TIMESTAMPTZ) AT TIME ZONE 'UTC')"


def day_after(text: str) -> str:
    """The end, which is not part of the time, of one that Microsoft gives with its last day."""
    return f"date_trunc('day', {moment(text)})::TIMESTAMP + INTERVAL 1 DAY"


def charged(value: str) -> str:
    """Only a charge has it: tax and adjustments have no price and no quantity."""
    return f"CASE WHEN kind = 'charge' THEN {value} END"


def untaxed(value: str) -> str:
    """A row of tax does not have it."""
    return f"CASE WHEN kind <> 'tax' THEN {value} END"


FX = "coalesce(PCToBCExchangeRate, CASE WHEN PricingCurrency = BillingCurrency THEN 1 END)"
INVOICE_FX = "coalesce(PCToBCExchangeRate, CASE WHEN PricingCurrency = Currency THEN 1 END)"
INVOICE_EFFECTIVE = (
    "CASE WHEN kind = 'charge' AND ReservationOrderId IS NOT NULL AND category = 'Purchase' THEN 0 ELSE amount END"
)
PRICE_LEFT = "UnitPrice::DOUBLE * (1 - coalesce(PartnerEarnedCreditPercentage, 0)::DOUBLE / 100)"
BILLED_QUANTITY = "coalesce(BillableQuantity, Quantity)"
USAGE_MONTH = f"date_trunc('month', coalesce({moment('ChargeStartDate')}, {moment('UsageDate')}))::TIMESTAMP"
BENEFIT = "coalesce(BenefitOrderId, BenefitId)"
IS_SAVINGS_PLAN = "regexp_matches(coalesce(BenefitType, ''), '(?i)savings ?plan')"
IS_PLAN_ORDER = "regexp_matches(concat_ws(' ', ProductName, SkuName), '(?i)savings plan')"
PUBLISHER = "coalesce(nullif(PublisherName, 'Microsoft Corporation'), 'Microsoft')"
ORDERED = "ReservationOrderId IS NOT NULL AND kind <> 'tax'"
TERM = """CASE
    WHEN regexp_matches(TermAndBillingCycle, '(?i)(one|1).year') THEN 12
    WHEN regexp_matches(TermAndBillingCycle, '(?i)(three|3).year') THEN 36
    WHEN regexp_matches(TermAndBillingCycle, '(?i)(one|1).month') THEN 1
END"""
CATEGORY_OF_PRICE = f"""CASE
    WHEN {BENEFIT} IS NOT NULL AND {IS_SAVINGS_PLAN} THEN 'Committed'
    WHEN regexp_matches(concat_ws(' ', MeterName, SkuName), '(?i)\\bspot\\b') THEN 'Dynamic'
    ELSE 'Standard'
END"""
PRICE_ID = "nullif(concat_ws('/', ProductId, SkuId, AvailabilityId), '')"
SKU_ID = "nullif(concat_ws('/', ProductId, SkuId), '')"
