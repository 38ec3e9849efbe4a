"""Which bytes does a seed give?"""

import gzip
import json
from random import Random

from local.emulator.attributes import selected
from local.emulator.exports import Blob, Export, digest
from local.emulator.line_items import Bill, line_item
from local.emulator.options import EmulatorOptions
from local.emulator.world import customers, guid, partner_tenant_id


class Generator:
    """Makes the data of every invoice. Equal seeds and sizes make equal bytes, and nothing is made twice."""

    def __init__(self, options: EmulatorOptions) -> None:
        self._options = options
        self._made: dict[tuple[str, str, int], Export] = {}

    def export(self, invoice_id: str, attribute_set: str, revision: int) -> Export:
        """The export of one revision of an invoice. `basic` has the rows of `full` with fewer attributes."""
        key = (invoice_id, attribute_set, revision)
        if key not in self._made:
            self._made[key] = self._make(*key)
        return self._made[key]

    def _make(self, invoice_id: str, attribute_set: str, revision: int) -> Export:
        source = f"{self._options.seed} {invoice_id} {revision}"
        part = guid(Random(f"part {source}"))
        bill = self._bill(invoice_id)
        blobs = {}
        for index in range(self._options.blobs):
            lines = _lines(bill, Random(f"rows {source} {index}"), self._options.rows, attribute_set)
            is_last = index == self._options.blobs - 1
            blobs[f"part-{index:05}-{part}.c000.json.gz"] = Blob(_compressed(lines, is_last), len(lines))
        return Export(digest(source, blobs)[:17], blobs)

    def _bill(self, invoice_id: str) -> Bill:
        seed = self._options.seed
        return Bill.of(invoice_id, partner_tenant_id(seed), customers(seed, self._options.customers))


def _lines(bill: Bill, draw: Random, count: int, attribute_set: str) -> list[bytes]:
    items = (line_item(bill, draw) for _ in range(count))
    return [json.dumps(selected(item, attribute_set)).encode() + b"\n" for item in items]


def _compressed(lines: list[bytes], in_two_members: bool) -> bytes:
    # Gzip allows several members in one file, and a reader that forgets it loses rows: here it would show.
    half = len(lines) // 2 if in_two_members else 0
    members = [lines[:half], lines[half:]] if half else [lines]
    return b"".join(gzip.compress(b"".join(member), mtime=0) for member in members)
