"""Is it whole? Receipts, commit marker and the pointer to the latest version, the same in every landing zone."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from landing.errors import Incomplete
from landing.layout import VersionFolder, landed_name
from landing.sweeping import require_no_sweep, sweep
from landing.zone import Landed, LandingZone, Stored


@dataclass(frozen=True)
class Receipt:
    """What was copied: the source blob's name, where it landed, its length in bytes, MD5 (hex) and source eTag."""

    name: str
    landed_name: str
    length: int
    md5: str | None
    source_e_tag: str | None


@dataclass(frozen=True)
class Contents:
    """What a version is made of. `origin` says what was exported, `created` is the manifest's own time."""

    e_tag: str
    origin: Mapping[str, Any]
    created: str | None
    names: Sequence[str]


@dataclass(frozen=True)
class Totals:
    """What a committed version holds: blobs and bytes."""

    blob_count: int
    bytes: int


class Version:
    """One version of one export's data in a landing zone."""

    def __init__(
        self, zone: LandingZone, folder: VersionFolder, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._zone = zone
        self._folder = folder
        self._now = now

    @property
    def url(self) -> str:
        """Where the version lies: a URL without any token."""
        return f"{self._zone.url}/{self._folder.path}/"

    async def committed(self) -> Totals | None:
        """What the version holds, if its commit marker is there; else None.

        Raises:
            Incomplete: when its `_manifest.json` is missing or broken.
        """
        if await self._zone.find(self._folder.commit_marker) is None:
            return None
        manifest = await self._zone.read(self._folder.manifest)
        if manifest is None:
            raise Incomplete(f"The version {self._folder.version} has a commit marker, but no _manifest.json.")
        try:
            totals = json.loads(manifest.content)
            return Totals(totals["blobCount"], totals["bytes"])
        except (ValueError, TypeError, KeyError):
            raise Incomplete(
                f"The version {self._folder.version} is committed, but its _manifest.json is broken."
            ) from None

    async def is_latest(self) -> bool:
        """Whether `_latest.json` names this version."""
        return _pointer(await self._zone.read(self._folder.export.latest)).get("version") == self._folder.version

    async def write_receipt(self, start: int, receipts: Sequence[Receipt]) -> None:
        """Says what was copied from index `start` of the sorted blobs on, and will still be there after a power cut."""
        await self._zone.make_durable([self._folder.blob(receipt.name) for receipt in receipts])
        path = self._folder.receipt(start, start + len(receipts))
        await self._zone.write(path, _json([vars(receipt) for receipt in receipts]))

    async def commit(self, contents: Contents) -> Totals:
        """Compares what landed with the receipts, and those with the manifest's names; then writes manifest and marker.

        Raises:
            Incomplete: when something is missing, different or foreign; nothing is committed then.
            LandingUnavailable: while what an earlier run had left of it is being removed.
        """
        await self._zone.write(self._folder.commit_claim, _json([]))
        receipts = await self._matching_receipts(contents.names)
        totals = Totals(len(receipts), sum(receipt.length for receipt in receipts))
        await self._zone.write(self._folder.manifest, _json(self._manifest(contents, receipts, totals)))
        await self._zone.swap(self._folder.commit_marker, b"", seen=None)
        return totals

    async def point_latest(self, contents: Contents, totals: Totals) -> bool:
        """Moves `_latest.json` to this version, never to an older manifest's; whether it names this version now."""
        pointer = {
            "version": self._folder.version,
            "glob": self._folder.glob(map(landed_name, contents.names)),
            "eTag": contents.e_tag,
            "blobCount": totals.blob_count,
            "bytes": totals.bytes,
            "manifestCreatedDateTime": contents.created,
        }
        while True:
            stored = await self._zone.read(self._folder.export.latest)
            current = _pointer(stored)
            if _is_newer(current.get("manifestCreatedDateTime"), contents.created):
                return bool(current.get("version") == self._folder.version)
            if await self._zone.swap(self._folder.export.latest, _json(pointer), stored.tag if stored else None):
                return True

    def _manifest(self, contents: Contents, receipts: Sequence[Receipt], totals: Totals) -> dict[str, Any]:
        return {
            "eTag": contents.e_tag,
            "source": contents.origin,
            "manifestCreatedDateTime": contents.created,
            "blobCount": totals.blob_count,
            "bytes": totals.bytes,
            "blobs": [
                {"name": r.name, "landedName": r.landed_name, "length": r.length, "md5": r.md5} for r in receipts
            ],
        }

    async def sweep_others(self) -> None:
        """Removes the export's other versions that never committed, a day after they were last touched.

        Raises:
            LandingError: when it cannot; what is left is for the next sweep.
        """
        await sweep(self._zone, self._folder.export, self._now())

    async def _matching_receipts(self, names: Sequence[str]) -> list[Receipt]:
        """For each name the receipt that agrees with what landed; runs that were cut off may have left others."""
        landed = await self._listed()
        receipts = await self._receipts(landed)
        matching = []
        for name in names:
            blob = landed.pop(self._folder.blob(name), None)
            agreeing = [r for r in receipts.get(name, []) if blob and _agree(blob.length, blob.md5, r)]
            if not agreeing:
                raise Incomplete(f"The blob {name!r} has not landed as it was copied.")
            matching.append(agreeing[-1])
        self._require_nothing_foreign(landed)
        return matching

    async def _listed(self) -> dict[str, Landed]:
        landed = {}
        async for blob in self._zone.list(self._folder.path):
            require_no_sweep(blob, self._folder, self._now())
            landed[blob.path] = blob
        return landed

    async def _receipts(self, landed: Iterable[str]) -> dict[str, list[Receipt]]:
        receipts: dict[str, list[Receipt]] = {}
        written = {path for path in landed if path.startswith(f"{self._folder.receipts}/")}
        for path in sorted(written - {self._folder.commit_claim}):
            for receipt in _receipts_in(await self._zone.read(path)):
                receipts.setdefault(receipt.name, []).append(receipt)
        return receipts

    def _require_nothing_foreign(self, paths: Iterable[str]) -> None:
        """A blob that no manifest names would be read with the others."""
        inside = (path.removeprefix(f"{self._folder.path}/") for path in paths)
        foreign = sorted(path for path in inside if not path.startswith(("_", ".")))
        if foreign:
            raise Incomplete(f"The version folder holds {foreign[0]!r}, which the manifest does not name.")


def _agree(length: int, md5: str | None, receipt: Receipt) -> bool:
    return length == receipt.length and (None in (md5, receipt.md5) or md5 == receipt.md5)


def _receipts_in(stored: Stored | None) -> list[Receipt]:
    """The receipts of one file; one that cannot be read, of another release perhaps, counts as none."""
    try:
        return [Receipt(**entry) for entry in json.loads(stored.content)] if stored else []
    except (ValueError, TypeError):
        return []


def _pointer(stored: Stored | None) -> Mapping[str, Any]:
    """The pointer's content; one that cannot be read counts as none, and is written anew."""
    try:
        pointer = json.loads(stored.content) if stored else {}
    except ValueError:
        return {}
    return pointer if isinstance(pointer, Mapping) else {}


def _is_newer(one: object, other: str | None) -> bool:
    """Whether timestamp `one` is later than `other`; where one of them cannot be read, no order is known."""
    this, that = _moment(one), _moment(other)
    return this is not None and that is not None and this > that


def _moment(timestamp: object) -> datetime | None:
    """An ISO 8601 timestamp, in UTC where it has no zone, whatever the number of its fractional digits."""
    try:
        moment = datetime.fromisoformat(str(timestamp))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
