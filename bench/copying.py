"""How fast do blobs land, compared with the tools that one would use otherwise, and with the least there is to do?"""

import asyncio
import gc
import hashlib
import itertools
import logging
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from azure.storage.blob import ContainerClient

from bench.contenders import AzCopy, OneByOne, Ours, Rclone, all_contenders, concurrency_for
from bench.floor import Floor
from bench.report import Goal, Section
from bench.servers import Azurite, running_azurite, serving_manifest
from bench.work import Container, Contender, NotPossible, Source, Work

log = logging.getLogger(__name__)

KIB, MIB = 1 << 10, 1 << 20
TO_FOLDER = "streamed to a folder"
SERVER_SIDE = "server-side"

MOST_ABOVE_FLOOR = 0.10
"""What a server-side copy may take longer than the floor."""

SATURATED = 0.85
"""CPU seconds a second from which on Azurite, which works on one core for the most part, is taken for the limit."""


@dataclass(frozen=True)
class Size:
    """`count` blobs of `length` bytes each."""

    count: int
    length: int

    def __str__(self) -> str:
        length = f"{self.length // MIB} MiB" if self.length >= MIB else f"{self.length // KIB} KiB"
        return f"{self.count} × {length}"


FULL = (Size(512, 256 * KIB), Size(16, 64 * MIB))
QUICK = (Size(16, 256 * KIB), Size(2, 2 * MIB))


@dataclass(frozen=True)
class Timing:
    """One run, in seconds: by the clock, until the last blob had landed (in a folder), and of CPU on both sides."""

    seconds: float
    to_last_blob: float | None
    own_cpu: float
    azurite_cpu: float


@dataclass(frozen=True)
class Track:
    """What the contenders of a race have before them: the source's blobs in Azurite, and a folder for what lands."""

    azurite: Azurite
    source: Source
    folder: Path


@dataclass
class Race:
    """All runs of all contenders over the same blobs in the same direction."""

    direction: str
    size: Size
    timings: dict[str, list[Timing]] = field(default_factory=dict)
    impossible: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.direction}, {self.size}"

    @property
    def at_once(self) -> int:
        """How many blobs are copied in parallel: as many as this app copies."""
        return concurrency_for(self.size.count, streamed=self.direction == TO_FOLDER)

    def median(self, contender: str, of: Callable[[Timing], float] = lambda timing: timing.seconds) -> float:
        """The median over the contender's runs."""
        return statistics.median(map(of, self.timings[contender]))


def measure(quick: bool) -> Section:
    """Runs all contenders, in turns, over many small and few large blobs, in both directions.

    Raises:
        ToolMissing: when a tool that is compared with cannot be used.
    """
    contenders = all_contenders()
    return asyncio.run(compare(QUICK if quick else FULL, 2 if quick else 5, contenders))


async def compare(sizes: Sequence[Size], rounds: int, contenders: Sequence[Contender]) -> Section:
    """The report of a number of rounds."""
    races: list[Race] = []
    for size in sizes:
        with track_of(size) as track:
            for direction in (TO_FOLDER, SERVER_SIDE):
                race = Race(direction, size)
                await run_race(race, track, rounds, contenders)
                races.append(race)
    return _section(races, rounds)


@contextmanager
def track_of(size: Size) -> Iterator[Track]:
    """An Azurite of its own with such blobs, and a folder; both are gone at the end."""
    with running_azurite() as azurite, tempfile.TemporaryDirectory() as folder:
        yield Track(azurite, azurite.filled("exports", size.count, size.length), Path(folder))


async def run_race(race: Race, track: Track, rounds: int, contenders: Sequence[Contender]) -> None:
    """Lets the contenders that can take part copy the track's blobs in turns, and keeps what each took."""
    racing = [contender for contender in contenders if _takes_part(contender, race.direction)]
    async with serving_manifest(track.source) as (graph_url, manifest_url):
        # The first run finds Azurite cold, and counts for nobody.
        for number, contender in [(-1, Floor()), *itertools.product(range(rounds), racing)]:
            with _target(track, race.direction) as target:
                work = Work(track.source, target, race.at_once, graph_url, manifest_url)
                if number < 0:
                    await _time(track.azurite, contender, work)
                else:
                    await _take_turn(track.azurite, race, contender, work, thoroughly=number == 0)


def _takes_part(contender: Contender, direction: str) -> bool:
    return direction == TO_FOLDER or not isinstance(contender, OneByOne)


async def _take_turn(azurite: Azurite, race: Race, contender: Contender, work: Work, *, thoroughly: bool) -> None:
    if contender.name in race.impossible:
        return
    try:
        timing = await _time(azurite, contender, work)
    except NotPossible as reason:
        race.impossible[contender.name] = str(reason)
        log.info("%s: %s: not possible: %s", race, contender.name, reason)
        return
    _verify(work, contender.name, thoroughly=thoroughly)
    race.timings.setdefault(contender.name, []).append(timing)
    log.info("%s: %s: %.2f s", race, contender.name, timing.seconds)


@contextmanager
def _target(track: Track, direction: str) -> Iterator[Container | Path]:
    if direction == SERVER_SIDE:
        with track.azurite.fresh_container() as container:
            yield container
    else:
        folder = Path(tempfile.mkdtemp(dir=track.folder))
        try:
            yield folder
        finally:
            _empty_blobs(folder)


def _empty_blobs(folder: Path) -> None:
    """Frees their bytes and deletes none of them.

    ext4 passes over what was deleted within the last minutes, one by one, for every file that it makes: with the files
    of the runs before deleted, making those of the next took most of the CPU time that the system spent on it.
    """
    for path in _blobs_below(folder):
        os.truncate(path, 0)


async def _time(azurite: Azurite, contender: Contender, work: Work) -> Timing:
    async with contender.prepared(work) as copy:
        # What the run before has left behind is not this one's to pay for.
        os.sync()
        gc.collect()
        began_at, began = time.time(), time.perf_counter()
        own, azurites = _own_cpu(), azurite.cpu_seconds()
        await copy()
        seconds = time.perf_counter() - began
        return Timing(seconds, _last_blob(work.target, began_at), _own_cpu() - own, azurite.cpu_seconds() - azurites)


def _own_cpu() -> float:
    """CPU seconds of this process, and of the tools that it ran and that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def _last_blob(target: Container | Path, began_at: float) -> float | None:
    if not isinstance(target, Path):
        return None
    return max((path.stat().st_ctime for path in _blobs_below(target)), default=began_at) - began_at


def _blobs_below(folder: Path) -> list[Path]:
    return list(folder.rglob("part-*"))


def _verify(work: Work, contender: str, *, thoroughly: bool) -> None:
    """Raises AssertionError where the blobs have not landed: all names and bytes, or thoroughly each one's MD5."""
    landed = _landed(work.target, thoroughly=thoroughly)
    lengths = sum(length for length, _ in landed.values())
    if landed.keys() != work.source.md5s.keys() or lengths != work.source.bytes:
        raise AssertionError(f"{contender} landed {len(landed)} blobs of {lengths} bytes.")
    if thoroughly and {name: md5 for name, (_, md5) in landed.items()} != work.source.md5s:
        raise AssertionError(f"{contender} landed other bytes.")


def _landed(target: Container | Path, *, thoroughly: bool) -> Mapping[str, tuple[int, str]]:
    """Length, and thoroughly MD5, of what landed, by the blobs' own names."""
    if isinstance(target, Path):
        return {path.name: (path.stat().st_size, _md5(path) if thoroughly else "") for path in _blobs_below(target)}
    with ContainerClient.from_container_url(f"{target.url}?{target.sas}") as client:
        paths = {str(blob.name): int(blob.size) for blob in client.list_blobs()}
        blobs = {path: length for path, length in paths.items() if path.rsplit("/", 1)[-1].startswith("part-")}
        return {
            path.rsplit("/", 1)[-1]: (length, _md5_in(client, path) if thoroughly else "")
            for path, length in blobs.items()
        }


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _md5_in(client: ContainerClient, path: str) -> str:
    md5 = hashlib.md5(usedforsecurity=False)
    for chunk in client.download_blob(path).chunks():
        md5.update(chunk)
    return md5.hexdigest()


def _section(races: Sequence[Race], rounds: int) -> Section:
    columns = ("direction", "blobs", "contender", "seconds", "range", "MiB/s", "× floor", "Azurite CPU s", "own CPU s")
    rows = [row for race in races for row in _rows(race)]
    goals = [goal for race in races for goal in _goals(race)]
    notes = [_how(races, rounds), *(note for race in races for note in _notes(race))]
    return Section("Copying, compared with other tools", columns, rows, goals, notes)


def _rows(race: Race) -> Iterator[Sequence[str]]:
    for contender, timings in race.timings.items():
        seconds = [timing.seconds for timing in timings]
        median = race.median(contender)
        yield (
            race.direction,
            str(race.size),
            contender,
            f"{median:.2f}",
            f"{min(seconds):.2f} – {max(seconds):.2f}",
            f"{race.size.count * race.size.length / MIB / median:,.0f}",
            f"{median / race.median(Floor.name):.2f}",
            f"{race.median(contender, lambda timing: timing.azurite_cpu):.2f}",
            f"{race.median(contender, lambda timing: timing.own_cpu):.2f}",
        )
    for contender in race.impossible:
        yield (race.direction, str(race.size), contender, "not possible", *[""] * 5)


def _goals(race: Race) -> Iterator[Goal]:
    ours = race.median(Ours.name)
    if race.direction == SERVER_SIDE:
        above = ours / race.median(Floor.name) - 1
        text = f"{race}: at most {MOST_ABOVE_FLOOR:.0%} above the floor (measured: {above:+.0%})"
        yield Goal(text, above <= MOST_ABOVE_FLOOR)
        return
    rivals = {name: race.median(name, _kindly) for name in (AzCopy.name, Rclone.name) if name in race.timings}
    if rivals:
        fastest = min(rivals, key=rivals.__getitem__)
        text = (
            f"{race}: as fast as the faster of AzCopy and rclone, each timed to its last blob "
            f"(measured: {ours:.2f} s, {fastest} {rivals[fastest]:.2f} s)"
        )
        yield Goal(text, ours <= rivals[fastest])


def _kindly(timing: Timing) -> float:
    """The time until the last blob had landed, without what the tool waits for then; in a container, all of it."""
    return timing.seconds if timing.to_last_blob is None else min(timing.seconds, timing.to_last_blob)


def _how(races: Sequence[Race], rounds: int) -> str:
    at_once = "; ".join(f"{race}: {race.at_once}" for race in races)
    return (
        f"Medians of {rounds} rounds in which the contenders take turns, each into a new target. "
        f"Blobs in parallel, as this app has them on one worker: {at_once}. "
        "This app checks each file's MD5 and makes it durable before it counts; the floor and the loops do neither."
    )


def _notes(race: Race) -> Iterator[str]:
    for contender, reason in race.impossible.items():
        yield f"{race}: {contender} cannot: {reason}."
    if race.direction == TO_FOLDER and AzCopy.name in race.timings:
        last = race.median(AzCopy.name, _kindly)
        yield f"{race}: AzCopy's last blob had landed after {last:.2f} s; it checks its own progress only every 2 s."
    shares = {name: _azurites_share(race, name) for name in (Ours.name, Floor.name) if name in race.timings}
    told = ", ".join(f"{share:.2f} with {name}" for name, share in shares.items())
    limit = " Azurite is the limit." if min(shares.values()) >= SATURATED else ""
    yield f"{race}: Azurite's CPU seconds per second: {told}.{limit}"


def _azurites_share(race: Race, contender: str) -> float:
    return race.median(contender, lambda timing: timing.azurite_cpu / timing.seconds)
