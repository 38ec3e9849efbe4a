"""How does Microsoft reckon, and how does it round?

Amounts are decimals throughout. A day's usage is billed unrounded; an invoice line is cut to cents, toward zero, once
in the pricing currency and once more in the billing currency.

Source: https://learn.microsoft.com/partner-center/billing/use-the-reconciliation-files
"""

from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal

EXACT = Context(prec=60)
"""Products keep all their digits, whatever the precision of the program around."""

CENT = Decimal("0.01")
NOTHING = Decimal("0.00")


def cut(amount: Decimal) -> Decimal:
    """The amount in whole cents: what is beyond them is cut off, of a credit as well."""
    return amount.quantize(CENT, ROUND_DOWN)


def after_credit(unit_price: Decimal, percentage: int) -> Decimal:
    """The price that is left of a unit price when the partner's earned credit is taken off."""
    return unit_price * (100 - percentage) / 100


def usage_subtotal(price: Decimal, quantity: Decimal, rate: Decimal) -> Decimal:
    """What a month of a meter costs: in cents of the pricing currency first, then in those of the billing currency."""
    return cut(cut(price * quantity) * rate)


def licence_subtotal(price: Decimal, quantity: Decimal, rate: Decimal) -> Decimal:
    """What licences cost: the price of one in cents of the billing currency, times their number."""
    return cut(price * rate) * quantity


def tax(subtotal: Decimal, percentage: int) -> Decimal:
    """The tax on one line, to the nearest cent."""
    # Added to nothing, no tax on a credit is 0, not -0.
    return NOTHING + (subtotal * percentage / 100).quantize(CENT, ROUND_HALF_UP)
