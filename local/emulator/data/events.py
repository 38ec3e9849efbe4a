"""What happens to the invoices of a month after they have been issued?"""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, Self, get_args

EventKind = Literal[
    "restatement",
    "correction",
    "nested-correction",
    "void",
    "adjustment-note",
    "licences-only",
    "late-usage",
    "late-invoice",
    "no-date",
    "no-period",
    "undated",
]
"""What can happen to the first invoice of a month in one currency:

- a restatement: the same invoice has other lines and another total, three days after it was issued;
- a correction: five days after, it is void, and another invoice takes its place, beside it or nested in it;
- a void: five days after, a void note takes its place in the list, which holds an adjustment note;
- an adjustment note: five days after, a part of it is given back, beside its lines;
- licences only: the month has no usage, and exports of it end without data for ever;
- late usage: it can be exported 48 hours after the reconciliation;
- a late invoice: it is listed three days after the day that it bears, and has no data before;
- no date, no period, undated: its date, its billing period or both are not set.
"""

FIRST_CURRENCY = "EUR"
CURRENCIES = (FIRST_CURRENCY, "USD")
"""The currencies that the partner has invoices in."""

EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)

RESTATED_AFTER = timedelta(days=3)
AMENDED_AFTER = timedelta(days=5)
USAGE_LATE_BY = timedelta(hours=48)
INVOICE_LATE_BY = timedelta(days=3)

CORRECTIONS: frozenset[EventKind] = frozenset({"correction", "nested-correction"})
AMENDMENTS: frozenset[EventKind] = CORRECTIONS | {"void", "adjustment-note"}


@dataclass(frozen=True)
class Event:
    """Something that happens to the first invoice for a month, given by its first day, in a currency."""

    kind: EventKind
    month: date
    currency: str = FIRST_CURRENCY

    @classmethod
    def read(cls, text: str) -> Self:
        """The event that a text like `restatement=2026-10` or `late-usage=2026-10=USD` names.

        Raises:
            ValueError: when it names none.
        """
        kind, _, rest = text.partition("=")
        month, _, currency = rest.partition("=")
        currency = currency or FIRST_CURRENCY
        with suppress(ValueError):
            if kind in EVENT_KINDS and currency in CURRENCIES:
                return cls(kind, date.fromisoformat(f"{month}-01"), currency)
        raise ValueError(
            f"'{text}' is no event: give one of {', '.join(EVENT_KINDS)}, and its month: correction=2026-10. "
            "Behind that there may be the currency of an invoice that is not in EUR: late-usage=2026-10=USD."
        )


_CALENDAR: dict[int, tuple[EventKind, str]] = {
    1: ("restatement", "EUR"),
    3: ("correction", "EUR"),
    5: ("adjustment-note", "EUR"),
    7: ("licences-only", "USD"),
    9: ("late-usage", "USD"),
    11: ("restatement", "USD"),
}


def usual_events(month: date) -> Collection[Event]:
    """What happens in this month of every year, unless one asks for something else."""
    if month.month not in _CALENDAR:
        return ()
    kind, currency = _CALENDAR[month.month]
    return (Event(kind, month, currency),)
