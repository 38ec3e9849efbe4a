"""What do all rows of an export share?"""

from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Self

from local.emulator.data.customers import Customer
from local.emulator.data.months import last_day, month_of

BILLING_CURRENCY = "EUR"
PRICING_CURRENCY = "USD"

LineItem = dict[str, str | float]


@dataclass(frozen=True)
class Bill:
    """What a partner owes for one month, billed or not yet.

    `invoice_id` is empty as long as there is no invoice. `until` is the last day that anything was used or bought.
    `exchange_rate` is billing currency for one US dollar.
    """

    invoice_id: str
    currency: str
    until: date
    exchange_rate: float
    partner_id: str
    customers: tuple[Customer, ...]

    @classmethod
    def of_invoice(cls, invoice_id: str, month: date | None, partner_id: str, customers: tuple[Customer, ...]) -> Self:
        """The bill of an invoice. A month it does not know, and its rate, hang on its id alone, whatever the seed."""
        draw = Random(f"bill {invoice_id}")
        some_month = date(draw.randint(2023, 2025), draw.randint(1, 12), 1)
        until = last_day(month or some_month)
        return cls(invoice_id, BILLING_CURRENCY, until, _exchange_rate(draw), partner_id, customers)

    @classmethod
    def unbilled(
        cls, currency: str, month: date, today: date, partner_id: str, customers: tuple[Customer, ...]
    ) -> Self:
        """What has come together in a month until today, in one currency."""
        until = min(today, last_day(month))
        rate = 1.0 if currency == PRICING_CURRENCY else _exchange_rate(Random(f"bill {currency} {month}"))
        return cls("", currency, until, rate, partner_id, customers)

    @property
    def name(self) -> str:
        """What tells its data from another bill's of the same partner."""
        return self.invoice_id or f"{self.currency} {self.until}"

    @property
    def first_day(self) -> date:
        """The first day of its month."""
        return month_of(self.until)

    @property
    def last_day(self) -> date:
        """The last day of its month, though that may be still to come."""
        return last_day(self.until)

    def some_day(self, draw: Random) -> date:
        """A day that something was used or bought on."""
        return self.first_day.replace(day=draw.randint(1, self.until.day))

    def parties(self, customer: Customer) -> LineItem:
        """The attributes that say who pays whom, by which invoice."""
        return {
            "PartnerId": self.partner_id,
            "PartnerName": "Margie's Cloud Services",
            "MpnId": "4390934",
            "Tier2MpnId": "0",
            "CustomerId": customer.id,
            "CustomerName": customer.name,
            "CustomerDomainName": customer.domain,
            "CustomerCountry": customer.country,
            "InvoiceNumber": self.invoice_id,
        }


def _exchange_rate(draw: Random) -> float:
    return round(draw.uniform(0.86, 0.97), 4)
