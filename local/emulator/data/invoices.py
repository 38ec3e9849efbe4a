"""Which invoices are there, from when on, and what happens to them?"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from local.emulator.clock import Now
from local.emulator.data.events import (
    AMENDED_AFTER,
    AMENDMENTS,
    CORRECTIONS,
    CURRENCIES,
    FIRST_CURRENCY,
    INVOICE_LATE_BY,
    RESTATED_AFTER,
    USAGE_LATE_BY,
    Event,
    EventKind,
    usual_events,
)
from local.emulator.data.months import month_after, month_before, month_of, months_back

_USUAL_DAY = 8
_REPLACING, _VOID_NOTE, _ADJUSTMENT_NOTE = 5_000_000, 6_000_000, 7_000_000


@dataclass(frozen=True)
class Invoice:
    """An invoice for one month, which is there from `listed_from` on, or always.

    Without a `month` of its own, given by its first day, it always bills the month before the clock's. `replaces` is
    the invoice that it corrects.
    """

    id: str
    month: date | None = None
    listed_from: datetime | None = None
    currency: str = FIRST_CURRENCY
    replaces: str = ""

    def is_listed(self, now: datetime) -> bool:
        """Whether it is there at this moment."""
        return self.listed_from is None or self.listed_from <= now

    def billed_month(self, now: datetime) -> date:
        """The month that it bills, as seen at this moment."""
        return self.month or month_before(now)

    def bills(self, month: date, now: datetime) -> bool:
        """Whether it bills this month, or will when the month is over."""
        return self.month == month if self.month else month in (month_of(now), month_before(now))

    def dated(self, now: datetime) -> date:
        """The day that it bears: when it is listed first, else the 8th of the month after the billed one."""
        if self.listed_from is not None:
            return self.listed_from.date()
        return month_after(self.billed_month(now)).replace(day=_USUAL_DAY)

    def issued(self, now: datetime) -> datetime:
        """When it was issued: the moment from which what happens to it is counted."""
        return self.listed_from or datetime.combine(self.dated(now), time(), UTC)


class Invoices:
    """The new-commerce invoices, in the order in which they were made known, and then those of the partner's past.

    The partner has a past of so many months, with two invoices a month; where it has none, there are only those made
    known. What happens to invoices is said by `events`; with a past, things happen in certain months besides.
    """

    def __init__(self, ids: Iterable[str], now: Now, months: int = 0, events: Collection[Event] = ()) -> None:
        self._now = now
        self._events = events
        self._first_month = months_back(month_before(now()), months - 1) if months else None
        # With a past, an invoice keeps its month when the clock goes on.
        self._invoices = {id_: Invoice(id_, month_before(now()) if months else None) for id_ in ids}

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
        return [invoice for invoice in self._all() if invoice.is_listed(self._now()) and not self._is_late(invoice)]

    def has(self, invoice_id: str) -> bool:
        """Whether the invoice is there at this moment."""
        return any(invoice.id == invoice_id for invoice in self.listed())

    def find(self, invoice_id: str) -> Invoice:
        """The invoice; one that no one has made known bills the month before the clock's."""
        return next((invoice for invoice in self._all() if invoice.id == invoice_id), Invoice(invoice_id))

    def is_past(self, invoice: Invoice) -> bool:
        """Whether it is one of the partner's past, that no one has made known."""
        return (invoice.replaces or invoice.id) not in self._invoices

    def of(self, month: date, currency: str) -> list[Invoice]:
        """Those for a month in a currency, be they there yet or not, without those that replace others."""
        return [
            invoice
            for invoice in (*self._invoices.values(), *self._past())
            if invoice.currency == currency and invoice.bills(month, self._now())
        ]

    def happenings(self, invoice: Invoice) -> frozenset[EventKind]:
        """What happens to an invoice, sooner or later."""
        month = invoice.billed_month(self._now())
        events = self.events(month, invoice.currency)
        is_first = events and not invoice.replaces and self.of(month, invoice.currency)[:1] == [invoice]
        return events if is_first else frozenset()

    def events(self, month: date, currency: str) -> frozenset[EventKind]:
        """What happens to the first invoice for a month in a currency."""
        has_past = self._first_month is not None and self._first_month <= month
        events = (*self._events, *(usual_events(month) if has_past else ()))
        return frozenset(event.kind for event in events if (event.month, event.currency) == (month, currency))

    def restated(self, invoice: Invoice) -> datetime | None:
        """When the invoice was restated, if that has happened."""
        moment = invoice.issued(self._now()) + RESTATED_AFTER
        return moment if "restatement" in self.happenings(invoice) and moment <= self._now() else None

    def has_usage(self, invoice: Invoice) -> bool:
        """Whether the invoice's usage can be exported by now."""
        happenings = self.happenings(self.find(invoice.replaces) if invoice.replaces else invoice)
        is_late = "late-usage" in happenings and self._now() < invoice.issued(self._now()) + USAGE_LATE_BY
        return not is_late and "licences-only" not in happenings

    def amendments(self, invoice: Invoice) -> frozenset[EventKind]:
        """What has amended the invoice by now."""
        is_time = invoice.issued(self._now()) + AMENDED_AFTER <= self._now()
        return self.happenings(invoice) & AMENDMENTS if is_time else frozenset()

    def replacing(self, invoice: Invoice) -> Invoice | None:
        """What takes the invoice's place, sooner or later; None where nothing does."""
        if not CORRECTIONS & self.happenings(invoice):
            return None
        now = self._now()
        replaced_at = invoice.issued(now) + AMENDED_AFTER
        return Invoice(replacing_id(invoice.id), invoice.billed_month(now), replaced_at, invoice.currency, invoice.id)

    def is_nested(self, invoice: Invoice) -> bool:
        """Whether it is listed within the invoice that it replaces."""
        return bool(invoice.replaces) and "nested-correction" in self.happenings(self.find(invoice.replaces))

    def _is_late(self, invoice: Invoice) -> bool:
        is_early = self._now() < invoice.issued(self._now()) + INVOICE_LATE_BY
        return is_early and "late-invoice" in self.happenings(invoice)

    def _all(self) -> Iterator[Invoice]:
        for invoice in (*self._invoices.values(), *self._past()):
            yield invoice
            if replacing := self.replacing(invoice):
                yield replacing

    def _past(self) -> Iterator[Invoice]:
        month = self._first_month
        known = {invoice.month for invoice in self._invoices.values()}
        while month and month <= self._now().date():
            for currency in CURRENCIES:
                if currency != FIRST_CURRENCY or month not in known:
                    issued = datetime.combine(month_after(month).replace(day=_USUAL_DAY), time(), UTC)
                    yield Invoice(_past_id(month, currency), month, issued, currency)
            month = month_after(month)


def replacing_id(invoice_id: str) -> str:
    """The id of the invoice that takes this one's place."""
    return _related(invoice_id, _REPLACING)


def void_note_id(invoice_id: str) -> str:
    """The id of the note that makes this invoice void."""
    return _related(invoice_id, _VOID_NOTE)


def adjustment_note_id(invoice_id: str) -> str:
    """The id of the note that gives back a part of this invoice."""
    return _related(invoice_id, _ADJUSTMENT_NOTE)


def _past_id(month: date, currency: str) -> str:
    return f"G{(month.year * 12 + month.month) * 100 + CURRENCIES.index(currency):09}"


def _related(invoice_id: str, distance: int) -> str:
    return f"G{int(invoice_id[1:]) + distance:09}"
