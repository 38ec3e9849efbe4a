"""What can be exported, below which versions of Graph, and what does a request for it look like?

Source: https://learn.microsoft.com/graph/api/resources/partners-billing-api-overview
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

VERSIONS = ("v1.0", "beta")
"""The versions of Graph, as its paths begin with them."""

_ROOT = "/reports/partners/billing"


@dataclass(frozen=True)
class Field:
    """A text field of a request's body. `form` is what it must match as a whole."""

    form: str = r"(?s:.+)"
    required: bool = True

    def accepts(self, value: object) -> bool:
        """Whether the field may hold this value."""
        return isinstance(value, str) and re.fullmatch(self.form, value) is not None


@dataclass(frozen=True)
class Dataset:
    """One kind of billing data: the path that exports it, where it is served, and the fields of the request's body.

    The first of the fields says what an export is about.
    """

    path: str
    fields: Mapping[str, Field]
    versions: tuple[str, ...] = VERSIONS

    @property
    def about(self) -> str:
        """The field that says which invoice or which currency is exported."""
        return next(iter(self.fields))

    def faults(self, body: Mapping[str, object]) -> Iterator[str]:
        """A sentence for everything that is wrong with the body."""
        for name in sorted(body.keys() - self.fields.keys()):
            yield f"The property '{name}' does not exist."
        for name, field in self.fields.items():
            if name not in body and field.required:
                yield f"The property '{name}' is required."
            if name in body and not field.accepts(body[name]):
                yield f"The property '{name}' has an invalid value."


_INVOICE = {"invoiceId": Field()}
# ISO 4217 writes its codes in capitals.
_UNBILLED = {"currencyCode": Field("[A-Z]{3}"), "billingPeriod": Field("current|last")}
_ATTRIBUTES = {"attributeSet": Field("full|basic", required=False)}

DATASETS: Mapping[str, Dataset] = {
    "billedUsage": Dataset(f"{_ROOT}/usage/billed/export", _INVOICE | _ATTRIBUTES),
    "unbilledUsage": Dataset(f"{_ROOT}/usage/unbilled/export", _UNBILLED | _ATTRIBUTES),
    "billedReconciliation": Dataset(f"{_ROOT}/reconciliation/billed/export", _INVOICE | _ATTRIBUTES),
    "unbilledReconciliation": Dataset(f"{_ROOT}/reconciliation/unbilled/export", _UNBILLED | _ATTRIBUTES),
    "billedAggregatedUsage": Dataset(f"{_ROOT}/aggregatedUsage/billed/export", _INVOICE, ("beta",)),
}
