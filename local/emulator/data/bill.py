"""What is one bill about: which month, which currency, which customers, how much usage?"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from random import Random

from local.emulator.data.customers import Customers
from local.emulator.data.differences import Difference
from local.emulator.data.months import last_day

PRICING_CURRENCY = "USD"
"""Usage is priced in dollars, whatever it is billed in."""

_TAXES = {"EUR": 19, "GBP": 20}


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What the partner owes for one month in one currency, billed or not yet.

    `invoice_id` is empty as long as there is no invoice. `month` is its first day, `until` the last day that counts.
    `share` tells several bills for one month and currency apart. `usage_rows` are the lines of daily usage in the whole
    month; where it has `only_licences` there are none. `revision` counts restatements, from 0 on.
    """

    seed: int
    invoice_id: str
    month: date
    until: date
    currency: str
    share: str
    customers: Customers = field(repr=False)
    usage_rows: int
    revision: int = 0
    only_licences: bool = False
    differences: frozenset[Difference] = frozenset()

    @property
    def source(self) -> str:
        """What its charges hang on. Whether they are billed yet and restatements do not make other charges of them."""
        return f"{self.seed} {self.month:%Y-%m} {self.currency} {self.share}"

    @property
    def name(self) -> str:
        """What tells its data from another bill's."""
        return f"{self.source} {self.invoice_id} {self.until} {self.revision} {sorted(self.differences)}"

    @property
    def last_day(self) -> date:
        """The last day of its month, though that may be still to come."""
        return last_day(self.month)

    @cached_property
    def exchange_rate(self) -> Decimal:
        """Billing currency for one US dollar: one rate in a month, with four digits after the point."""
        if self.currency == PRICING_CURRENCY:
            return Decimal(1)
        return Decimal(Random(f"rate {self.currency} {self.month:%Y-%m}").randint(8600, 9700)) / 10_000

    @property
    def tax_percentage(self) -> int:
        """The tax on all its lines."""
        return _TAXES.get(self.currency, 0)
