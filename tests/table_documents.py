"""The two documents of an invoice, in few states and lines, so that tables of them are made quickly."""

import gzip
import json
from collections.abc import Mapping, Sequence
from typing import Any

from activities.tabulating import LINES, USAGE

_OF_BOTH = {
    "PartnerId": "0e195b37-4574-4539-bc42-0a8b4f2b1c5d",
    "CustomerId": "c",
    "SubscriptionId": "s",
    "ProductId": "p",
    "SkuId": "0001",
    "AvailabilityId": "a",
    "ChargeStartDate": "2026-09-01T00:00:00Z",
    "ChargeEndDate": "2026-09-30T00:00:00Z",
    "BillingCurrency": "EUR",
    "Currency": "EUR",
    "Quantity": 1,
}

Blobs = Sequence[bytes]


def _blob(*lines: Mapping[str, Any]) -> bytes:
    return gzip.compress("".join(f"{json.dumps({**_OF_BOTH, **line})}\n" for line in lines).encode(), mtime=0)


def _used(cost: float) -> Mapping[str, Any]:
    return {"UsageDate": "2026-09-03T00:00:00Z", "BillingPreTaxTotal": cost}


def _charged(total: float) -> Mapping[str, Any]:
    return {"ChargeType": "cycleFee", "Subtotal": total, "TaxTotal": 0, "Total": total}


STATES: Mapping[str, Sequence[Blobs]] = {
    USAGE: [[_blob(_used(1.25), _used(2))], [_blob(_used(1.25)), _blob(_used(3))], []],
    LINES: [[_blob(_charged(3.25))], [_blob(_charged(7.5), _charged(0.5))]],
}
"""By dataset's folder, the blobs that it may have."""
