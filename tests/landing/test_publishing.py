"""Whatever builders of a table do at the same time, what stands there in the end is made of what is current."""

from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from landing.json_files import json_bytes, json_object
from landing.layout import TablePlace
from landing.publishing import BuiltTable, built_table, publish, published
from landing.zones.protocol import LandingZone, Stored
from tests.landing.conftest import Run

PLACE = TablePlace("partner_tenant=0e195b37", "2026-10", "G016907411")

Publish = Callable[[Any, TablePlace, BuiltTable, Callable[[], Awaitable[bool]]], Awaitable[bool]]


@dataclass(frozen=True)
class File:
    """What stands at a path, and how often something was put there."""

    content: str
    number: int

    @property
    def tag(self) -> str:
        return str(self.number)

    @property
    def md5(self) -> str:
        return self.content

    @property
    def length(self) -> int:
        return 0


@dataclass(frozen=True)
class World:
    """What has landed of each dataset, the table's file, and what is said of it."""

    usage: int = 0
    lines: int = 0
    files: Mapping[str, File] = field(default_factory=dict)

    def put(self, path: str, content: str, seen: str | None) -> tuple["World", bool]:
        there = self.files.get(path)
        if (there and there.tag) != seen:
            return self, False
        return replace(self, files={**self.files, path: File(content, there.number + 1 if there else 0)}), True


Step = Callable[[World], tuple[World, Any]]


class Request:
    """One atomic request of a builder: awaiting it hands the step to whoever plays the world."""

    def __init__(self, step: Step) -> None:
        self._step = step

    def __await__(self) -> Generator[Step, Any, Any]:
        return (yield self._step)


class ModelZone:
    """As much of a landing zone as publishing needs, each call one step of the world."""

    def find(self, path: str) -> Request:
        return Request(lambda world: (world, world.files.get(path)))

    def read(self, path: str) -> Request:
        def look(world: World) -> tuple[World, Any]:
            there = world.files.get(path)
            return world, there and Stored(there.content.encode(), there.tag)

        return Request(look)

    def swap(self, path: str, content: bytes, seen: str | None) -> Request:
        return Request(lambda world: world.put(path, content.decode(), seen))

    def swap_file(self, path: str, file: Path, seen: str | None) -> Request:
        return Request(lambda world: world.put(path, file.name, seen))


def current(world: World) -> str:
    """The version of the table that what has landed makes."""
    return f"{world.usage}+{world.lines}"


async def build(policy: Publish) -> bool:
    """Builds the table of what is current, and publishes it; False when that was stale by then."""
    zone: Any = ModelZone()
    built = await Request(lambda world: (world, current(world)))

    async def is_current() -> bool:
        # One after the other, as they are read: something may land between.
        usage: int = await Request(lambda world: (world, world.usage))
        lines: int = await Request(lambda world: (world, world.lines))
        return f"{usage}+{lines}" == str(built)

    about = {"version": built, "file": {"length": 0, "md5": built}}
    return await policy(zone, PLACE, BuiltTable(Path(built), built, about), is_current)


@dataclass(frozen=True)
class Builder:
    """One builder, by the answers that it has had since it began, again, to build."""

    answers: tuple[Any, ...] = ()

    def step(self, policy: Publish) -> tuple[Any, Step | bool]:
        """Where it is, and what it asks next, or whether it has published when it ends."""
        building: Coroutine[Step, Any, bool] = build(policy)
        try:
            step = building.send(None)
            for answer in self.answers:
                step = building.send(answer)
            return tuple(_places(building)), step
        except StopIteration as ended:
            return None, bool(ended.value)
        finally:
            building.close()


def _places(building: Any) -> Iterator[Any]:
    """For each function that waits for another: where in its code it is, and what its variables hold."""
    while frame := getattr(building, "cr_frame", None):
        values = {name: value for name, value in frame.f_locals.items() if isinstance(value, str | int | File | Stored)}
        yield frame.f_code.co_name, frame.f_lasti, tuple(sorted(values.items()))
        building = building.cr_await


def _seen_as(world: World, place: Any) -> Any:
    """A place, told by whether what it knows of a file is what stands there still: older states never come again."""
    if isinstance(place, tuple):
        return tuple(_seen_as(world, part) for part in place)
    if isinstance(place, File | Stored):
        return place.tag in {file.tag for file in world.files.values() if _text(file) == _text(place)}, _text(place)
    return place


def _text(file: File | Stored) -> str:
    return file.content if isinstance(file.content, str) else file.content.decode()


def endings(policy: Publish) -> tuple[list[World], int]:
    """All worlds in which two versions of usage and one of reconciliation landed, when a builder after each has ended.

    The second value is how many states there are.
    """
    ended: list[World] = []
    seen: set[int] = set()
    todo: list[tuple[World, tuple[Builder, ...]]] = [(World(), ())]
    while todo:
        world, builders = todo.pop()
        steps = [builder.step(policy) for builder in builders]
        key = (
            (world.usage, world.lines),
            tuple(sorted((path, file.content) for path, file in world.files.items())),
            tuple(sorted(repr(_seen_as(world, place)) for place, _ in steps)),
        )
        if hash(key) in seen:
            continue
        seen.add(hash(key))
        following = [(replace(world, usage=world.usage + 1), (*builders, Builder()))] if world.usage < 2 else []
        if world.lines < 1:
            following.append((replace(world, lines=1), (*builders, Builder())))
        for index, (_, step) in enumerate(steps):
            others = builders[:index] + builders[index + 1 :]
            if isinstance(step, bool):
                following.append((world, others if step else (*others, Builder())))
            else:
                now, answer = step(world)
                following.append((now, (*others, Builder((*builders[index].answers, answer)))))
        if not following:
            ended.append(world)
        todo += following
    return ended, len(seen)


def story(policy: Publish, seed: int) -> World:
    """How one story ends in which builders may die at any step, begin again, and meet others of the same version."""
    random = Random(seed)
    world, landings = World(), random.choices(["usage", "lines"], k=random.randint(1, 6))
    builders: list[Builder] = []
    while landings or builders:
        if landings and (not builders or random.random() < 0.1):
            dataset = landings.pop()
            world = replace(world, **{dataset: getattr(world, dataset) + 1})
            builders += [Builder()] * random.randint(1, 2)
            continue
        index = random.randrange(len(builders))
        _, step = builders[index].step(policy)
        if step is True:
            del builders[index]
        elif step is False or random.random() < 0.05:
            builders[index] = Builder()
        else:
            world, answer = step(world)
            builders[index] = Builder((*builders[index].answers, answer))
    return world


def is_stale(world: World) -> bool:
    """Whether the file, or what is said of it, is made of something that is not current."""
    described = json_object(Stored(world.files[PLACE.description].content.encode(), ""))
    return {world.files[PLACE.file].content, described["version"]} != {current(world)}


@pytest.mark.timeout(180)
def test_no_ending_has_a_table_of_stale_inputs() -> None:
    """In whatever order requests of three builders and three landings come."""
    ended, states = endings(publish)
    assert states > 5000
    assert not [world for world in ended if is_stale(world)]


@pytest.mark.timeout(180)
def test_builders_that_die_leave_no_stale_table() -> None:
    """A thousand stories, in which any builder may die before or after any request and begins again."""
    assert not [seed for seed in range(1000) if is_stale(story(publish, seed))]


@pytest.mark.timeout(180)
def test_the_model_finds_what_a_careless_builder_leaves() -> None:
    """Who replaces what stands there, even on its tag, without having looked at the inputs after it, may be late."""

    async def careless(
        zone: LandingZone, place: TablePlace, table: BuiltTable, is_current: Callable[[], Awaitable[bool]]
    ) -> bool:
        there = await zone.find(place.file)
        if not await zone.swap_file(place.file, table.file, there.tag if there else None):
            return False
        stored = await zone.read(place.description)
        await zone.swap(place.description, json_bytes(table.description), stored.tag if stored else None)
        return True

    ended, _ = endings(careless)
    assert [world for world in ended if is_stale(world)]


def _table(folder: Path, content: bytes, version: str = "5f0c2ab94d3e7a10") -> BuiltTable:
    file = folder / "table.parquet"
    file.write_bytes(content)
    return built_table(file, {"version": version})


async def _yes() -> bool:
    return True


async def _no() -> bool:
    return False


@pytest.mark.parametrize("content", [b"", b"PAR1", b"0123456789" * 1_000_000])
def test_a_table_is_put_in_its_place_and_replaced(run: Run, zone: LandingZone, tmp_path: Path, content: bytes) -> None:
    """In every landing zone, whatever its length; then its description fits it."""
    for version, bytes_ in (("1", b"before"), ("2", content)):
        assert run(publish(zone, PLACE, _table(tmp_path, bytes_, version), _yes))
        described = run(published(zone, PLACE))
        assert described["version"] == version
        assert described["file"]["length"] == len(bytes_)

    async def read() -> bytes:
        return b"".join([piece async for piece in zone.stream(PLACE.file)])

    assert run(read()) == content


def test_a_table_of_stale_inputs_replaces_nothing(run: Run, zone: LandingZone, tmp_path: Path) -> None:
    """Neither where there is none, nor where there is one."""
    assert not run(publish(zone, PLACE, _table(tmp_path, b"stale"), _no))
    assert run(zone.find(PLACE.file)) is None
    run(publish(zone, PLACE, _table(tmp_path, b"current", "1"), _yes))
    assert not run(publish(zone, PLACE, _table(tmp_path, b"stale", "2"), _no))
    assert run(published(zone, PLACE))["version"] == "1"


def test_who_lost_the_swap_looks_at_the_inputs_again(run: Run, zone: LandingZone, tmp_path: Path) -> None:
    """Another builder was faster, with newer inputs: this one sees that its own are stale."""
    looks: list[bool] = []

    async def overtaken() -> bool:
        looks.append(not looks)
        if looks == [True]:
            (tmp_path / "other").mkdir()
            assert await publish(zone, PLACE, _table(tmp_path / "other", b"newer", "2"), _yes)
        return looks[-1]

    assert not run(publish(zone, PLACE, _table(tmp_path, b"older", "1"), overtaken))
    assert looks == [True, False]
    assert run(published(zone, PLACE))["version"] == "2"


def test_a_file_that_is_not_the_described_one_is_not_taken_for_published(
    run: Run, zone: LandingZone, tmp_path: Path
) -> None:
    """A builder that died between file and description leaves work for the next one."""
    run(publish(zone, PLACE, _table(tmp_path, b"first", "1"), _yes))
    run(zone.write(PLACE.file, b"other"))
    assert run(published(zone, PLACE)) is None
