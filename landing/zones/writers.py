"""The threads in which the bytes of a landing folder are hashed and written."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar, TypeVarTuple

WRITERS = 4
"""Threads. Measured with `make bench` on two cores: one takes a third longer, two up to a
twentieth, and more than four gain nothing."""

A = TypeVarTuple("A")
T = TypeVar("T")


class Writers:
    """So many threads, begun when they are needed first."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(WRITERS, "landing")

    async def do(self, call: Callable[[*A], T], *values: *A) -> T:
        """What the call answers.

        Who is cancelled waits for a call that has begun: no thread is at a file any more when that is discarded. A call
        that has not begun never will.
        """
        working = self._threads.submit(call, *values)
        try:
            return await asyncio.wrap_future(working)
        except asyncio.CancelledError:
            while not (working.cancel() or working.done()):
                with suppress(Exception, asyncio.CancelledError):
                    await asyncio.wrap_future(working)
            raise

    def close(self) -> None:
        """Ends the threads, each when it has done what it has begun."""
        self._threads.shutdown(wait=False)
