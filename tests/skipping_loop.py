"""An event loop on which a test moves time on, with real sockets: whoever waits for a timer waits no longer."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class SkippingLoop(asyncio.SelectorEventLoop):
    """Every timer that is due after a skip fires at once."""

    _skipped = 0.0

    def time(self) -> float:
        return super().time() + self._skipped

    def skip(self, seconds: float) -> None:
        """Lets that time have passed."""
        self._skipped += seconds


def play(story: Callable[[SkippingLoop], Coroutine[Any, Any, T]]) -> T:
    """What the story returns, which is told the loop that it is played on."""
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, SkippingLoop)
        return runner.run(story(loop))
