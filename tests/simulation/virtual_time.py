"""An event loop whose time is virtual: where nothing else can happen it jumps to the next timer, and nobody waits."""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn, TypeVar

from local.engine import SystemClock

T = TypeVar("T")

BEGINNING = datetime(2026, 10, 8, 6, tzinfo=UTC)


class Stuck(AssertionError):
    """Everything waits for something else, and nothing will ever happen again."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs tasks in one order only: there is no I/O, no thread and no clock but its own."""

    def __init__(self) -> None:
        self._moment = 0.0
        super().__init__(_Jump(self))

    def time(self) -> float:
        return self._moment

    def jump(self, seconds: float) -> None:
        """Lets time pass."""
        self._moment += seconds

    def run_in_executor(self, *_: Any) -> NoReturn:  # type: ignore[override]
        """Refused: what a thread does, and when, no seed can tell."""
        raise AssertionError("A thread was asked for.")


class _Jump(selectors.SelectSelector):
    """What the loop calls when it has nothing to do for so many seconds."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Stuck
        self._loop.jump(timeout)
        return []


class LoopClock(SystemClock):
    """The engine's clock on such a loop: unlike `VirtualClock`, one for several engines, and for their activities."""

    def now(self) -> datetime:
        return now()


def now() -> datetime:
    """The present moment of the running loop, in UTC."""
    return BEGINNING + timedelta(seconds=asyncio.get_running_loop().time())


def play(story: Coroutine[Any, Any, T]) -> T:
    """What the story returns; it takes as long as it computes, however many days it tells of."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(story)
