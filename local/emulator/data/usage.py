"""What do the customers' resources use in a month, and what does a day of it cost?

A resource uses one meter for some days in a row. What it has used by the end of each day is a part of its whole, so
that a month until today is the beginning of the whole month, and the days add up to it exactly.

Source: https://learn.microsoft.com/partner-center/billing/daily-rated-usage-recon-files
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from random import Random

from local.emulator.data.bill import Bill
from local.emulator.data.customers import Customer, Subscription
from local.emulator.data.meters import METERS, Meter
from local.emulator.data.money import after_credit
from local.emulator.data.months import last_day, month_before
from local.emulator.data.regions import REGIONS

_SMALLEST = Decimal("0.00001")
_WEEK = (10, 12, 11, 12, 10, 6, 5)
_SMALL_CUSTOMERS_DAYS = 10
_EARNED_CREDITS = (0, 15, 15, 15)
_LATE = 37
"""One resource in so many has a day that comes a month late."""


@dataclass(frozen=True, slots=True)
class Use:
    """A resource's use of a meter from one day of the month on, for so many days.

    `amount` is all of it, in the smallest part of a unit that is counted. `is_covered` says that a savings plan has
    paid for it already. `is_late` says that its first day is one of the month before.
    """

    index: int
    customer: Customer
    subscription: Subscription
    meter: Meter
    location: str
    resource_group: str
    resource: str
    tags: str
    earned_credit: int
    is_covered: bool
    is_late: bool
    first_day: int
    days: int
    amount: int

    @property
    def unit_price(self) -> Decimal:
        """The price of the price list, in dollars a unit."""
        return self.meter.price

    @property
    def price(self) -> Decimal:
        """The effective price: nothing under a savings plan, else what the earned credit leaves."""
        return Decimal(0) if self.is_covered else after_credit(self.meter.price, self.earned_credit)

    def days_until(self, day: int) -> int:
        """How many of its days have come by this day of the month."""
        return min(max(day - self.first_day + 1, 0), self.days)

    def quantity_until(self, day: int) -> Decimal:
        """What has been used by the end of this day of the month, in the meter's units."""
        return self._used(self.days_until(day)) * _SMALLEST

    def quantity_on(self, day: int) -> Decimal:
        """What is used on a day of the month that it is used on."""
        place = day - self.first_day
        return (self._used(place + 1) - self._used(place)) * _SMALLEST

    def date_of(self, day: int, month: date) -> date:
        """The usage date of a day of the month."""
        if self.is_late and day == self.first_day:
            before = month_before(month)
            return before.replace(day=min(day, last_day(before).day))
        return month.replace(day=day)

    def _used(self, days: int) -> int:
        if self.meter.is_steady:
            return self.amount * days // self.days
        return self.amount * _WEIGHTS[days] // _WEIGHTS[self.days]


_WEIGHTS = [sum(_WEEK[day % len(_WEEK)] for day in range(days)) for days in range(32)]


def uses(bill: Bill) -> Iterator[Use]:
    """What is used in the whole month of a bill, resource by resource: always the same, in the same order."""
    draw = Random(f"usage {bill.source}")
    customers = bill.customers.drawn(draw)
    month_days = bill.last_day.day
    longest = max(1, min(month_days, bill.usage_rows // 10))
    left = 0 if bill.only_licences else bill.usage_rows
    index = 0
    while left:
        customer, is_small = next(customers)
        most = min(longest, _SMALL_CUSTOMERS_DAYS) if is_small else longest
        days = min(draw.randint((most * 3 + 4) // 5, most), left)
        yield _use(bill, draw, index, customer, days, 1 if index % 2 == 0 else month_days - days + 1)
        left -= days
        index += 1


def _use(bill: Bill, draw: Random, index: int, customer: Customer, days: int, first_day: int) -> Use:
    # Meters and regions take turns, so that a small month has many of them too.
    meter = METERS[index * 7 % len(METERS)]
    location = _LOCATIONS[index * 5 % len(_LOCATIONS)]
    subscription = draw.choice(customer.subscriptions)
    amount = draw.randint(1, 100) * days * int(meter.busiest_day / _SMALLEST) // 100
    return Use(
        index=index,
        customer=customer,
        subscription=subscription,
        meter=meter,
        location=location,
        resource_group=draw.choice(subscription.resource_groups),
        resource=f"{meter.category.replace(' ', '-').lower()}-{draw.randint(1, 40):02}",
        tags=_tags(draw, subscription),
        earned_credit=draw.choice(_EARNED_CREDITS),
        is_covered=bool(customer.savings_plan) and meter.is_compute and draw.random() < 0.5,
        is_late=index % _LATE == _LATE - 1 and customer.since < bill.month,
        first_day=first_day,
        days=days,
        amount=amount + _restated(bill, index, days, amount),
    )


_LOCATIONS = tuple(REGIONS)


def _restated(bill: Bill, index: int, days: int, amount: int) -> int:
    """What a restatement adds: to every third resource, and each revision to others."""
    is_changed = bill.revision and (index + bill.revision) % 3 == 0
    return days * bill.revision + amount * bill.revision // 50 if is_changed else 0


def _tags(draw: Random, subscription: Subscription) -> str:
    """Microsoft sends tags as a JSON object, without its braces as well, or not at all."""
    tags = json.dumps({"environment": subscription.description, "cost-center": f"CC-{draw.randint(100, 120)}"})
    return draw.choice((tags, tags, tags[1:-1], ""))
