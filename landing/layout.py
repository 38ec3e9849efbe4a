"""Where is everything in the landing zone? Pure rules from names to paths, all relative to the zone.

billed_usage/partner_tenant=…/invoice_id=G016907411/attribute_set=full/
    _latest.json
    version=5f0c2ab94d3e7a10/part-00000-….json.gz …
    version=5f0c2ab94d3e7a10/_receipts/_00000-00100.json …, _commit.json
    version=5f0c2ab94d3e7a10/_sweeps/…
    version=5f0c2ab94d3e7a10/_manifest.json
    version=5f0c2ab94d3e7a10/_SUCCESS
    _no_data.json
focus/partner_tenant=…/billing_month=2026-10/G016907411.parquet, _G016907411.json
focus/partner_tenant=…/billing_month=2026-10/G016907412-1.parquet, …-2.parquet, _G016907412.json
invoices/G016907411.json
_work/focus/…
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass

from failures import UnsafeName

MOST_CHARACTERS = 800
"""Longest blob name taken: Azure allows 1,024 characters for a path, and ours begins with the export's folders."""

MOST_SEGMENT_BYTES = 240
"""Longest segment taken, in UTF-8: file systems allow 255."""

# A backslash, control characters, and halves of surrogate pairs, which no encoding can write.
_UNSAFE = re.compile(r"[\\\x00-\x1f\x7f-\x9f\ud800-\udfff]")

# Hive's own name for a partition without value, which readers turn into NULL.
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class ExportFolder:
    """The folder of one export: all versions of its data, and the pointer to the latest."""

    path: str

    @classmethod
    def of(cls, dataset_folder: str, partitions: Iterable[tuple[str, str | None]]) -> "ExportFolder":
        """The folder of a dataset's partition, each key and value a Hive folder (`invoice_id=G016907411`)."""
        return cls("/".join([dataset_folder, *(f"{key}={value or _NO_VALUE}" for key, value in partitions)]))

    @property
    def latest(self) -> str:
        """The pointer to the current version."""
        return f"{self.path}/_latest.json"

    @property
    def no_data(self) -> str:
        """Says that there is none, and that none is expected any more; what lands later counts all the same."""
        return f"{self.path}/_no_data.json"

    def version(self, digest: str) -> "VersionFolder":
        """The folder of the version with this digest (hex)."""
        return VersionFolder(self, digest[:16])

    def version_named(self, folder: str) -> "VersionFolder | None":
        """The version that a folder of this name in the export's folder holds; None where it is no version's."""
        found = re.fullmatch(r"version=([0-9a-f]{16})", folder)
        return VersionFolder(self, found[1]) if found else None


@dataclass(frozen=True)
class VersionFolder:
    """The folder of one version of one export's data."""

    export: ExportFolder
    version: str

    @property
    def path(self) -> str:
        """The folder itself, without trailing slash."""
        return f"{self.export.path}/version={self.version}"

    @property
    def manifest(self) -> str:
        """What the version is made of."""
        return f"{self.path}/_manifest.json"

    @property
    def commit_marker(self) -> str:
        """Whose existence says that all of it is there and verified."""
        return f"{self.path}/_SUCCESS"

    @property
    def receipts(self) -> str:
        """The folder of receipts, without trailing slash."""
        return f"{self.path}/_receipts"

    def receipt(self, start: int, stop: int) -> str:
        """The receipt of the blobs from index `start` up to, not including, `stop`.

        Both are in the name, so that of two activities at the same range the slower one takes nothing from the other.
        """
        return f"{self.receipts}/_{start:05d}-{stop:05d}.json"

    @property
    def commit_claim(self) -> str:
        """Says that a commit has begun. It is among the receipts, and holds none."""
        return f"{self.receipts}/_commit.json"

    @property
    def sweeps(self) -> str:
        """The folder of the marks of sweeps, without trailing slash."""
        return f"{self.path}/_sweeps"

    def sweep(self, sweep_id: str) -> str:
        """Says that this sweep has begun."""
        return f"{self.sweeps}/_{sweep_id}"

    def blob(self, name: str) -> str:
        """Where the source blob of this name lands.

        Raises:
            UnsafeName: when it cannot become a path.
        """
        return f"{self.path}/{landed_name(name)}"

    def glob(self, landed_names: Iterable[str]) -> str:
        """A pattern, relative to the export's folder, that matches these names and no marker of ours."""
        names = list(landed_names)
        folders = "**/" if any("/" in name for name in names) else ""
        ending = _common_ending(names)
        # No marker of ours ends in .gz; where the blobs do not either, those that begin with _ or . are left out.
        return f"version={self.version}/{folders}{'*' if ending.endswith('.gz') else '[!_.]*'}{ending}"


@dataclass(frozen=True)
class InvoiceFolder:
    """The folder of one dataset of an invoice: what was exported of it with all attributes, and with few."""

    dataset_folder: str
    partner: str
    invoice: str

    @property
    def path(self) -> str:
        """The folder itself, without trailing slash."""
        return f"{self.dataset_folder}/{self.partner}/{invoice_partition(self.invoice)}"

    @property
    def exports(self) -> tuple[ExportFolder, ...]:
        """The folders of its exports, the best one first."""
        return tuple(ExportFolder(f"{self.path}/attribute_set={name}") for name in ("full", "basic"))


@dataclass(frozen=True)
class TablePlace:
    """Where the files of an invoice's table are, and beside them what it comes to.

    `partner`: as the partition's folder is named.
    """

    partner: str
    month: str
    invoice: str

    @property
    def folder(self) -> str:
        """The folder of the month's tables, without trailing slash."""
        return f"{TABLES}/{self.partner}/{month_partition(self.month)}"

    def files(self, count: int) -> tuple[str, ...]:
        """The table, in one file or in several that are numbered: no invoice's id has a dash."""
        numbers = [f"-{number}" for number in range(1, count + 1)] if count > 1 else [""]
        return tuple(f"{self.folder}/{self.invoice}{number}.parquet" for number in numbers)

    def glob(self, count: int) -> str:
        """A pattern that matches exactly these files; the only one's own path."""
        return f"{self.folder}/{self.invoice}{'-*' if count > 1 else ''}.parquet"

    def has(self, path: str) -> bool:
        """Whether this is a file of the table, however many it has."""
        return re.fullmatch(rf"{re.escape(f'{self.folder}/{self.invoice}')}(-[0-9]+)?\.parquet", path) is not None

    @property
    def description(self) -> str:
        """What the table comes to, and what it was made of."""
        return f"{self.folder}/_{self.invoice}.json"


TABLES = "focus"
"""The folder of all tables."""

WORK = "_work/focus"
"""The folder of parts of tables."""


def invoice_partition(invoice: str) -> str:
    """The name of an invoice's folder in a dataset's."""
    return f"invoice_id={invoice}"


def month_partition(month: str) -> str:
    """The name of a month's folder among the tables."""
    return f"billing_month={month}"


def about_invoice(invoice: str) -> str:
    """What Partner Center says of an invoice."""
    return f"invoices/{invoice}.json"


def landed_name(name: str) -> str:
    """The name under which a source blob lands: its own, but a leading `_` or `.` of a segment is percent-encoded.

    So no source blob can pose as a marker, and engines that skip such files skip none of ours.

    Raises:
        UnsafeName: for one that is too long, or has an empty, `.` or `..` segment, a backslash or a control character.
    """
    segments = name.split("/")
    if any(segment in {"", ".", ".."} for segment in segments):
        raise UnsafeName(f"The blob name {name[:100]!r} has an empty, '.' or '..' segment.")
    if _UNSAFE.search(name):
        raise UnsafeName(f"The blob name {name[:100]!r} has a backslash or a control character.")
    landed = "/".join(_not_hidden(segment) for segment in segments)
    if len(landed) > MOST_CHARACTERS or any(len(s.encode()) > MOST_SEGMENT_BYTES for s in landed.split("/")):
        raise UnsafeName(f"The blob name {name[:100]!r}… is too long.")
    return landed


def require_landable(names: Iterable[str]) -> None:
    """Returns only if every name can land, each under a name of its own.

    Raises:
        UnsafeName: otherwise.
    """
    taken: dict[str, str] = {}
    for name in names:
        other = taken.setdefault(landed_name(name), name)
        if other != name:
            raise UnsafeName(f"The blobs {other[:100]!r} and {name[:100]!r} would land under one name.")


def _not_hidden(segment: str) -> str:
    return f"%{ord(segment[0]):02X}{segment[1:]}" if segment[0] in "_." else segment


def _common_ending(names: list[str]) -> str:
    if not names:
        return ".json.gz"
    ending = os.path.commonprefix([name.rsplit("/", 1)[-1][::-1] for name in names])[::-1]
    # What globs give a meaning is left to the star: engines differ in how they would have it escaped.
    ending = re.split(r"[\[\]*?{}]", ending)[-1]
    return ending[ending.find(".") :] if "." in ending else ""
