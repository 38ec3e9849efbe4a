"""The threads in which the bytes of a landing folder are hashed and written."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar, TypeVarTuple

WRITERS = os.cpu_count() or 1
"""Threads. Measured with `make bench`: hashing keeps a core busy, and more threads only contend for the interpreter."""

A = TypeVarTuple("A")
T = TypeVar("T")


class Writers:
    """So many threads, begun when they are needed first."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(WRITERS, "landing")

    async def do(self, call: Callable[[*A], T], *values: *A) -> T:
        """What the call answers.

        Who is cancelled waits for a call that has begun: no thread is at a file any more when that is discarded.
        """
        working = self._threads.submit(call, *values)
        try:
            return await asyncio.wrap_future(working)
        except asyncio.CancelledError:
            if not working.cancel():
                with suppress(Exception):
                    await asyncio.wrap_future(working)
            raise

    def close(self) -> None:
        """Ends the threads."""
        self._threads.shutdown()
