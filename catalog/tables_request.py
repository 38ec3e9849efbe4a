"""Which tables does a caller ask for: an invoice's, or those of a billing month?"""

import re
from dataclasses import dataclass
from typing import Self

from catalog.datasets import INVOICE
from catalog.invalid_request import InvalidRequest, fields_of, uncombined
from catalog.months import MONTH

MONTH_RULE = "It must be a month, e.g. 2026-10."


@dataclass(frozen=True)
class TablesRequest:
    """One of the two: an invoice, or a month as `2026-10`."""

    invoice_id: str | None = None
    month: str | None = None

    @classmethod
    def parse(cls, body: object) -> Self:
        """What a caller's JSON asks for: `{"invoiceId": …}`, or `{"month": …}`.

        Raises:
            InvalidRequest: with every fault of the body.
        """
        given = fields_of(body)
        name = "month" if "month" in given else INVOICE.name
        faults = uncombined(given, {name}, _GRAMMAR)
        value, (pattern, rule) = given.get(name), _GRAMMAR[name]
        if not (isinstance(value, str) and re.fullmatch(pattern, value)):
            faults.append((name, rule if name in given else f"This field, or month, is required. {rule}"))
        if faults:
            raise InvalidRequest(faults)
        return cls(month=value) if name == "month" else cls(value)

    @property
    def run_id(self) -> str:
        """The id under which the tables are made, the same for every call."""
        return f"tables-{self.month}" if self.month else f"table-{self.invoice_id}"


_GRAMMAR = {INVOICE.name: (INVOICE.pattern, INVOICE.rule), "month": (MONTH.pattern, MONTH_RULE)}
