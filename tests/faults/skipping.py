"""An engine's clock that can skip time: durable timers fire at once that would take minutes."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

from local.engine import SystemClock


class SkippingClock(SystemClock):
    """The time of this machine, and what was skipped of it."""

    def __init__(self) -> None:
        self._skipped = timedelta()
        self._skips = asyncio.Event()

    def skip(self, seconds: float) -> None:
        """Lets that time have passed."""
        self._skipped += timedelta(seconds=seconds)
        self._skips.set()

    def now(self) -> datetime:
        """The present moment."""
        return super().now() + self._skipped

    async def wait(self, until: datetime | None, woken: asyncio.Event, *, busy: bool) -> None:
        """Waits for real, until something happens or time is skipped."""
        self._skips.clear()
        waiting = [asyncio.create_task(super().wait(until, woken, busy=busy)), asyncio.create_task(self._skips.wait())]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
