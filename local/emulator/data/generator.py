"""Which bytes does a bill give?"""

from collections.abc import Hashable, Sequence
from decimal import localcontext
from itertools import chain
from random import Random

from local.emulator.data.bill import Bill
from local.emulator.data.contents import CONTENTS
from local.emulator.data.customers import guid
from local.emulator.data.exports import Blob, Export, digest
from local.emulator.data.money import EXACT


class Generator:
    """Makes the data of everything that can be exported, split into blobs, and makes nothing twice."""

    def __init__(self, blobs: int) -> None:
        self._blobs = blobs
        self._made: dict[Hashable, Export] = {}

    def export(self, dataset: str, bills: Sequence[Bill], attribute_set: str) -> Export:
        """The export of a dataset about these bills. `basic` has the rows of `full` with fewer attributes."""
        source = " and ".join(bill.name for bill in bills)
        key = dataset, source, attribute_set
        if key not in self._made:
            with localcontext(EXACT):
                self._made[key] = self._make(dataset, bills, attribute_set, source)
        return self._made[key]

    def _make(self, dataset: str, bills: Sequence[Bill], attribute_set: str, source: str) -> Export:
        content = CONTENTS[dataset]
        names = content.basic if attribute_set == "basic" else None
        lines = chain.from_iterable(content.lines(bill, names) for bill in bills)
        count = sum(content.count(bill) for bill in bills)
        part = guid(Random(f"part {dataset} {source}"))
        blobs = {}
        for index in range(self._blobs):
            length = count * (index + 1) // self._blobs - count * index // self._blobs
            is_last = index == self._blobs - 1
            blobs[f"part-{index:05}-{part}.c000.json.gz"] = Blob.of_lines(lines, length, in_two_members=is_last)
        return Export(dataset, digest(f"{dataset} {source}", blobs)[:17], blobs)
