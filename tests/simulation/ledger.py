"""Microsoft's data: what each invoice has now, and all that it ever had."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.simulation.chance import Chance


@dataclass(frozen=True)
class Release:
    """One state of an invoice's data: blobs by name, and the eTag that stands for them."""

    invoice_id: str
    e_tag: str
    blobs: Mapping[str, bytes]

    @property
    def identity(self) -> tuple[str, str, tuple[str, ...]]:
        """What tells it from every other: Microsoft gives other bytes another eTag or other names."""
        return self.invoice_id, self.e_tag, tuple(sorted(self.blobs))


class Ledger:
    """All invoices, and what is done to them."""

    def __init__(self, chance: Chance, invoice_ids: list[str], blobs: tuple[int, int]) -> None:
        self._chance = chance
        self._count = blobs
        self.releases: dict[str, list[Release]] = {}
        self.now: dict[str, Release] = {}
        for invoice_id in invoice_ids:
            self._state(self._new(invoice_id, self._new_names()))

    def state(self, invoice_id: str, e_tag: str, blobs: Mapping[str, bytes]) -> None:
        """From now on the invoice has this data."""
        self._state(Release(invoice_id, e_tag, blobs))

    def restate(self, invoice_id: str) -> None:
        """From now on the invoice has data that it never had."""
        change = self._chance.pick([self._replace, self._renew, self._rename])
        self._state(change(self.now[invoice_id]))

    def restore(self, invoice_id: str) -> None:
        """From now on the invoice has data once more that it had before."""
        self._state(self._chance.pick(self.releases[invoice_id]))

    def find(self, identity: tuple[str, str, tuple[str, ...]]) -> Release | None:
        """The release of this identity, if there ever was one."""
        return next((release for release in self._all() if release.identity == identity), None)

    def _all(self) -> Iterator[Release]:
        for releases in self.releases.values():
            yield from releases

    def _state(self, release: Release) -> None:
        self.releases.setdefault(release.invoice_id, []).append(release)
        self.now[release.invoice_id] = release

    def _new(self, invoice_id: str, names: list[str], e_tag: str | None = None) -> Release:
        return Release(invoice_id, e_tag or self._chance.text(), {name: self._chance.content() for name in names})

    def _replace(self, old: Release) -> Release:
        return self._new(old.invoice_id, self._new_names())

    def _renew(self, old: Release) -> Release:
        return self._new(old.invoice_id, list(old.blobs))

    def _rename(self, old: Release) -> Release:
        return self._new(old.invoice_id, [*self._new_names(), f"{self._chance.text()}.json.gz"], old.e_tag)

    def _new_names(self) -> list[str]:
        forms = ["part-{:05d}.json.gz", "part-{:05d}.json.gz", "_{:02d}/part.json.gz", "größe {:d}%#?.json.gz"]
        count = self._chance.whole(*self._count)
        return [self._chance.pick(forms).format(number) for number in range(count)]
