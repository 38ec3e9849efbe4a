"""Manifests with their SAS tokens, kept in this process's memory until shortly before the token expires."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs
from weakref import WeakValueDictionary

from billing.answers import Manifest

TRUSTED_SHARE = 0.8
"""A token is used for this share of the life that it has left when it is read."""

WITHOUT_EXPIRY = timedelta(minutes=5)
"""A token that does not tell its expiry is used this long."""


class Manifests:
    """Reads each manifest once a token's life, however many activities ask for it at the same time."""

    def __init__(self, read: Callable[[str], Awaitable[Manifest]], now: Callable[[], datetime]) -> None:
        self._read = read
        self._now = now
        self._kept: dict[str, tuple[Manifest, datetime]] = {}
        # Weak, so that a lock is gone with the last who waits for it.
        self._reading: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def keep(self, manifest: Manifest) -> None:
        """Keeps a manifest that was just read, and drops those whose tokens are spent."""
        now = self._now()
        self._kept = {url: kept for url, kept in self._kept.items() if kept[1] > now}
        self._kept[manifest.url] = manifest, now + _trusted(manifest.sas_token, now)

    async def get(self, url: str, refused: Manifest | None = None) -> Manifest:
        """The manifest with a token that should be valid; a new one if `refused` is the one that is kept.

        Raises:
            BillingFailure: as `BillingClient.read_manifest`.
        """
        async with self._reading.setdefault(url, asyncio.Lock()):
            manifest, until = self._kept.get(url, (None, None))
            if manifest is None or until is None or until <= self._now() or manifest is refused:
                manifest = await self._read(url)
                self.keep(manifest)
            return manifest


def _trusted(sas_token: str, now: datetime) -> timedelta:
    try:
        expiry = datetime.fromisoformat(parse_qs(sas_token)["se"][0])
    except (KeyError, ValueError):
        return WITHOUT_EXPIRY
    return ((expiry if expiry.tzinfo else expiry.replace(tzinfo=UTC)) - now) * TRUSTED_SHARE
