"""What is an export about?"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Self

from local.emulator.clock import Now
from local.emulator.data.datasets import DATASETS
from local.emulator.data.months import month_before, month_of


@dataclass(frozen=True)
class Subject:
    """The part of a dataset that one export has, whatever its attributes.

    `about` is the id of an invoice, or where nothing is billed yet a currency; then `month` is the month, by its first
    day, that is not billed.
    """

    dataset: str
    about: str
    month: date | None = None

    @classmethod
    def asked(cls, dataset: str, body: Mapping[str, str], now: Now) -> Self:
        """What a valid body asks for at this moment: `current` and `last` are this month and the one before."""
        return cls(dataset, body[DATASETS[dataset].about], _month(body.get("billingPeriod"), now))

    @classmethod
    def named(cls, dataset: str, about: str, billing_period: str | None, now: Now) -> Self:
        """What a caller in Python names.

        Raises:
            ValueError: when no export could be about it.
        """
        if dataset not in DATASETS:
            raise ValueError(f"There is no dataset '{dataset}', only {', '.join(DATASETS)}.")
        body = {DATASETS[dataset].about: about}
        if billing_period is not None:
            body["billingPeriod"] = billing_period
        if faults := " ".join(DATASETS[dataset].faults(body)):
            raise ValueError(f"{dataset}: {faults}")
        return cls.asked(dataset, body, now)


def _month(billing_period: str | None, now: Now) -> date | None:
    match billing_period:
        case None:
            return None
        case "last":
            return month_before(now())
        case _:
            return month_of(now())
