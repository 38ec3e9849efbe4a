"""What was copied into a version's folder, as the copying activities wrote it down, held against what landed."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from failures import Incomplete
from landing.json_files import json_bytes
from landing.layout import VersionFolder
from landing.zones.protocol import Landed, LandingZone, Stored, Verified

# From the weakest on.
_STRENGTH: tuple[Verified, ...] = get_args(Verified)


@dataclass(frozen=True)
class Receipt:
    """What was copied: the source blob's name, where it landed, its length in bytes, its MD5 (hex) where known.

    `verified`: how it was compared with its source. `detour`: it passed through the app, because the landing account
    could not reach the source.
    """

    name: str
    landed_name: str
    length: int
    md5: str | None
    verified: Verified = "length"
    detour: bool = False

    def to_json(self) -> dict[str, Any]:
        """The receipt as it stands in receipts and in `_manifest.json`."""
        return {
            "name": self.name,
            "landedName": self.landed_name,
            "length": self.length,
            "md5": self.md5,
            "verified": self.verified,
            **({"detour": True} if self.detour else {}),
        }

    def agrees_with(self, landed: Landed) -> bool:
        """Whether this can be what was copied, as far as the landing zone tells."""
        return landed.length == self.length and (None in (landed.md5, self.md5) or landed.md5 == self.md5)


class Receipts:
    """The receipts of one version."""

    def __init__(self, zone: LandingZone, folder: VersionFolder) -> None:
        self._zone = zone
        self._folder = folder

    async def write(self, start: int, receipts: Sequence[Receipt]) -> None:
        """Says what was copied from index `start` of the sorted blobs on, and will still be there after a power cut."""
        await self._zone.make_durable([self._folder.blob(receipt.name) for receipt in receipts])
        path = self._folder.receipt(start, start + len(receipts))
        await self._zone.write(path, json_bytes([receipt.to_json() for receipt in receipts]))

    async def matching(self, names: Sequence[str], landed: Mapping[str, Landed]) -> list[Receipt]:
        """For each name the receipt that agrees with what landed, by path; runs that were cut off may have left others.

        Of several that agree, the one that says most: a later look at what was there compares less.

        Raises:
            Incomplete: when something is missing, different or foreign.
        """
        receipts = await self._read(landed)
        foreign = dict(landed)
        matching = []
        for name in names:
            blob = foreign.pop(self._folder.blob(name), None)
            agreeing = [receipt for receipt in receipts.get(name, []) if blob and receipt.agrees_with(blob)]
            if not agreeing:
                raise Incomplete(f"The blob {name!r} has not landed as it was copied.")
            matching.append(max(agreeing, key=lambda receipt: _STRENGTH.index(receipt.verified)))
        self._require_nothing_foreign(foreign)
        return matching

    async def _read(self, landed: Iterable[str]) -> dict[str, list[Receipt]]:
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


def receipts_of(entries: object) -> list[Receipt] | None:
    """The receipts that `to_json` wrote; None where they cannot be read. Unknown fields do no harm."""
    try:
        return [_receipt(entry) for entry in entries] if isinstance(entries, list) else None
    except (TypeError, KeyError):
        return None


def _receipts_in(stored: Stored | None) -> list[Receipt]:
    """The receipts of one file; one that cannot be read counts as none."""
    try:
        return receipts_of(json.loads(stored.content) if stored else []) or []
    except ValueError:
        return []


def _receipt(entry: Mapping[str, Any]) -> Receipt:
    name, landed_name, length, md5 = (entry[key] for key in ("name", "landedName", "length", "md5"))
    verified: Verified = next((word for word in _STRENGTH if word == entry.get("verified")), "length")
    return Receipt(name, landed_name, length, md5, verified, entry.get("detour") is True)
