"""What does the usage of a customer come to, by meter?"""

from collections.abc import Iterable

from local.emulator.data.bill import LineItem

_SHARED = (
    "PartnerId",
    "PartnerName",
    "MpnId",
    "Tier2MpnId",
    "CustomerId",
    "CustomerName",
    "CustomerDomainName",
    "CustomerCountry",
    "InvoiceNumber",
    "ProductId",
    "ProductName",
    "SkuId",
    "SkuName",
    "AvailabilityId",
    "PublisherId",
    "PublisherName",
    "SubscriptionId",
    "SubscriptionDescription",
    "MeterId",
    "MeterType",
    "MeterCategory",
    "MeterSubCategory",
    "MeterName",
    "Unit",
    "UnitType",
    "UnitPrice",
    "ChargeType",
    "ChargeStartDate",
    "ChargeEndDate",
    "PricingCurrency",
    "PCToBCExchangeRate",
    "PCToBCExchangeRateDate",
    "BillingCurrency",
)
_DECIMALS = {"Quantity": 6, "PricingPreTaxTotal": 6, "BillingPreTaxTotal": 2}


def aggregated(usage: Iterable[LineItem]) -> list[LineItem]:
    """One row for each customer and meter, with the sums of its quantities and totals."""
    rows: dict[tuple[str | float, str | float], LineItem] = {}
    for item in usage:
        row = rows.setdefault((item["CustomerId"], item["MeterId"]), _without_usage(item))
        for name, decimals in _DECIMALS.items():
            row[name] = round(float(row[name]) + float(item[name]), decimals)
    return list(rows.values())


def _without_usage(item: LineItem) -> LineItem:
    return {name: item[name] for name in _SHARED} | dict.fromkeys(_DECIMALS, 0.0)
