"""What can be exported: for each dataset its Graph path and where it lands.

Source: https://learn.microsoft.com/graph/api/resources/partners-billing-api-overview
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Dataset:
    """One kind of billing data. `path` is relative to the Graph base URL, `folder` to the landing zone."""

    name: str
    path: str
    folder: str


DATASETS = {
    dataset.name: dataset
    for dataset in (Dataset("billedUsage", "/reports/partners/billing/usage/billed/export", "billed_usage"),)
}
