"""Is it whole? A version's commit marker, and the pointer to the latest version, the same in every landing zone."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from landing.json_files import json_bytes, json_object
from landing.layout import VersionFolder, landed_name
from landing.receipts import Receipt, Receipts, receipts_of
from landing.sweeping import keep_newest, require_no_sweep, sweep
from landing.zones.protocol import Landed, LandingZone

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Contents:
    """What a version is made of. `origin` says what was exported, `created` is the manifest's own time."""

    e_tag: str
    origin: Mapping[str, Any]
    created: str | None
    names: Sequence[str]


@dataclass(frozen=True)
class Totals:
    """What a committed version holds: blobs and bytes. `detours`: blobs that the landing account could not pull."""

    blob_count: int
    bytes: int
    detours: int = 0


class Version:
    """One version of one export's data in a landing zone."""

    def __init__(
        self, zone: LandingZone, folder: VersionFolder, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._zone = zone
        self._folder = folder
        self._receipts = Receipts(zone, folder)
        self._now = now

    @property
    def name(self) -> str:
        """By which `_latest.json` names it."""
        return self._folder.version

    @property
    def url(self) -> str:
        """Where the version is: a URL without any token."""
        return f"{self._zone.url}/{self._folder.path}/"

    async def committed(self) -> Totals | None:
        """What the version holds, if its commit marker is there, and all that its `_manifest.json` names; else None.

        What is gone, or has another length (or MD5, where a listing tells it), is copied again by the next export.
        """
        if await self._zone.find(self._folder.commit_marker) is None:
            return None
        receipts = receipts_of(json_object(await self._zone.read(self._folder.manifest)).get("blobs"))
        damaged = "_manifest.json" if receipts is None else await self._damaged(receipts)
        if damaged or receipts is None:
            log.warning("The version %s is to be repaired: %r is not as it was.", self._folder.version, damaged)
            return None
        return _totals(receipts)

    async def _damaged(self, receipts: Sequence[Receipt]) -> str | None:
        """A blob that is gone, or not as its receipt says."""
        landed = {blob.path: blob async for blob in self._zone.list(self._folder.path)}
        for receipt in receipts:
            blob = landed.get(f"{self._folder.path}/{receipt.landed_name}")
            if blob is None or not receipt.agrees_with(blob):
                return receipt.landed_name
        return None

    async def claimed(self) -> Totals | None:
        """What the version holds, if it is committed and whole; no sweep takes it for outdated from now on.

        Raises:
            LandingUnavailable: while it is being removed.
        """
        if await self._zone.find(self._folder.commit_marker) is None:
            return None
        await self._claim()
        async for landed in self._zone.list(self._folder.sweeps):
            require_no_sweep(landed, self._folder, self._now())
        # A sweep that ended meanwhile has taken it.
        return await self.committed()

    async def _claim(self) -> None:
        await self._zone.write(self._folder.commit_claim, json_bytes([]))

    async def latest(self) -> str | None:
        """The name of the version that `_latest.json` names."""
        latest = json_object(await self._zone.read(self._folder.export.latest)).get("version")
        return latest if isinstance(latest, str) else None

    async def commit(self, contents: Contents) -> Totals:
        """Compares what landed with the receipts, and those with the manifest's names; then writes manifest and marker.

        Raises:
            Incomplete: when something is missing, different or foreign; nothing is committed then.
            LandingUnavailable: while what an earlier run had left of it is being removed.
        """
        await self._claim()
        receipts = await self._receipts.matching(contents.names, await self._listed())
        totals = _totals(receipts)
        await self._zone.write(self._folder.manifest, json_bytes(self._manifest(contents, receipts, totals)))
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
            current = json_object(stored)
            if _is_newer(current.get("manifestCreatedDateTime"), contents.created):
                return bool(current.get("version") == self._folder.version)
            if await self._zone.swap(self._folder.export.latest, json_bytes(pointer), stored.tag if stored else None):
                return True

    def _manifest(self, contents: Contents, receipts: Sequence[Receipt], totals: Totals) -> dict[str, Any]:
        return {
            "eTag": contents.e_tag,
            "source": contents.origin,
            "manifestCreatedDateTime": contents.created,
            "blobCount": totals.blob_count,
            "bytes": totals.bytes,
            "blobs": [receipt.to_json() for receipt in receipts],
        }

    async def sweep_others(self) -> None:
        """Removes the export's other versions that never committed, a day after they were last touched.

        Raises:
            LandingFailure: when it cannot; what is left is for the next sweep.
        """
        await sweep(self._zone, self._folder.export, self._now())

    async def keep_newest(self, count: int) -> None:
        """Removes the export's committed versions but the newest ones, so many; never the latest, or a young one.

        Raises:
            LandingFailure: when it cannot; what is left is for the next sweep.
        """
        await keep_newest(self._zone, self._folder.export, count, self._now())

    async def _listed(self) -> dict[str, Landed]:
        landed = {}
        async for blob in self._zone.list(self._folder.path):
            require_no_sweep(blob, self._folder, self._now())
            landed[blob.path] = blob
        return landed


def _totals(receipts: Sequence[Receipt]) -> Totals:
    detours = sum(receipt.detour for receipt in receipts)
    return Totals(len(receipts), sum(receipt.length for receipt in receipts), detours)


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
