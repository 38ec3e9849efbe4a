"""What do the partner's books say of a month: its invoices, what each comes to, and what is not billed yet?"""

from dataclasses import replace
from datetime import date
from decimal import Decimal, localcontext

from local.emulator.clock import Now
from local.emulator.data.bill import Bill
from local.emulator.data.customers import customers_in
from local.emulator.data.invoices import Invoice, Invoices
from local.emulator.data.money import EXACT
from local.emulator.data.months import last_day
from local.emulator.data.reconciliation import total_charges
from local.emulator.options import EmulatorOptions

_MOST_PAST_ROWS = 20_000
"""Invoices of the past have no more usage than that, so that a long list of them has its totals in a second."""


class Books:
    """One consistent ledger: every figure that the emulator gives of a month comes from here."""

    def __init__(self, options: EmulatorOptions, invoices: Invoices, now: Now) -> None:
        self._options = options
        self._invoices = invoices
        self._now = now
        self._totals: dict[str, Decimal] = {}

    def billed(self, invoice_id: str, revision: int) -> Bill:
        """The bill that an invoice is for, as a restatement has it."""
        invoice = self._invoices.find(invoice_id)
        month = invoice.billed_month(self._now())
        return self._bill(invoice, month, last_day(month), self._share(invoice, month), revision)

    def unbilled(self, currency: str, month: date, revision: int) -> list[Bill]:
        """What a month's bills in a currency have come to until today, before there are invoices."""
        until = min(self._now().date(), last_day(month))
        invoices = self._invoices.of(month, currency) or [Invoice("", month, currency=currency)]
        bills = [self._bill(one, month, until, str(share), revision) for share, one in enumerate(invoices)]
        return [replace(bill, invoice_id="") for bill in bills]

    def total(self, invoice_id: str, revision: int) -> Decimal:
        """What an invoice comes to."""
        bill = self.billed(invoice_id, revision)
        if bill.name not in self._totals:
            with localcontext(EXACT):
                self._totals[bill.name] = total_charges(bill)
        return self._totals[bill.name]

    def _bill(self, invoice: Invoice, month: date, until: date, share: str, revision: int) -> Bill:
        options = self._options
        rows = options.blobs * options.rows
        return Bill(
            seed=options.seed,
            invoice_id=invoice.id,
            month=month,
            until=until,
            currency=invoice.currency,
            share=share,
            customers=customers_in(month, invoice.currency, options.seed, options.customers),
            usage_rows=min(rows, _MOST_PAST_ROWS) if self._invoices.is_past(invoice) else rows,
            # An invoice that replaces another one says what that should have said.
            revision=revision + 1 if invoice.replaces else revision,
            only_licences=share == "0" and "licences-only" in self._invoices.events(month, invoice.currency),
            differences=frozenset(options.differences),
        )

    def _share(self, invoice: Invoice, month: date) -> str:
        ids = [one.id for one in self._invoices.of(month, invoice.currency)]
        id_ = invoice.replaces or invoice.id
        return str(ids.index(id_)) if id_ in ids else id_
