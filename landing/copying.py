"""One blob's way from its source into the landing zone, safe to walk twice, or by two at once."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import stamina

from failures import LandingUnavailable, SourceChanged, SourceUnavailable
from landing.source import SourceReader
from landing.zones.protocol import AlreadyThere, Copy, LandingZone

TRIES = 4
"""Tries for one blob before it fails: what lasts longer is for the caller's timers."""

TRYING_SECONDS = 45.0
"""Seconds after which no further try begins."""

_PASSING = (LandingUnavailable, SourceUnavailable)


async def _always() -> None:
    """Confirms."""


@dataclass(frozen=True)
class Copier:
    """Copies blobs into the zone, until `out_of_time()`.

    What differs may be whole and committed, and the source overwritten: `confirm` is called before anything is
    replaced, and raises where the source is no longer what is to land. `clock` tells seconds.
    """

    zone: LandingZone
    sources: SourceReader
    out_of_time: Callable[[], bool]
    confirm: Callable[[], Awaitable[None]] = _always
    clock: Callable[[], float] = time.monotonic

    async def copy(self, url: str, path: str) -> Copy:
        """Copies the blob at the SAS URL to `path`, keeps it where it is there already, replaces it where it differs.

        Short faults of the network and of storage are tried again here: at once, then after growing, jittered waits.

        Raises:
            OutOfTime: when the slice of time ended in the middle of a large blob.
            LandingFailure: when it could not be copied.
        """
        began = self.clock()
        try:
            # Outside stamina: what it keeps of a try costs a small blob a tenth of its time, and nearly all land now.
            return await self._try(url, path)
        except _PASSING:
            left = began + TRYING_SECONDS - self.clock()
            if left <= 0:
                raise
        async for attempt in stamina.retry_context(_PASSING, attempts=TRIES - 1, timeout=left, wait_max=5.0):
            with attempt:
                return await self._try(url, path)
        raise AssertionError("unreachable: the last try returns or raises")

    async def _try(self, url: str, path: str) -> Copy:
        try:
            return await self.zone.copy(url, path, out_of_time=self.out_of_time)
        except AlreadyThere:
            there = await self.zone.find(path)
        if there is not None:
            source = await self.sources.describe(url)
            if there.is_copy_of(source):
                return Copy.kept(source, there)
        await self.confirm()
        tag = there.tag if there else None
        try:
            return await self.zone.copy(url, path, replacing=tag, out_of_time=self.out_of_time)
        except AlreadyThere:
            raise SourceChanged("The blob was replaced by somebody else while it was copied.") from None
