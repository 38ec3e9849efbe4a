"""By what does a line of reconciliation tell which daily rows it sums up, and what is kept of those?"""

from collections.abc import Mapping

KEY: Mapping[str, str] = {
    "SubscriptionId": "x_SkuOrderId",
    "ProductId": "x_ProductId",
    "SkuId": "x_SkuPartId",
    "AvailabilityId": "x_AvailabilityId",
}
"""The attributes that both documents share, and the columns that daily rows have them in."""

DESCRIBED: Mapping[str, str] = {
    "InvoiceNumber": "InvoiceId",
    "PartnerId": "BillingAccountId",
    "PartnerName": "BillingAccountName",
    "Currency": "BillingCurrency",
    "PricingCurrency": "PricingCurrency",
    "PCToBCExchangeRate": "x_BillingExchangeRate",
    "CustomerId": "x_CustomerId",
    "CustomerName": "x_CustomerName",
    "CustomerDomainName": "x_CustomerDomainName",
    "CustomerCountry": "x_CustomerCountry",
    "MpnId": "x_MpnId",
    "ResellerMpnId": "x_ResellerId",
    "ProductName": "ChargeDescription",
    "SkuName": "x_SkuDescription",
    "PublisherName": "PublisherName",
    "PublisherId": "x_PublisherId",
    "SubscriptionDescription": "x_SkuOrderName",
}
"""What a row about usage that no line mentions is described by."""

_DESCRIPTIONS = ", ".join(f"min({column}) AS {name}" for name, column in DESCRIBED.items())
_NO_DESCRIPTIONS = ", ".join(
    f"NULL::{'DECIMAL(38,18)' if name == 'PCToBCExchangeRate' else 'VARCHAR'} AS {name}" for name in DESCRIBED
)
_SAME_DESCRIPTIONS = ", ".join(f"min({name}) AS {name}" for name in DESCRIBED)

SUMS_OF_ROWS = f"""
    SELECT
        {", ".join(f"{column} AS {name}" for name, column in KEY.items())},
        coalesce(sum(BilledCost), 0) AS used, count(*) AS used_rows, min(BillingPeriodStart) AS used_month,
        {_DESCRIPTIONS}
    FROM read_parquet({{rows}})
    GROUP BY {", ".join(KEY.values())}
    ORDER BY ALL
"""  # noqa: S608
"""SQL: what daily rows come to, by key."""

SUMS_OF_SUMS = f"""
    SELECT {", ".join(KEY)}, sum(used) AS used, sum(used_rows)::BIGINT AS used_rows, {_SAME_DESCRIPTIONS}
    FROM {{used}}
    GROUP BY {", ".join(KEY)}
"""  # noqa: S608
"""SQL: what the sums of several parts come to, by key."""

NOTHING_USED = f"""
    SELECT {", ".join(f"NULL::VARCHAR AS {name}" for name in KEY)}, NULL::DECIMAL(38,18) AS used, 0 AS used_rows,
        NULL::TIMESTAMP AS used_month, {_NO_DESCRIPTIONS}
    LIMIT 0
"""
"""SQL: the sums by key where there is no usage."""


def same_key(left: str, right: str) -> str:
    """SQL: two relations have the same key; none is a key too."""
    return " AND ".join(f"{left}.{name} IS NOT DISTINCT FROM {right}.{name}" for name in KEY)
