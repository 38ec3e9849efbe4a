"""May the app write to its landing zone? Tried out before Microsoft is asked for anything."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from landing.zones.protocol import LandingZone

PROOF = "_rights"
"""A small file at the zone's root, which is written again and again."""

PROVEN = timedelta(hours=1)
"""How long a proof counts."""


class Rights:
    """What this process knows of its rights on the landing zone."""

    def __init__(self, zone: LandingZone, now: Callable[[], datetime]) -> None:
        self._zone = zone
        self._now = now
        self._proving = asyncio.Lock()
        self._proven: datetime | None = None

    async def require(self) -> None:
        """Makes the zone ready, and proves the right to read and write it, unless that was proven within the hour.

        Raises:
            LandingFailure, IdentityFailure: when the zone cannot be used.
        """
        async with self._proving:
            if self._proven is None or self._now() - self._proven >= PROVEN:
                await prove_rights(self._zone)
                self._proven = self._now()


async def prove_rights(zone: LandingZone) -> None:
    """Makes the zone ready, reads in it, creates, and overwrites.

    Who is told that somebody else was faster may write, too. Deleting is not tried: no export needs it.

    Raises:
        LandingFailure, IdentityFailure: when the zone cannot be used.
    """
    await zone.prepare()
    stored = await zone.read(PROOF)
    await zone.swap(PROOF, b"", stored.tag if stored else None)
