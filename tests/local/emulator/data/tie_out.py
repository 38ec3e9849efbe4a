"""Do a partner's documents add up? The checks that their figures must pass, each by its name."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Any

Row = dict[str, Any]
Key = tuple[str, ...]

CENT = Decimal("0.01")
NOTHING = Decimal(0)


@dataclass(frozen=True)
class Documents:
    """What Microsoft says of one invoice: its total, its reconciliation and its daily usage."""

    total: Decimal
    lines: list[Row]
    usage: list[Row]

    def broken(self) -> set[str]:
        """The names of the checks that fail."""
        return {name for name, passes in CHECKS.items() if not passes(self)}


def key(row: Row) -> Key:
    """What joins usage with the lines of an invoice."""
    return row["SubscriptionId"], row["ProductId"], row["SkuId"], row["AvailabilityId"]


def cut(amount: Decimal) -> Decimal:
    """The amount without what is beyond its cents."""
    return amount.quantize(CENT, ROUND_DOWN)


def lines_are_the_total(documents: Documents) -> bool:
    """The lines come to the invoice's total."""
    return sum((line["Total"] for line in documents.lines), NOTHING) == documents.total


def tax_is_added(documents: Documents) -> bool:
    """Each line's total is its subtotal and its tax."""
    return all(line["Total"] == line["Subtotal"] + line["TaxTotal"] for line in documents.lines)


def prices_make_subtotals(documents: Documents) -> bool:
    """Usage is cut to cents twice; of licences the price of one is cut."""
    return all(line["Subtotal"] == _subtotal(line, is_usage=bool(line["MeterDescription"])) for line in documents.lines)


def _subtotal(line: Row, *, is_usage: bool) -> Decimal:
    price, quantity, rate = line["EffectiveUnitPrice"], line["BillableQuantity"], line["PCToBCExchangeRate"]
    amount: Decimal = cut(cut(price * quantity) * rate) if is_usage else cut(price * rate) * quantity
    return amount


def quantities_agree(documents: Documents) -> bool:
    """The days of a meter are the quantity of its lines, and no line of usage is without days."""
    used = [line for line in documents.lines if line["MeterDescription"]]
    return _sum(documents.usage, "Quantity") == _sum(used, "BillableQuantity")


def usage_is_within_rounding(documents: Documents) -> bool:
    """The days of a meter cost no less than its lines, and more by less than their rounding."""
    lines = _by_key(documents)
    for one, days in _sum(documents.usage, "BillingPreTaxTotal").items():
        most = sum(CENT * line["PCToBCExchangeRate"] + CENT for line in lines[one])
        difference = days - sum(line["Subtotal"] for line in lines[one])
        if not (difference == 0 or 0 <= difference < most):
            return False
    return True


def days_cost_price_times_quantity(documents: Documents) -> bool:
    """A day costs its price times its quantity times the exchange rate, unrounded."""
    return all(
        row["EffectiveUnitPrice"] * row["Quantity"] * row["PCToBCExchangeRate"] == row["BillingPreTaxTotal"]
        for row in documents.usage
    )


def benefits_are_bought(documents: Documents) -> bool:
    """What a savings plan covers is free, and the plan is on the invoice."""
    orders = {line["ReservationOrderId"] for line in documents.lines}
    covered = [row for row in documents.usage if row["BenefitOrderId"]]
    return all(row["BillingPreTaxTotal"] == 0 and row["BenefitOrderId"] in orders for row in covered)


def customers_are_the_same(documents: Documents) -> bool:
    """Who uses something is on the invoice, under the same id and name, and there is one currency."""
    users, payers = (
        {(row["CustomerId"], row["CustomerName"]) for row in rows} for rows in (documents.usage, documents.lines)
    )
    currencies = {row["BillingCurrency"] for row in documents.usage} | {line["Currency"] for line in documents.lines}
    return users <= payers and len(currencies) == 1


def there_is_one_exchange_rate(documents: Documents) -> bool:
    """A pricing currency has one rate in a month."""
    rows = (*documents.usage, *documents.lines)
    rates = {(row["PricingCurrency"], row["PCToBCExchangeRate"]) for row in rows}
    return max(Counter(currency for currency, _ in rates).values()) == 1


CHECKS = {
    "T1": lines_are_the_total,
    "T2": tax_is_added,
    "T3": prices_make_subtotals,
    "T4": quantities_agree,
    "T5": usage_is_within_rounding,
    "T6": days_cost_price_times_quantity,
    "T7": benefits_are_bought,
    "T8": customers_are_the_same,
    "T9": there_is_one_exchange_rate,
}


def _sum(rows: list[Row], name: str) -> dict[Key, Decimal]:
    sums: defaultdict[Key, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[key(row)] += row[name]
    return dict(sums)


def _by_key(documents: Documents) -> defaultdict[Key, list[Row]]:
    lines: defaultdict[Key, list[Row]] = defaultdict(list)
    for line in documents.lines:
        lines[key(line)].append(line)
    return lines


def without_invoice(rows: list[Row]) -> Iterator[Row]:
    """The rows as they are before there is an invoice."""
    return (row | {"InvoiceNumber": ""} for row in rows)
