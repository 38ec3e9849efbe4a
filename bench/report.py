"""What a benchmark found: a table, what it shows, and whether its goals were met."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Goal:
    """What was aimed at, in words with its number, and whether it was met."""

    text: str
    met: bool


@dataclass(frozen=True)
class Section:
    """One benchmark's part of the report; each row has a text for each column."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    goals: Sequence[Goal] = ()
    notes: Sequence[str] = field(default=())
