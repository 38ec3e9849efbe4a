"""An engine's clock that runs fast and can skip time: durable timers fire at once that would take minutes."""

import asyncio
from datetime import datetime, timedelta

from local.engine import SystemClock


class SkippingClock(SystemClock):
    """The time of this machine, so many times faster, and what was skipped of it."""

    def __init__(self, pace: int = 1) -> None:
        self._start = super().now()
        self._pace = pace
        self._skipped = timedelta()
        self._skips = asyncio.Event()

    def skip(self, seconds: float) -> None:
        """Lets that time have passed."""
        self._skipped += timedelta(seconds=seconds)
        self._skips.set()

    def now(self) -> datetime:
        """The present moment."""
        return self._start + (super().now() - self._start) * self._pace + self._skipped

    async def wait(self, until: datetime | None, woken: asyncio.Event, *, busy: bool) -> None:
        """Waits for real, until something happens or time is skipped."""
        self._skips.clear()
        seconds = None if until is None else max(0.0, (until - self.now()) / timedelta(seconds=self._pace))
        waiting = [asyncio.create_task(happens.wait()) for happens in (woken, self._skips)]
        try:
            await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
