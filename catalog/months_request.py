"""Which billing months a caller asks for: one, or a range."""

from dataclasses import dataclass
from typing import Self

from catalog.invalid_request import InvalidRequest, fields_of, uncombined
from catalog.months import MONTH, months_between

MOST_MONTHS = 36
"""Months in one range."""

FIELDS = ("month", "from", "to")

ONE_MONTH = "A month is required, e.g. 2026-10, or else both 'from' and 'to'."
A_RANGE = "Of a range of months, both 'from' and 'to' are required, e.g. 2026-01 and 2026-10, and no 'month'."


@dataclass(frozen=True)
class MonthsRequest:
    """The billing months from the first to the last, as `2026-10`; `last` is None where one month was asked for."""

    first: str
    last: str | None = None

    @classmethod
    def parse(cls, body: object, latest: str) -> Self:
        """What a caller's JSON asks for: `{"month": …}`, or `{"from": …, "to": …}`; `latest` is the last closed month.

        Raises:
            InvalidRequest: with every fault of the body.
        """
        given = fields_of(body)
        if not given:
            raise InvalidRequest([("month", ONE_MONTH), ("from", A_RANGE), ("to", A_RANGE)])
        names = ["from", "to"] if {"from", "to"} & given.keys() else ["month"]
        faults = uncombined(given, names, FIELDS)
        faults += [(name, fault) for name in names if (fault := _fault(given.get(name), latest))]
        if not faults and names != ["month"]:
            faults += _faults_of_range(given["from"], given["to"])
        if faults:
            raise InvalidRequest(faults)
        return cls(*(given[name] for name in names))

    @property
    def run_id(self) -> str:
        """The id under which these months are exported, the same for every call."""
        return f"monthly-{self.first}" + (f"-to-{self.last}" if self.last else "")


def _fault(value: object, latest: str) -> str | None:
    if not (isinstance(value, str) and MONTH.fullmatch(value)):
        return "It must be a month, e.g. 2026-10."
    return f"It must be a month that has ended: {latest} at the latest." if value > latest else None


def _faults_of_range(first: str, last: str) -> list[tuple[str, str]]:
    if first > last:
        return [("to", "It must not be before 'from'.")]
    if len(list(months_between(first, last))) > MOST_MONTHS:
        return [("to", f"There must not be more than {MOST_MONTHS} months.")]
    return []
