"""What is asked of the partner billing API.


Source: https://learn.microsoft.com/graph/api/resources/partners-billing-api-overview
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from billing.datasets import DATASETS, Dataset

ATTRIBUTE_SETS = ("full", "basic")
# New-commerce invoices alone have daily-rated usage, and their ids begin with G.
INVOICE_ID = re.compile(r"G[0-9]{4,15}")
EXPORT_ID = re.compile(rf"({'|'.join(DATASETS)})-({INVOICE_ID.pattern})-({'|'.join(ATTRIBUTE_SETS)})")


def month_before(moment: datetime) -> str:
    """The billing month before the one that the moment is in: `2026-09` for any day of October 2026."""
    return f"{moment.replace(day=1) - timedelta(days=1):%Y-%m}"


class InvalidRequest(ValueError):
    """The caller's request cannot be taken. `faults` names every fault: (field, or "" for the whole, sentence)."""

    def __init__(self, faults: list[tuple[str, str]]) -> None:
        super().__init__(" ".join(f"{field}: {sentence}" if field else sentence for field, sentence in faults))
        self.faults = tuple(faults)


@dataclass(frozen=True)
class ExportRequest:
    """One export that a caller may ask for."""

    invoice_id: str
    attribute_set: str = "full"
    dataset_name: str = "billedUsage"

    @classmethod
    def from_json(cls, body: object) -> Self:
        """The request that a JSON body makes.

        Raises:
            InvalidRequest: with every fault of the body.
        """
        if not isinstance(body, Mapping):
            raise InvalidRequest([("", "The body must be a JSON object.")])
        faults = [(str(name), "This field is not known.") for name in body if name not in _REQUEST_FIELDS]
        if "invoiceId" not in body:
            faults.append(("invoiceId", "This field is required, e.g. G016907411."))
        elif not _is_text(body["invoiceId"], INVOICE_ID.fullmatch):
            faults.append(("invoiceId", "It must be the id of a new-commerce invoice: G and digits, e.g. G016907411."))
        if not _is_text(body.get("attributeSet", "full"), ATTRIBUTE_SETS.__contains__):
            faults.append(("attributeSet", f"It must be one of: {', '.join(ATTRIBUTE_SETS)}."))
        if not _is_text(body.get("dataset", "billedUsage"), DATASETS.__contains__):
            faults.append(("dataset", f"It must be one of: {', '.join(DATASETS)}."))
        if faults:
            raise InvalidRequest(faults)
        return cls(body["invoiceId"], body.get("attributeSet", "full"), body.get("dataset", "billedUsage"))

    def to_json(self) -> dict[str, str]:
        """The body that `from_json` reads."""
        return {"dataset": self.dataset_name, "invoiceId": self.invoice_id, "attributeSet": self.attribute_set}

    @property
    def dataset(self) -> Dataset:
        """The dataset's row: its Graph path and landing folder."""
        return DATASETS[self.dataset_name]

    @property
    def export_id(self) -> str:
        """The id under which this export runs, the same for every call: `billedUsage-G016907411-full`."""
        return f"{self.dataset_name}-{self.invoice_id}-{self.attribute_set}"

    @property
    def graph_body(self) -> dict[str, str]:
        """The body that Graph takes for this export."""
        return {"invoiceId": self.invoice_id, "attributeSet": self.attribute_set}


_REQUEST_FIELDS = frozenset({"dataset", "invoiceId", "attributeSet"})


def _is_text(value: object, accepted: Any) -> bool:
    return isinstance(value, str) and bool(accepted(value))
