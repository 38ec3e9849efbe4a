"""Who are the partner's customers in a month, and what do they have?"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import accumulate
from random import Random

_NAMES = (
    "Contoso, Inc.",
    "Müller & Söhne GmbH",
    "Northwind Traders",
    "Former customer",
    'Fabrikam "West" SE',
    "日本酒造株式会社",
    "Żabka Łódź S.A.",
    "O'Neill\\Partners",
)
_FIRST = ("Contoso", "Fabrikam", "Northwind", "Tailspin", "Wingtip", "Litware", "Proseware", "Adatum", "Trey", "Lamna")
_SECOND = ("Retail", "Health", "Logistics", "Foods", "Media", "Energy", "Research", "Insurance", "Schools", "Mobility")
_COUNTRIES = {"EUR": ("DE", "FR", "NL", "AT", "ES", "IT", "IE", "BE"), "USD": ("US",), "GBP": ("GB",)}
_STAGES = ("Production", "Development", "Shared services")
_RESOURCE_GROUPS = ("rg-web", "rg-data", "rg-platform", "RG-BACKUP", "rg-analytics")
_RESELLERS = ("0", "0", "5104417", "5230986", "6027731")
"""Tier 2: the resellers' ids; 0 where the partner sells to the customer itself."""

_WITHOUT_ID = 3
"""The customer who has left the partner, and whose lines name no id."""


@dataclass(frozen=True)
class Subscription:
    """An Azure subscription (`entitlement_id`) below the customer's Azure plan (`plan_id`)."""

    plan_id: str
    entitlement_id: str
    description: str
    resource_groups: tuple[str, ...]

    @property
    def uri(self) -> str:
        """Where Azure Resource Manager has it."""
        return f"/subscriptions/{self.entitlement_id}"


@dataclass(frozen=True)
class Customer:
    """A customer of the partner, `since` the first day of some month. `country` is its ISO 3166 code.

    `id` is empty for one who has left. `savings_plan` is the order of a customer's savings plan; empty without one.
    """

    id: str
    name: str
    domain: str
    country: str
    reseller: str
    subscriptions: tuple[Subscription, ...]
    savings_plan: str
    since: date

    @property
    def plan_id(self) -> str:
        """The customer's Azure plan: the one id that every customer has."""
        return self.subscriptions[0].plan_id


@dataclass(frozen=True)
class Customers:
    """The customers of one month: the first has a tenth of the usage, and half of them have next to none."""

    all: tuple[Customer, ...]

    @cached_property
    def large(self) -> tuple[Customer, ...]:
        """Those who share what is used beyond a little."""
        return self.all[: (len(self.all) + 1) // 2]

    @cached_property
    def shares(self) -> list[float]:
        """What those have of it, added up, so that one can be drawn by it."""
        others = [1 / (index + 3) for index in range(len(self.large) - 1)]
        return list(accumulate([sum(others) / 9 or 1, *others]))

    def drawn(self, draw: Random) -> Iterator[tuple[Customer, bool]]:
        """Who uses something, and whether it is a small customer: each of them once, then the large ones by share."""
        for index, customer in enumerate(self.all):
            yield customer, index >= len(self.large)
        while True:
            yield draw.choices(self.large, cum_weights=self.shares)[0], False


def guid(draw: Random) -> str:
    """A GUID of version 4 in lower case."""
    return str(uuid.UUID(int=draw.getrandbits(128), version=4))


def partner_tenant_id(seed: int) -> str:
    """The Microsoft Entra tenant of the partner: the same for all data of a seed."""
    return guid(Random(f"partner {seed}"))


def customers_in(month: date, currency: str, seed: int, count: int) -> Customers:
    """The customers who are billed in a currency for a month. Those of a smaller count are the first of a larger one.

    When one leaves, after months or years, another comes.
    """
    return Customers(tuple(_customer(month, currency, seed, index) for index in range(count)))


def _customer(month: date, currency: str, seed: int, index: int) -> Customer:
    draw = Random(f"place {seed} {currency} {index}")
    stay, before = draw.randint(9, 60), draw.randint(0, 59)
    generation = (month.year * 12 + month.month + before) // stay
    came = generation * stay - before - 1
    draw = Random(f"customer {seed} {currency} {index} {generation}")
    name = _name(index, generation)
    plan_id = guid(draw)
    stages = _STAGES[: draw.randint(1, len(_STAGES))]
    return Customer(
        id="" if index == _WITHOUT_ID else guid(draw),
        name=name,
        domain=f"customer{draw.randint(1000, 9999)}{index}.onmicrosoft.com",
        country=draw.choice(_COUNTRIES.get(currency, ("CH",))),
        reseller=draw.choice(_RESELLERS),
        subscriptions=tuple(_subscription(draw, plan_id, stage) for stage in stages),
        savings_plan=guid(draw) if index % 3 == 0 else "",
        since=date(came // 12, came % 12 + 1, 1),
    )


def _name(index: int, generation: int) -> str:
    trade = _SECOND[generation % len(_SECOND)]
    if index < len(_NAMES):
        return f"{_NAMES[index]} ({trade})"
    name = f"{_FIRST[index % len(_FIRST)]} {trade}"
    return name if index < len(_FIRST) else f"{name} {index // len(_FIRST) + 1}"


def _subscription(draw: Random, plan_id: str, stage: str) -> Subscription:
    return Subscription(plan_id, guid(draw), stage, tuple(draw.sample(_RESOURCE_GROUPS, draw.randint(2, 4))))
