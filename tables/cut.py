"""Which neighbours are taken together, so that no group of them has too many rows?"""

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def cut(counted: Iterable[tuple[T, int]], most: int) -> Iterator[tuple[list[T], int]]:
    """Neighbours who together have no more rows than that, and how many; one who has more is alone."""
    some: list[T] = []
    rows = 0
    for one, count in counted:
        if some and rows + count > most:
            yield some, rows
            some, rows = [], 0
        some.append(one)
        rows += count
    if some:
        yield some, rows
