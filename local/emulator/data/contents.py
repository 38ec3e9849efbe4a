"""Which rows does a dataset have, and which of their attributes are basic?"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from random import Random

from local.emulator.data.aggregation import aggregated
from local.emulator.data.attributes import BASIC_RECONCILIATION, BASIC_USAGE
from local.emulator.data.bill import Bill, LineItem
from local.emulator.data.invoice_lines import invoice_line
from local.emulator.data.line_items import line_item

Parts = Callable[[Bill, Sequence[Random], int], Iterator[list[LineItem]]]
"""The rows of each blob, of which there are as many as draws; so many rows of usage or invoice lines to a blob."""


@dataclass(frozen=True)
class Content:
    """The rows of a dataset by blob, with all attributes, and the names of those that are basic."""

    parts: Parts
    basic: Collection[str]


def _drawn(row: Callable[[Bill, Random], LineItem]) -> Parts:
    def parts(bill: Bill, draws: Sequence[Random], count: int) -> Iterator[list[LineItem]]:
        return ([row(bill, draw) for _ in range(count)] for draw in draws)

    return parts


def _aggregated(bill: Bill, draws: Sequence[Random], count: int) -> Iterator[list[LineItem]]:
    rows = aggregated(chain.from_iterable(_drawn(line_item)(bill, draws, count)))
    return (rows[index :: len(draws)] for index in range(len(draws)))


_USAGE = Content(_drawn(line_item), BASIC_USAGE)
_RECONCILIATION = Content(_drawn(invoice_line), BASIC_RECONCILIATION)

CONTENTS: Mapping[str, Content] = {
    "billedUsage": _USAGE,
    "unbilledUsage": _USAGE,
    "billedReconciliation": _RECONCILIATION,
    "unbilledReconciliation": _RECONCILIATION,
    # It comes in one attribute set only.
    "billedAggregatedUsage": Content(_aggregated, ()),
}
