"""How does a command end that is told to? In good order, and at once when it is told so again."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class ToldToEnd(Exception):
    """The command was told to end, and has tidied up. `number` is the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__(f"It was told to end by signal {number}.")
        self.number = number


def run(command: Coroutine[Any, Any, T], say: Callable[[], None]) -> T:
    """What the command returns. `say` tells a person that it is ending.

    Raises:
        ToldToEnd: when Ctrl-C or SIGTERM has ended it.
    """
    before = {number: signal.getsignal(number) for number in SIGNALS}
    result = asyncio.run(_until_told(command, say))
    # The loop leaves Python's own handlers, also where Ctrl-C was ignored, as in a shell's background job.
    for number, handler in before.items():
        signal.signal(number, handler)
    return result


async def _until_told(command: Coroutine[Any, Any, T], say: Callable[[], None]) -> T:
    loop = asyncio.get_running_loop()
    working = loop.create_task(command)
    told: list[int] = []

    def tell(number: int) -> None:
        told.append(number)
        for other in SIGNALS:
            loop.remove_signal_handler(other)
            # Python's own way would be an exception in the middle of tidying up.
            signal.signal(other, signal.SIG_DFL)
        say()
        working.cancel()

    for number in SIGNALS:
        loop.add_signal_handler(number, tell, number)
    try:
        return await working
    except asyncio.CancelledError:
        if told:
            raise ToldToEnd(told[0]) from None
        raise
