"""What is on an invoice that no one used: licences, commitments, the marketplace, software, credits?

Daily usage never holds these.

Source: https://learn.microsoft.com/partner-center/billing/use-the-reconciliation-files
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from random import Random

from local.emulator.data.bill import PRICING_CURRENCY, Bill
from local.emulator.data.customers import Customer, guid
from local.emulator.data.money import cut
from local.emulator.data.months import last_day, month_before
from local.emulator.data.offers import CREDIT, LICENCES, MARKETPLACE, RESERVATION, SAVINGS_PLAN, SOFTWARE, Offer

_MOST_LICENCES = 4
_ABROAD = Decimal("0.92")
"""The price lists of other currencies are this part of the one in dollars, in number."""

_PROMOTION = 15
"""Percent off."""


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """A charge for an offer that a customer has bought, from `start` to `end`. A negative `quantity` is given back.

    `price` is what one costs of `list_price`, in the billing currency. `order` is what Azure calls a commitment.
    """

    customer: Customer
    offer: Offer
    subscription_id: str
    charge_type: str
    start: date
    end: date
    quantity: int
    list_price: Decimal
    price: Decimal
    order: str = ""
    promotion: str = ""
    adjustment: str = ""
    credit_reason: str = ""

    @property
    def ordered(self) -> date:
        """The day of its order: what is not bought just now was ordered when the customer came."""
        return self.start if self.charge_type == "new" else self.customer.since


def purchases(bill: Bill) -> Iterator[Purchase]:
    """All charges of the bill that are not usage, until its day."""
    everything = (*_licences(bill), *_savings_plans(bill), *_single(bill))
    return (one for one in everything if one.start <= bill.until)


def _licences(bill: Bill) -> Iterator[Purchase]:
    for customer in bill.customers.all:
        # What a customer has is the same in every month; how many of them is not.
        held = Random(f"licences {customer.plan_id} {bill.share}")
        draw = Random(f"licences {customer.plan_id} {bill.source}")
        for offer in held.sample(LICENCES, held.randint(1, _MOST_LICENCES)):
            subscription_id, usual = guid(held), held.randint(1, 250)
            is_promoted = held.random() < 0.1
            yield _licence(bill, customer, offer, subscription_id, usual + draw.randint(0, 9), is_promoted)
            if draw.random() < 0.2:
                yield _change(bill, customer, offer, subscription_id, draw, is_promoted)


def _licence(
    bill: Bill, customer: Customer, offer: Offer, subscription_id: str, quantity: int, is_promoted: bool
) -> Purchase:
    """The month's fee."""
    list_price = _list_price(offer, bill.currency)
    return Purchase(
        customer=customer,
        offer=offer,
        subscription_id=subscription_id,
        charge_type="cycleFee",
        start=bill.month,
        end=bill.last_day,
        quantity=quantity,
        list_price=list_price,
        price=list_price * (100 - _PROMOTION) / 100 if is_promoted else list_price,
        promotion="39NFJQT1Q5KL" if is_promoted else "",
        adjustment=f"{_PROMOTION}% promotion" if is_promoted else "",
    )


def _change(
    bill: Bill, customer: Customer, offer: Offer, subscription_id: str, draw: Random, is_promoted: bool
) -> Purchase:
    """Seats that were added within the month, or given back for a part of the month before."""
    fee = _licence(bill, customer, offer, subscription_id, 1, is_promoted)
    day = draw.randint(2, 28)
    # Who has just come has nothing to give back.
    is_added = draw.random() < 0.6 or customer.since == bill.month
    month = bill.month if is_added else month_before(bill.month)
    seats = draw.randint(1, 9)
    days_left = Decimal(last_day(month).day - day + 1)
    part = cut(fee.price * days_left / last_day(month).day)
    return Purchase(
        customer=customer,
        offer=offer,
        subscription_id=subscription_id,
        charge_type="addQuantity" if is_added else "removeQuantity",
        start=month.replace(day=day),
        end=last_day(month),
        quantity=seats if is_added else -seats,
        list_price=fee.list_price,
        price=part,
        promotion=fee.promotion,
        adjustment=fee.adjustment or "Part of a month",
    )


def _savings_plans(bill: Bill) -> Iterator[Purchase]:
    """The month's rate of every savings plan, on each invoice that has usage which it covers."""
    for customer in bill.customers.all:
        if customer.savings_plan and not bill.only_licences:
            yield _bought(bill, SAVINGS_PLAN, customer, charge_type="cycleFee", order=customer.savings_plan)


def _single(bill: Bill) -> Iterator[Purchase]:
    """What is bought now and then, each of it by some customer in every month."""
    draw = Random(f"purchases {bill.source}")
    marketplace = draw.choice(bill.customers.all)
    yield _bought(bill, MARKETPLACE, marketplace, charge_type="cycleFee", quantity=draw.randint(5, 90))
    if bill.only_licences:
        return
    yield _bought(bill, RESERVATION, draw.choice(bill.customers.all), day=draw.randint(1, 28), order=guid(draw))
    yield _bought(bill, SOFTWARE, draw.choice(bill.customers.all), day=draw.randint(1, 28))
    yield _credit(bill, draw.choice(bill.customers.all), draw.randint(1, 28))


def _bought(
    bill: Bill,
    offer: Offer,
    customer: Customer,
    *,
    charge_type: str = "new",
    day: int = 1,
    quantity: int = 1,
    order: str = "",
) -> Purchase:
    price = _list_price(offer, bill.currency)
    return Purchase(
        customer=customer,
        offer=offer,
        subscription_id=order or guid(Random(f"{offer.sku} {customer.plan_id}")),
        charge_type=charge_type,
        start=bill.month.replace(day=day),
        end=bill.last_day,
        quantity=quantity,
        list_price=price,
        price=price,
        order=order,
    )


def _credit(bill: Bill, customer: Customer, day: int) -> Purchase:
    """What Microsoft gives back for a service that was not there; more of it with each restatement."""
    amount = _list_price(CREDIT, bill.currency) + bill.revision
    return Purchase(
        customer=customer,
        offer=CREDIT,
        subscription_id=customer.plan_id,
        charge_type="customerCredit",
        start=bill.month.replace(day=day),
        end=bill.month.replace(day=day),
        quantity=-1,
        list_price=amount,
        price=amount,
        adjustment="Service credit",
        credit_reason="Service Credit",
    )


def _list_price(offer: Offer, currency: str) -> Decimal:
    return offer.price if currency == PRICING_CURRENCY else cut(offer.price * _ABROAD)
