"""Which lines does each dataset have, and which of their attributes are basic?

This is where an invoice's contents are decided: `usage` says what is used and `purchases` what is bought;
`usage_rows`, `reconciliation` and `aggregation` say what the lines of each dataset make of it.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from local.emulator.data.aggregation import aggregated
from local.emulator.data.attributes import BASIC_RECONCILIATION, BASIC_USAGE
from local.emulator.data.bill import Bill
from local.emulator.data.line import LineItem, members
from local.emulator.data.reconciliation import reconciliation
from local.emulator.data.usage_rows import day_attributes, days_used, shared_attributes, together, usage_count

Lines = Iterator[str]


@dataclass(frozen=True)
class Content:
    """The lines of a bill as JSON, with all attributes or only those of some names, and how many there are.

    `basic` has the names of the basic ones. `has_usage` says that nothing is there of a bill without usage.
    """

    lines: Callable[[Bill, Collection[str] | None], Lines]
    count: Callable[[Bill], int]
    basic: Collection[str]
    has_usage: bool


def _usage(bill: Bill, names: Collection[str] | None) -> Lines:
    for some in together(bill):
        # What a resource's days share is written once for all of them.
        shared = {use.index: members(_selected(shared_attributes(bill, use), names)) for use in some}
        for use, day in days_used(bill, some):
            yield f"{{{shared[use.index]}, {members(day_attributes(bill, use, day))}}}\n"


def _written(rows: Callable[[Bill], Iterator[LineItem]]) -> Callable[[Bill, Collection[str] | None], Lines]:
    return lambda bill, names: (f"{{{members(_selected(row, names))}}}\n" for row in rows(bill))


def _counted(rows: Callable[[Bill], Iterator[LineItem]]) -> Callable[[Bill], int]:
    return lambda bill: sum(1 for _ in rows(bill))


def _selected(line: LineItem, names: Collection[str] | None) -> LineItem:
    return line if names is None else {name: value for name, value in line.items() if name in names}


_USAGE = Content(_usage, usage_count, frozenset(BASIC_USAGE), has_usage=True)
_RECONCILIATION = Content(
    _written(reconciliation), _counted(reconciliation), frozenset(BASIC_RECONCILIATION), has_usage=False
)

CONTENTS: Mapping[str, Content] = {
    "billedUsage": _USAGE,
    "unbilledUsage": _USAGE,
    "billedReconciliation": _RECONCILIATION,
    "unbilledReconciliation": _RECONCILIATION,
    # It comes in one attribute set only.
    "billedAggregatedUsage": Content(_written(aggregated), _counted(aggregated), (), has_usage=True),
}
