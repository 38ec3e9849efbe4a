"""What time is it, and how does it pass?"""

import asyncio
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """The engine's time, in UTC."""

    def now(self) -> datetime:
        """The present moment."""

    async def wait(self, until: datetime | None, woken: asyncio.Event, *, busy: bool) -> None:
        """Returns when `woken` is set, or at the moment `until`. `busy`: activities are running, which set `woken`."""


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        """The present moment."""
        return datetime.now(UTC)

    async def wait(self, until: datetime | None, woken: asyncio.Event, *, busy: bool) -> None:
        """Waits for real."""
        seconds = None if until is None else max(0.0, (until - self.now()).total_seconds())
        try:
            async with asyncio.timeout(seconds):
                await woken.wait()
        except TimeoutError:
            return


class VirtualClock:
    """A time that stands still while anything is running, and else jumps to the next timer."""

    def __init__(self, start: datetime = datetime(2026, 10, 8, 6, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        """The moment that was last jumped to."""
        return self._now

    async def wait(self, until: datetime | None, woken: asyncio.Event, *, busy: bool) -> None:
        """Jumps, where nothing else can happen."""
        # Other tasks of the process come first: they may have something for this very moment, or end the engine.
        await asyncio.sleep(0)
        if busy or until is None or woken.is_set():
            await woken.wait()
        else:
            self._now = max(self._now, until)
