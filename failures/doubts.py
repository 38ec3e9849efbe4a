"""When is a refusal believed? Not at once where it was allowed before, or where the right may only just be given."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from failures import LATER, Failure

DOUBTED = timedelta(minutes=15)
"""How long a refusal must last to be believed: a new role assignment takes up to 10 minutes to count.

Source: https://learn.microsoft.com/azure/role-based-access-control/troubleshooting
"""

BELIEVED = timedelta(hours=1)
"""How long after its beginning a refusal is taken for the one that lasted; then it is a new one."""


class Doubts:
    """What this process knows of one permission: whether it was there, and since when it is refused."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._was_allowed = False
        self._since: datetime | None = None

    @contextmanager
    def about(self, *, allowed: bool = False) -> Iterator[None]:
        """Lets a refusal that may pass do so, as long as it is doubted; success shows that the permission is there.

        Doubted is what was allowed before: as this process has seen, or as the caller knows (`allowed`).
        """
        with self.doubting(allowed=allowed):
            yield
        self._was_allowed, self._since = True, None

    @contextmanager
    def doubting(self, *, allowed: bool = False) -> Iterator[None]:
        """The same for what does not show whether the permission is there."""
        try:
            yield
        except Failure as refusal:
            if refusal.may_pass and (allowed or self._was_allowed) and self._is_doubted():
                refusal.kind = LATER
            raise

    def _is_doubted(self) -> bool:
        now = self._now()
        if self._since is None or now - self._since >= BELIEVED:
            self._since = now
        return now - self._since < DOUBTED
