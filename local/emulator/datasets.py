"""What can be exported, and what does a request for it look like?

Source: https://learn.microsoft.com/graph/api/resources/partners-billing-api-overview
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """A text field of a request's body. Without `values` any text will do."""

    required: bool = False
    values: tuple[str, ...] = ()

    def accepts(self, value: object) -> bool:
        """Whether the field may hold this value."""
        return isinstance(value, str) and value != "" and (not self.values or value in self.values)


@dataclass(frozen=True)
class Dataset:
    """One kind of billing data: the path that exports it, and the fields of the request's body."""

    path: str
    fields: Mapping[str, Field]

    def faults(self, body: Mapping[str, object]) -> Iterator[str]:
        """A sentence for everything that is wrong with the body."""
        for name in sorted(body.keys() - self.fields.keys()):
            yield f"The property '{name}' does not exist."
        for name, field in self.fields.items():
            if name not in body and field.required:
                yield f"The property '{name}' is required."
            if name in body and not field.accepts(body[name]):
                yield f"The property '{name}' has an invalid value."


DATASETS = (
    Dataset(
        "/reports/partners/billing/usage/billed/export",
        {"invoiceId": Field(required=True), "attributeSet": Field(values=("full", "basic"))},
    ),
)
