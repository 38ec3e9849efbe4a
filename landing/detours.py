"""Which source accounts can the landing account not reach, so that their blobs pass through the app?"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from landing.source import Source

KNOWN = timedelta(hours=1)
"""How long a source account is taken for out of reach, before the landing account is asked to pull again."""

log = logging.getLogger(__name__)


class Detours:
    """What this process knows of them."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._until: dict[str, datetime] = {}

    def are_known(self, source: Source) -> bool:
        """Whether blobs of the source's account take the way through the app."""
        return self._until.get(_account(source), datetime.min.replace(tzinfo=self._now().tzinfo)) > self._now()

    def remember(self, source: Source) -> None:
        """A blob of this account has taken it; from the first one on others do without asking, for an hour."""
        if not self.are_known(source):
            self._until[_account(source)] = self._now() + KNOWN
            log.warning(
                "The landing account cannot reach %s, though the app can: for an hour its blobs pass through the app. "
                "Let the landing account's network reach it, or have patience.",
                _account(source),
            )


def _account(source: Source) -> str:
    return urlsplit(source.url).hostname or ""
