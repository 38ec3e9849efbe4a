"""What does Partner Center's list say? Its entries as documents: of which month each is, and what takes whose place.

An entry may hold others in `amendments[]`, whole ones of the same form. What is not set or makes no sense is passed
over where something else says the same; else the document is of no month, and stands in nobody's way.

Source: https://learn.microsoft.com/partner-center/developer/invoice-resources
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from catalog.datasets import INVOICE_ID
from catalog.months import month_before, month_of
from failures.text import MOST_CODE_CHARACTERS, cleaned

INVOICE, ADJUSTMENT_NOTE, VOID_NOTE = KINDS = ("invoice", "adjustment_note", "void_note")
"""The document types that are known, as they are written here; Partner Center spells them in several ways."""

UNKNOWN = "unknown"
"""The kind or the id of what says none."""


@dataclass(frozen=True)
class Document:
    """A document of new commerce. `month` is the one that it bills (`2026-09`); None: nobody can tell.

    `kind` is one of `KINDS`, or Partner Center's own word for another one. `amends` is the id of the invoice that it
    corrects or replaces. Whether it is `voided` by a note itself, and `replaced_by` which invoice, others say. `total`
    is what it charges, as text, in `currency`.
    """

    id: str
    kind: str
    month: str | None
    amends: str | None = None
    voided: bool = False
    replaced_by: str | None = None
    total: str | None = None
    currency: str | None = None

    @property
    def is_exported(self) -> bool:
        """Whether it has lines of its own: an invoice of a known month, be it void, and no note."""
        return self.kind == INVOICE and self.month is not None


@dataclass(frozen=True)
class _Entry:
    """One entry as it stands: the months that its period and its date tell of, and which one it says to amend."""

    id: str
    kind: str
    period: str | None
    dated: str | None
    amends: str | None
    total: str | None
    currency: str | None

    @property
    def is_of_new_commerce(self) -> bool:
        """Legacy documents have ids of another letter; what has no id could be either."""
        return self.id[:1].upper() == "G" or self.id == UNKNOWN

    @property
    def has_usable_id(self) -> bool:
        return bool(INVOICE_ID.fullmatch(self.id))


def documents_of(items: Iterable[object]) -> list[Document]:
    """The documents of new commerce among the list's entries, each once, by their ids, and what void notes name."""
    entries = [entry for entry in _entries(items) if entry.is_of_new_commerce]
    known = _by_id(entries)
    amended = {entry: _amended(entry, known) for entry in entries}
    voided = {amends: entry for entry, amends in amended.items() if entry.kind == VOID_NOTE and amends}
    known = _voided_by(voided) | known
    replaced = {amends: entry.id for entry, amends in amended.items() if entry.kind == INVOICE and amends != entry.id}
    return [
        Document(
            id_,
            entry.kind,
            _month(entry, known) if entry.has_usable_id else None,
            amended.get(entry),
            id_ in voided,
            replaced.get(id_),
            entry.total,
            entry.currency,
        )
        for id_, entry in sorted(known.items())
    ]


def _by_id(entries: Iterable[_Entry]) -> dict[str, _Entry]:
    """A note may bear the id of the invoice that it is about: then the id is the invoice's."""
    return {entry.id: entry for entry in sorted(entries, key=lambda entry: entry.kind == INVOICE)}


def _voided_by(notes: Mapping[str, _Entry]) -> dict[str, _Entry]:
    """The invoices of these ids, as far as their void notes tell: a note may stand in the place of its invoice."""
    return {
        id_: replace(note, id=id_, kind=INVOICE, total=None) for id_, note in notes.items() if INVOICE_ID.fullmatch(id_)
    }


def _entries(items: Iterable[object]) -> Iterator[_Entry]:
    """All entries, those that are nested in others too."""
    waiting: list[tuple[object, str | None]] = [(item, None) for item in items]
    while waiting:
        item, within = waiting.pop()
        content = item if isinstance(item, Mapping) else {}
        entry = _entry(content, within)
        yield entry
        amendments = content.get("amendments")
        waiting += [(amendment, entry.id) for amendment in amendments] if isinstance(amendments, list) else []


def _entry(content: Mapping[str, Any], within: str | None) -> _Entry:
    period = _moment(content.get("billingPeriodStartDate")) or _moment(content.get("billingPeriodEndDate"))
    date = _moment(content.get("invoiceDate"))
    return _Entry(
        cleaned(content.get("id"), UNKNOWN, MOST_CODE_CHARACTERS),
        _kind(content.get("documentType")),
        month_of(period) if period else None,
        month_before(date) if date else None,
        cleaned(content.get("amendsOf"), "", MOST_CODE_CHARACTERS) or within,
        _amount(content.get("totalCharges")),
        cleaned(content.get("currencyCode"), "", MOST_CODE_CHARACTERS) or None,
    )


def _amount(value: object) -> str | None:
    """The amount with at least two decimals, as the shortest text of the number that was read; None for none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    amount = Decimal(str(value))
    if not amount.is_finite():
        return None
    in_cents = f"{amount:.2f}"
    return in_cents if Decimal(in_cents) == amount else f"{amount:f}"


def _kind(document_type: object) -> str:
    told = cleaned(document_type, UNKNOWN, MOST_CODE_CHARACTERS)
    plain = told.replace("_", "").lower()
    return next((kind for kind in KINDS if kind.replace("_", "") == plain), told)


def _moment(text: object) -> datetime | None:
    """The date; None where it is none of this century: `0001-01-01` stands for one that is not set."""
    try:
        moment = datetime.fromisoformat(text[:10]) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment if moment and 2000 < moment.year < 2100 else None


def _chain(entry: _Entry, known: Mapping[str, _Entry]) -> Iterator[_Entry]:
    """The entry, the one that it amends, the one that that amends, and so on, each once.

    What names no other may be a note that bears the id of the one that it is about.
    """
    passed = {entry}
    yield entry
    while (amended := known.get(entry.amends or entry.id)) and amended not in passed:
        yield amended
        passed.add(amended)
        entry = amended


def _amended(entry: _Entry, known: Mapping[str, _Entry]) -> str | None:
    """The id of the invoice that the entry amends, be it by way of notes; of one that is not listed what it says."""
    chain = list(_chain(entry, known))
    return next((other.id for other in chain[1:] if other.kind == INVOICE), chain[-1].amends)


def _month(entry: _Entry, known: Mapping[str, _Entry]) -> str | None:
    """The month of its own period; else that of what it amends, which may be long past; else what its date tells."""
    chain = list(_chain(entry, known))
    told = [*(other.period for other in chain), *(other.dated for other in reversed(chain))]
    return next(filter(None, told), None)
