"""Everything that happens by chance in one simulated world, told by its seed alone."""

import asyncio
import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Chance:
    """The dice of one world. `severity` says how rough the world is: 0 is a world without faults."""

    def __init__(self, seed: int, severity: float | None = None) -> None:
        self._random = random.Random(seed)
        self.severity = self.pick([0, 0.3, 1, 1, 2.5]) if severity is None else severity

    def strikes(self, likelihood: float) -> bool:
        """Whether a fault of this likelihood happens now."""
        return self._random.random() < likelihood * self.severity

    def calm_down(self) -> None:
        """From now on no fault happens."""
        self.severity = 0

    def is_so(self, likelihood: float = 0.5) -> bool:
        """Whether something is so that is no fault."""
        return self._random.random() < likelihood

    def pick(self, choices: Sequence[T]) -> T:
        return self._random.choice(choices)

    def whole(self, least: int, most: int) -> int:
        return self._random.randint(least, most)

    def between(self, least: float, most: float) -> float:
        return self._random.uniform(least, most)

    def text(self) -> str:
        return f"{self._random.getrandbits(32):08x}"

    def content(self) -> bytes:
        """The bytes of a blob, of any length, none included."""
        return self._random.randbytes(self._random.choice([0, 1, 50, 200]))

    async def pass_time(self, most: float) -> None:
        """Up to so many seconds pass."""
        await asyncio.sleep(self.between(0, most))
