"""What can be exported: for each dataset its Graph path, the fields that ask for it, and where it lands.

Source: https://learn.microsoft.com/graph/api/resources/partners-billing-api-overview
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """A field of a request. Its value matches `pattern`, which `rule` tells in words, and names a landing folder.

    `partition` is that folder's key; without `default` the field must be given.
    """

    name: str
    partition: str
    pattern: str
    rule: str
    default: str | None = None


# New-commerce invoices alone have daily-rated usage, and their ids begin with G.
INVOICE = Field(
    "invoiceId",
    "invoice_id",
    "G[0-9]{4,15}",
    "It must be the id of a new-commerce invoice: G and 4 to 15 digits, e.g. G016907411.",
)
CURRENCY = Field(
    "currencyCode", "currency", "[A-Z]{3}", "It must be an ISO 4217 code: three upper-case letters, e.g. USD."
)
PERIOD = Field("billingPeriod", "period", "current|last", "It must be one of: current, last.")
ATTRIBUTES = Field("attributeSet", "attribute_set", "full|basic", "It must be one of: full, basic.", "full")


@dataclass(frozen=True)
class Dataset:
    """One kind of billing data. `path` is relative to the Graph base URL, `folder` to the landing zone.

    `beta`: Graph serves it below its beta base URL only.
    """

    name: str
    path: str
    folder: str
    fields: tuple[Field, ...]
    beta: bool = False


_BILLED = (INVOICE, ATTRIBUTES)
_UNBILLED = (CURRENCY, PERIOD, ATTRIBUTES)
_BILLING = "/reports/partners/billing"

DATASETS = {
    dataset.name: dataset
    for dataset in (
        Dataset("billedUsage", f"{_BILLING}/usage/billed/export", "billed_usage", _BILLED),
        Dataset("unbilledUsage", f"{_BILLING}/usage/unbilled/export", "unbilled_usage", _UNBILLED),
        Dataset("billedReconciliation", f"{_BILLING}/reconciliation/billed/export", "billed_reconciliation", _BILLED),
        Dataset(
            "unbilledReconciliation", f"{_BILLING}/reconciliation/unbilled/export", "unbilled_reconciliation", _UNBILLED
        ),
        Dataset(
            "billedAggregatedUsage",
            f"{_BILLING}/aggregatedUsage/billed/export",
            "billed_aggregated_usage",
            (INVOICE,),
            beta=True,
        ),
    )
}
FIELDS = {field.name: field for dataset in DATASETS.values() for field in dataset.fields}
INVOICE_DATASETS = tuple(name for name, dataset in DATASETS.items() if INVOICE in dataset.fields)
"""The names of what can be exported of an invoice."""

UNBILLED_DATASETS = tuple(name for name, dataset in DATASETS.items() if PERIOD in dataset.fields)
"""The names of what can be exported of a currency before it is billed."""

TABLED = ("billedUsage", "billedReconciliation")
"""The names of what an invoice's table is made of: what was used, and what is charged."""

INVOICE_ID = re.compile(INVOICE.pattern)
DEFAULT = "billedUsage"
RECONCILIATION = "billedReconciliation"
"""Of the datasets of an invoice the one that every invoice has."""
