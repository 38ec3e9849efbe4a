"""Which bytes does a seed give?"""

import gzip
import json
from collections.abc import Collection, Hashable, Iterable
from random import Random

from local.emulator.clock import Clock
from local.emulator.data.bill import Bill, LineItem
from local.emulator.data.contents import CONTENTS
from local.emulator.data.customers import customers, guid, partner_tenant_id
from local.emulator.data.exports import Blob, Export, digest
from local.emulator.data.invoices import Invoices
from local.emulator.data.subjects import Subject
from local.emulator.options import EmulatorOptions


class Generator:
    """Makes the data of everything that can be exported.

    Equal seeds and sizes make equal bytes, for a month that is not over also on equal days, and nothing is made twice.
    """

    def __init__(self, options: EmulatorOptions, invoices: Invoices, now: Clock) -> None:
        self._options = options
        self._invoices = invoices
        self._now = now
        self._made: dict[Hashable, Export] = {}
        self._partner_id = partner_tenant_id(options.seed)
        self._customers = customers(options.seed, options.customers)

    def export(self, subject: Subject, attribute_set: str, revision: int) -> Export:
        """The export of one revision. `basic` has the rows of `full` with fewer attributes."""
        bill = self._bill(subject)
        key = (subject, attribute_set, revision, bill.until)
        if key not in self._made:
            self._made[key] = self._make(subject.dataset, bill, attribute_set, revision)
        return self._made[key]

    def _make(self, dataset: str, bill: Bill, attribute_set: str, revision: int) -> Export:
        # All datasets draw from one source, so that the aggregate is one of the very usage that is billed.
        source = f"{self._options.seed} {bill.name} {revision}"
        draws = [Random(f"rows {source} {index}") for index in range(self._options.blobs)]
        content = CONTENTS[dataset]
        names = content.basic if attribute_set == "basic" else None
        part = guid(Random(f"part {dataset} {source}"))
        blobs = {}
        for index, rows in enumerate(content.parts(bill, draws, self._options.rows)):
            is_last = index == len(draws) - 1
            blobs[f"part-{index:05}-{part}.c000.json.gz"] = Blob(_compressed(_lines(rows, names), is_last), len(rows))
        return Export(dataset, digest(f"{dataset} {source}", blobs)[:17], blobs)

    def _bill(self, subject: Subject) -> Bill:
        parties = (self._partner_id, self._customers)
        if subject.month is None:
            return Bill.of_invoice(subject.about, self._invoices.month(subject.about), *parties)
        return Bill.unbilled(subject.about, subject.month, self._now().date(), *parties)


def _lines(rows: Iterable[LineItem], names: Collection[str] | None) -> list[bytes]:
    selected = rows if names is None else ({name: row[name] for name in names} for row in rows)
    return [json.dumps(row).encode() + b"\n" for row in selected]


def _compressed(lines: list[bytes], in_two_members: bool) -> bytes:
    # Gzip allows several members in one file, and a reader that forgets it loses rows: here it would show.
    half = len(lines) // 2 if in_two_members else 0
    members = [lines[:half], lines[half:]] if half else [lines]
    return b"".join(gzip.compress(b"".join(member), mtime=0) for member in members)
