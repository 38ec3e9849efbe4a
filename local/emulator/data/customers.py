"""Whom does the bill speak of: which partner, which customers, with which subscriptions?"""

import uuid
from dataclasses import dataclass
from random import Random

_FIRST = ("Contoso", "Fabrikam", "Northwind", "Tailspin", "Wingtip", "Litware", "Proseware", "Adatum", "Trey", "Lamna")
_SECOND = ("Retail", "Health", "Logistics", "Foods", "Media", "Energy", "Research", "Insurance", "Schools", "Mobility")
_COUNTRIES = ("DE", "FR", "NL", "AT", "ES", "IT", "IE", "BE")
_STAGES = ("Production", "Development", "Shared services")
_RESOURCE_GROUPS = ("rg-web", "rg-data", "rg-platform", "RG-BACKUP", "rg-analytics")


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
    """A customer of the partner. `country` is its ISO 3166 code."""

    id: str
    name: str
    domain: str
    country: str
    subscriptions: tuple[Subscription, ...]


def guid(draw: Random) -> str:
    """A GUID of version 4 in lower case."""
    return str(uuid.UUID(int=draw.getrandbits(128), version=4))


def partner_tenant_id(seed: int) -> str:
    """The Microsoft Entra tenant of the partner: the same for all data of a seed."""
    return guid(Random(f"partner {seed}"))


def customers(seed: int, count: int) -> tuple[Customer, ...]:
    """So many customers. Those of a smaller count are the first of a larger one."""
    return tuple(_customer(Random(f"customer {seed} {index}"), index) for index in range(count))


def _customer(draw: Random, index: int) -> Customer:
    name = _name(index)
    domain = f"{name.replace(' ', '').lower()}.onmicrosoft.com"
    plan_id = guid(draw)
    stages = _STAGES[: draw.randint(1, len(_STAGES))]
    subscriptions = tuple(_subscription(draw, plan_id, stage) for stage in stages)
    return Customer(guid(draw), name, domain, draw.choice(_COUNTRIES), subscriptions)


def _name(index: int) -> str:
    first, second = index % len(_FIRST), (index + index // len(_FIRST)) % len(_SECOND)
    generation = index // (len(_FIRST) * len(_SECOND))
    return f"{_FIRST[first]} {_SECOND[second]}" + (f" {generation + 1}" if generation else "")


def _subscription(draw: Random, plan_id: str, stage: str) -> Subscription:
    return Subscription(plan_id, guid(draw), stage, tuple(draw.sample(_RESOURCE_GROUPS, draw.randint(2, 4))))
