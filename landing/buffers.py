"""The memory that long bodies arrive in, used again and again.

Measured with 64 blobs of 8 MiB: with memory from the system for each of them they take a seventh longer.
"""

from collections.abc import Iterable

BUFFER = 1 << 20
"""Bytes of a buffer. Measured with `make bench`: half of it takes longer, twice as much gains little."""

KEPT = 64
"""Buffers that are kept for what comes next: twice what one activity has under way."""


class Buffers:
    """Buffers of `size` bytes for one event loop, each used by one at a time."""

    def __init__(self) -> None:
        self.size = BUFFER
        self._free: list[memoryview] = []

    def take(self) -> memoryview:
        """A buffer, with whatever bytes in it."""
        return self._free.pop() if self._free else memoryview(bytearray(self.size))

    def give_back(self, buffers: Iterable[memoryview]) -> None:
        """Lets others take the buffers."""
        self._free.extend(buffers)
        del self._free[KEPT:]
