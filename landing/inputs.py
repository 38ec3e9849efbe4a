"""What has landed of an invoice? The data that its table is made of, and the table that this data makes."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from failures import Incomplete, NothingLanded, SeveralPartners
from landing.json_files import json_bytes, json_object
from landing.layout import InvoiceFolder, VersionFolder, about_invoice, invoice_partition
from landing.zones.protocol import LandingZone

ABSENT = "absent"
"""Nothing has landed of this dataset."""

NO_DATA = "noData"
"""Nothing has landed of it, and nothing is expected any more: the invoice has none."""

Inputs = Mapping[str, str]
"""By dataset's folder `absent`, `noData`, or the current version: `attribute_set=full/version=5f0c2ab94d3e7a10`."""


@dataclass(frozen=True)
class LandedInvoice:
    """An invoice of which something has landed. `partner`: the name of the partition's folder, the same everywhere."""

    zone: LandingZone
    datasets: tuple[str, ...]
    partner: str
    id: str

    async def inputs(self) -> Inputs:
        """What is current now."""
        return {dataset: await _current(self.zone, self._folder(dataset)) for dataset in self.datasets}

    async def is_void(self) -> bool:
        """Whether Partner Center said, when the invoice was read last, that a note has voided it."""
        return json_object(await self.zone.read(about_invoice(self.id))).get("voided") is True

    async def mark_no_data(self, dataset: str) -> None:
        """Says that there is nothing of this dataset, and that nothing is expected any more."""
        await self.zone.write(self._folder(dataset).exports[0].no_data, json_bytes({}))

    def version(self, dataset: str, inputs: Inputs) -> VersionFolder | None:
        """The version that is this dataset's input; None where it has none."""
        attribute_set, _, version = inputs[dataset].partition("/")
        exports = (export for export in self._folder(dataset).exports if export.path.endswith(f"/{attribute_set}"))
        return next((export.version_named(version) for export in exports), None)

    def _folder(self, dataset: str) -> InvoiceFolder:
        return InvoiceFolder(dataset, self.partner, self.id)


@dataclass(frozen=True)
class InputBlob:
    """A blob of a committed version: its length in bytes, and its MD5 (hex) where that was known."""

    path: str
    length: int
    md5: str | None


async def blobs_of(zone: LandingZone, version: VersionFolder) -> list[InputBlob]:
    """The blobs of a committed version, as its `_manifest.json` names them, in that order.

    Raises:
        Incomplete: when that is missing or broken.
    """
    try:
        blobs = json_object(await zone.read(version.manifest))["blobs"]
        return [InputBlob(f"{version.path}/{blob['landedName']}", blob["length"], blob["md5"]) for blob in blobs]
    except (KeyError, TypeError):
        raise Incomplete(f"The version {version.version} has no _manifest.json that can be read.") from None


async def landed_invoices(zone: LandingZone, datasets: Iterable[str]) -> list[str]:
    """The ids of all invoices for which there is a folder of one of these datasets."""
    return sorted(
        {
            folder.removeprefix(invoice_partition(""))
            for dataset in datasets
            for partner in await zone.folders(dataset)
            for folder in await zone.folders(f"{dataset}/{partner}")
        }
    )


async def find_invoice(zone: LandingZone, datasets: Iterable[str], invoice: str) -> LandedInvoice:
    """The invoice, of whichever partner it is; `datasets` are the folders of those that make a table.

    Raises:
        NothingLanded: when there is no folder for it.
        SeveralPartners: when there are folders of several partners for it.
    """
    datasets = tuple(datasets)
    partners = {
        partner
        for dataset in datasets
        for partner in await zone.folders(dataset)
        if invoice_partition(invoice) in await zone.folders(f"{dataset}/{partner}")
    }
    if not partners:
        raise NothingLanded(f"Nothing of the invoice {invoice} has landed.")
    if len(partners) > 1:
        raise SeveralPartners(f"The invoice {invoice} has landed for several partners: {', '.join(sorted(partners))}.")
    return LandedInvoice(zone, datasets, partners.pop(), invoice)


def table_version(inputs: Inputs, month: str, mapping: str) -> str:
    """The name (hex) of the table that these inputs make; `mapping` stands for how it is made."""
    named = json.dumps(
        {"inputs": dict(inputs), "month": month, "mapping": mapping}, sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(named.encode()).hexdigest()[:16]


async def _current(zone: LandingZone, folder: InvoiceFolder) -> str:
    for export in folder.exports:
        latest = json_object(await zone.read(export.latest)).get("version")
        version = export.version_named(f"version={latest}")
        if version:
            return version.path.removeprefix(f"{folder.path}/")
    for export in folder.exports:
        if await zone.read(export.no_data):
            return NO_DATA
    return ABSENT
