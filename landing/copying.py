"""One blob's way from its source into the landing zone, safe to walk twice, or by two at once."""

from collections.abc import Awaitable, Callable
from functools import partial

import stamina

from landing.errors import LandingError, LandingUnavailable, SourceChanged, SourceUnavailable
from landing.source import SourceReader
from landing.zone import AlreadyThere, Copy, LandingZone

TRIES = 4
"""Tries for one blob before it fails: what lasts longer is for the caller's timers."""

TRYING_SECONDS = 45.0
"""Seconds after which no further try begins."""

_PASSING = (LandingUnavailable, SourceUnavailable)


async def _always() -> None:
    """Confirms."""


async def copy_blob(
    zone: LandingZone,
    sources: SourceReader,
    url: str,
    path: str,
    out_of_time: Callable[[], bool],
    confirm: Callable[[], Awaitable[None]] = _always,
) -> Copy:
    """Copies the blob at the SAS URL to `path`, keeps it where it is there already, replaces it where it differs.

    What differs may be whole and committed, and the source overwritten: `confirm` is called before anything is
    replaced, and raises where the source is no longer what is to land at `path`.
    Short faults of the network and of storage are tried again here, with growing, jittered waits.

    Raises:
        OutOfTime: when the slice of time ended in the middle of a large blob.
        LandingError: when it could not be copied.
    """
    try_once = partial(_copy, zone, sources, url, path, out_of_time, confirm)
    try:
        # Outside stamina: what it keeps of a try costs a small blob a tenth of its time, and nearly all land at once.
        return await try_once()
    except _PASSING as fault:
        return await _try_again(try_once, fault)


async def _try_again(try_once: Callable[[], Awaitable[Copy]], first: LandingError) -> Copy:
    async for attempt in stamina.retry_context(_PASSING, attempts=TRIES, timeout=TRYING_SECONDS, wait_max=5.0):
        with attempt:
            if attempt.num == 1:  # This one has been.
                raise first
            return await try_once()
    raise AssertionError("unreachable: the last try returns or raises")


async def _copy(
    zone: LandingZone,
    sources: SourceReader,
    url: str,
    path: str,
    out_of_time: Callable[[], bool],
    confirm: Callable[[], Awaitable[None]],
) -> Copy:
    try:
        return await zone.copy(url, path, out_of_time=out_of_time)
    except AlreadyThere:
        there = await zone.find(path)
    if there is not None:
        source = await sources.describe(url)
        if there.is_copy_of(source):
            return Copy(source, there.md5)
    await confirm()
    try:
        return await zone.copy(url, path, replacing=there.tag if there else None, out_of_time=out_of_time)
    except AlreadyThere:
        raise SourceChanged("The blob was replaced by somebody else while it was copied.") from None
