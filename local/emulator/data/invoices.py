"""Which invoices are there, and from when on?"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from local.emulator.clock import Clock
from local.emulator.data.months import month_after, month_before

_USUAL_DAY = 8


@dataclass(frozen=True)
class Invoice:
    """An invoice for one month, which is there from `listed_from` on, or always.

    Without a `month` of its own, given by its first day, it always bills the month before the clock's.
    """

    id: str
    month: date | None = None
    listed_from: datetime | None = None

    def is_listed(self, now: datetime) -> bool:
        """Whether it is there at this moment."""
        return self.listed_from is None or self.listed_from <= now

    def billed_month(self, now: datetime) -> date:
        """The month that it bills, as seen at this moment."""
        return self.month or month_before(now)

    def dated(self, now: datetime) -> date:
        """The day that it bears: when it is listed first, else the 8th of the month after the billed one."""
        if self.listed_from is not None:
            return self.listed_from.date()
        return month_after(self.billed_month(now)).replace(day=_USUAL_DAY)


class Invoices:
    """The new-commerce invoices, in the order in which they were made known."""

    def __init__(self, ids: Iterable[str], now: Clock) -> None:
        self._now = now
        self._invoices = {id_: Invoice(id_) for id_ in ids}

    def add(self, invoice_id: str, month: str | None, listed_from: datetime | None) -> None:
        """Makes an invoice known, or another one of it.

        Raises:
            ValueError: when the month is not of the form `2026-10`.
        """
        listed_from = listed_from and listed_from.astimezone(UTC)
        billed = date.fromisoformat(f"{month}-01") if month else listed_from and month_before(listed_from)
        self._invoices[invoice_id] = Invoice(invoice_id, billed, listed_from)

    def listed(self) -> list[Invoice]:
        """Those that are there at this moment."""
        return [invoice for invoice in self._invoices.values() if invoice.is_listed(self._now())]

    def has(self, invoice_id: str) -> bool:
        """Whether the invoice is there at this moment."""
        return any(invoice.id == invoice_id for invoice in self.listed())

    def month(self, invoice_id: str) -> date | None:
        """The month that the invoice has of its own, if it is known and has one."""
        invoice = self._invoices.get(invoice_id)
        return invoice.month if invoice else None
