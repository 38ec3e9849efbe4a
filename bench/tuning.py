"""Why are the numbers in the code what they are? Each is varied by itself, and what needs it done in turns."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from bench.contenders import Ours, settings_for
from bench.copying import KIB, MIB, SERVER_SIDE, TO_FOLDER, Race, Size, run_race, track_of
from bench.orchestration import export_cpu_seconds
from bench.report import Section
from bench.work import Copy, Work
from landing import source
from orchestrator import policy

ROUNDS = 5
SMALL, LARGE = Size(512, 256 * KIB), Size(16, 64 * MIB)
LITTLE = Size(8, 256 * KIB)

RANGES = (16, 64, 128)
BLOBS = 100_000
"""Blobs of the export that is orchestrated in so many ranges."""


class _OursWithSetting(Ours):
    """This app, with another setting."""

    def __init__(self, setting: str, value: int) -> None:
        super().__init__(**{setting: str(value)})
        self.name = str(value)


class _OursWithConstant(Ours):
    """This app, with another constant of a module."""

    def __init__(self, module: Any, constant: str, value: int) -> None:
        super().__init__()
        self.name = str(value)
        self._changed = module, constant, value

    @asynccontextmanager
    async def prepared(self, work: Work) -> AsyncIterator[Copy]:
        """The activities, as long as the constant is another."""
        with changed(*self._changed):
            async with super().prepared(work) as copy:
                yield copy


@contextmanager
def changed(module: Any, constant: str, value: int) -> Iterator[None]:
    """The module's constant has this value inside."""
    chosen = getattr(module, constant)
    setattr(module, constant, value)
    try:
        yield
    finally:
        setattr(module, constant, chosen)


@dataclass(frozen=True)
class _Trial:
    """A number of the code, the value it has there, what is copied with it and with others."""

    number: str
    chosen: int
    race: Race
    contenders: Sequence[Ours]


def measure(quick: bool) -> Section:
    """Seconds of copies with each value, and processor seconds of an orchestration with each number of ranges."""
    rounds = 1 if quick else ROUNDS
    trials = [trial for size in _sizes(quick) for trial in asyncio.run(_copied(size, rounds))]
    return Section(
        "The numbers in the code, and others",
        ("number", "what is done", "value", "seconds", "beside the one in the code"),
        [*(row for trial in trials for row in _rows(trial)), *_rows_of_ranges(RANGES[:2] if quick else RANGES)],
        notes=(
            f"Medians of {rounds} rounds in which the values take turns; for orchestrating, seconds of the processor, "
            "once. The more ranges there are, the more completions replay all before them.",
        ),
    )


def _sizes(quick: bool) -> Sequence[Size]:
    return (LITTLE,) if quick else (SMALL, LARGE)


async def _copied(size: Size, rounds: int) -> Sequence[_Trial]:
    trials = _trials(size)
    with track_of(size) as track:
        for trial in trials:
            await run_race(trial.race, track, rounds, trial.contenders)
    return trials


def _trials(size: Size) -> Sequence[_Trial]:
    if size == LARGE:
        return (_trial_of_constant(source, "BUFFER", (256 * KIB, 512 * KIB, 2 * MIB, 4 * MIB), size),)
    return tuple(_trial_of_concurrency(direction, size) for direction in (TO_FOLDER, SERVER_SIDE))


def _trial_of_constant(module: Any, constant: str, values: Sequence[int], size: Size) -> _Trial:
    chosen = getattr(module, constant)
    contenders = [_OursWithConstant(module, constant, value) for value in sorted({chosen, *values})]
    return _Trial(constant, chosen, Race(TO_FOLDER, size), contenders)


def _trial_of_concurrency(direction: str, size: Size) -> _Trial:
    chosen = settings_for("file:///not/used").copy_concurrency
    contenders = [_OursWithSetting("COPY_CONCURRENCY", value) for value in sorted({chosen, 4, 8, 32})]
    return _Trial("COPY_CONCURRENCY", chosen, Race(direction, size), contenders)


def _rows(trial: _Trial) -> Iterator[Sequence[str]]:
    medians = {name: trial.race.median(name) for name in trial.race.timings}
    for name, seconds in medians.items():
        yield _row(trial.number, str(trial.race), int(name), seconds, medians[str(trial.chosen)])


def _rows_of_ranges(values: Sequence[int]) -> Iterator[Sequence[str]]:
    seconds = {}
    for value in values:
        with changed(policy, "MOST_RANGES", value):
            seconds[value] = export_cpu_seconds(BLOBS)
    for value, taken in seconds.items():
        yield _row("MOST_RANGES", f"orchestrating {BLOBS:,} blobs", value, taken, seconds[policy.MOST_RANGES])


def _row(number: str, done: str, value: int, seconds: float, chosen: float) -> Sequence[str]:
    return (number, done, f"{value:,}", f"{seconds:.2f}", f"{seconds / chosen:.2f}")
