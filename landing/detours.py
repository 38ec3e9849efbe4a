"""Which source accounts can the landing account not reach, so that their blobs pass through the app?"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from landing.source import Source
from landing.zones.protocol import Copy, OutOfTime

KNOWN = timedelta(hours=1)
"""How long a source account is taken for out of reach, before the landing account is asked to pull again."""

log = logging.getLogger(__name__)


Way = Callable[[Source], Awaitable[Copy]]
"""How a blob is copied."""


class CannotPull(Exception):
    """The landing account was refused by the source, as it is where its own network does not reach it."""


class Detours:
    """What this process knows of them."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._until: dict[str, datetime] = {}

    async def copy(self, source: Source, pull: Way, describe: Callable[[str], Awaitable[Source]], stream: Way) -> Copy:
        """Has the landing account `pull` the blob, or, where it cannot, though the app can, `stream` it.

        Raises:
            LandingFailure, AlreadyThere, OutOfTime: as the three do.
        """
        if not self.are_known(source):
            try:
                return await pull(source)
            except CannotPull:
                pass
            # Only if it answers this process, with the same token, is it the account that cannot reach it.
            source = await describe(source.url)
        try:
            copied = await stream(source)
        except OutOfTime:
            # Some of it has passed: neither this blob's next slice nor another blob need ask the account.
            self._remember(source)
            raise
        self._remember(source)
        return replace(copied, detour=True)

    def are_known(self, source: Source) -> bool:
        """Whether blobs of the source's account take the way through the app."""
        return self._until.get(_account(source), datetime.min.replace(tzinfo=self._now().tzinfo)) > self._now()

    def _remember(self, source: Source) -> None:
        """A blob of this account takes it; from the first one on others do without asking, for an hour."""
        if not self.are_known(source):
            self._until[_account(source)] = self._now() + KNOWN
            log.warning(
                "The landing account cannot reach %s, though the app can: for an hour its blobs pass through the app. "
                "Let the landing account's network reach it, or have patience.",
                _account(source),
            )


def _account(source: Source) -> str:
    return urlsplit(source.url).hostname or ""
