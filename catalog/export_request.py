"""One export that a caller may ask for, its id, and the folders in which it lands.

Source: https://learn.microsoft.com/graph/api/resources/partners-billing-api-overview
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from catalog.datasets import DATASETS, DEFAULT, FIELDS, INVOICE, PERIOD, Dataset, Field
from catalog.invalid_request import NOT_KNOWN, InvalidRequest, fields_of
from catalog.months import month_before, month_of


@dataclass(frozen=True)
class ExportRequest:
    """One export that a caller may ask for: a dataset, and the values of its fields by their names."""

    dataset_name: str
    values: Mapping[str, str]

    @classmethod
    def of_invoice(cls, invoice_id: str, dataset_name: str = DEFAULT) -> Self:
        """The request for one of an invoice's datasets, in full."""
        return cls.parse({"dataset": dataset_name, "invoiceId": invoice_id})

    @classmethod
    def parse(cls, body: object) -> Self:
        """The request that a caller's JSON makes.

        Raises:
            InvalidRequest: with every fault of the body.
        """
        given = fields_of(body)
        dataset = _dataset(given.get("dataset", DEFAULT))
        fields = dataset.fields if dataset else [field for name, field in FIELDS.items() if name in given]
        faults = [] if dataset else [("dataset", f"It must be one of: {', '.join(DATASETS)}.")]
        faults += [(str(name), _not_taken(dataset)) for name in given if name not in _names(fields)]
        faults += [(field.name, rule) for field in fields if (rule := _broken_rule(field, given))]
        if faults or dataset is None:
            raise InvalidRequest(faults)
        return cls(dataset.name, {field.name: given.get(field.name, field.default) for field in fields})

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The request that `to_json` wrote."""
        return cls(data["dataset"], {name: value for name, value in data.items() if name != "dataset"})

    def to_json(self) -> dict[str, str]:
        """The body that asks for the same export."""
        return {"dataset": self.dataset_name, **self.values}

    @property
    def dataset(self) -> Dataset:
        """The dataset's row in the table of all."""
        return DATASETS[self.dataset_name]

    @property
    def is_billed(self) -> bool:
        """Whether it is for an invoice, whose data stays as it is, unless Microsoft restates it."""
        return INVOICE in self.dataset.fields

    @property
    def invoice_id(self) -> str:
        """The invoice, of a request that is for one."""
        return self.values[INVOICE.name]

    @property
    def export_id(self) -> str:
        """The id under which this export runs, the same for every call: `billedUsage-G016907411-full`."""
        return "-".join([self.dataset_name, *self.values.values()])

    def month_at(self, moment: datetime) -> str | None:
        """The month that unbilled data is for when it is asked for at this moment (UTC); None for billed data."""
        months = {"current": month_of(moment), "last": month_before(moment)}
        return months.get(self.values.get(PERIOD.name, ""))

    def partitions(self, month: str | None) -> list[tuple[str, str]]:
        """Keys and values of the folders in which the export lands; `month` stands for the moving word of a period."""
        return [
            (field.partition, month if month and field is PERIOD else self.values[field.name])
            for field in self.dataset.fields
        ]


def _dataset(name: object) -> Dataset | None:
    return DATASETS.get(name) if isinstance(name, str) else None


def _names(fields: Iterable[Field]) -> set[str]:
    return {"dataset", *(field.name for field in fields)}


def _not_taken(dataset: Dataset | None) -> str:
    return f"The dataset {dataset.name} does not take this field." if dataset else NOT_KNOWN


def _broken_rule(field: Field, body: Mapping[str, Any]) -> str | None:
    value = body.get(field.name, field.default)
    if value is None and field.name not in body:
        return f"This field is required. {field.rule}"
    return None if isinstance(value, str) and re.fullmatch(field.pattern, value) else field.rule
