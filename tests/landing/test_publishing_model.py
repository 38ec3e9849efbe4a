"""Whatever builders of a table do at the same time, what stands there in the end is made of what is current."""

from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

from landing.json_files import json_bytes, json_object
from landing.layout import TablePlace
from landing.publishing import IsCurrent, TableFile, complete, published, replace_file
from landing.zones.protocol import LandingZone, Stored

PLACE = TablePlace("partner_tenant=0e195b37", "2026-10", "G016907411")

Publish = Callable[[Any, Sequence[TableFile], Mapping[str, Any], IsCurrent], Coroutine[Any, Any, bool]]
"""Publishes the table of these files that is described so; False when it was stale."""


async def publish(zone: Any, files: Sequence[TableFile], description: Mapping[str, Any], is_current: IsCurrent) -> bool:
    """As the activity does it, file by file."""
    for file in files:
        if not await replace_file(zone, f"{PLACE.folder}/{file.name}", Path(file.md5), is_current):
            return False
    return await complete(zone, PLACE, description, is_current)


@dataclass(frozen=True)
class File:
    """What stands at a path, and how often something was put there."""

    path: str
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
    """What has landed of each dataset, what stands there, and how often something was put there."""

    usage: int = 0
    lines: int = 0
    files: Mapping[str, File] = field(default_factory=dict)
    puts: int = 0

    def put(self, path: str, content: str, seen: str | None) -> tuple["World", bool]:
        if not self._stands(path, seen):
            return self, False
        files = {**self.files, path: File(path, content, self.puts)}
        return replace(self, files=files, puts=self.puts + 1), True

    def removed(self, path: str, seen: str) -> "World":
        if not self._stands(path, seen):
            return self
        return replace(self, files={other: file for other, file in self.files.items() if other != path})

    def _stands(self, path: str, seen: str | None) -> bool:
        there = self.files.get(path)
        return (there and there.tag) == seen


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

    async def list(self, folder: str) -> AsyncIterator[File]:
        for file in await Request(lambda world: (world, tuple(world.files.values()))):
            yield file

    def read(self, path: str) -> Request:
        def look(world: World) -> tuple[World, Any]:
            there = world.files.get(path)
            return world, there and Stored(there.content.encode(), there.tag)

        return Request(look)

    def swap(self, path: str, content: bytes, seen: str | None) -> Request:
        return Request(lambda world: world.put(path, content.decode(), seen))

    def swap_file(self, path: str, file: Path, seen: str | None) -> Request:
        return Request(lambda world: world.put(path, file.name, seen))

    def remove(self, path: str, seen: str) -> Request:
        return Request(lambda world: (world.removed(path, seen), None))


def current(world: World) -> str:
    """The version of the table that what has landed makes."""
    return f"{world.usage}+{world.lines}"


def files_of(version: str, several: tuple[str, ...]) -> list[TableFile]:
    """The files of this version: two of those that are among the several, one of each other."""
    paths = PLACE.files(2 if version in several else 1)
    return [TableFile(path.rpartition("/")[2], 0, f"{version}.{index}", 0) for index, path in enumerate(paths)]


def described(version: str, several: tuple[str, ...]) -> dict[str, Any]:
    """What is said of this version."""
    return {"version": version, "files": [file.to_json() for file in files_of(version, several)]}


async def build(policy: Publish, several: tuple[str, ...]) -> bool:
    """Builds the table of what is current, unless it stands there; False when that was stale by then."""
    zone: Any = ModelZone()
    built: str = await Request(lambda world: (world, current(world)))
    if await published(zone, PLACE, built):
        return True

    async def is_current() -> bool:
        # One after the other, as they are read: something may land between.
        usage: int = await Request(lambda world: (world, world.usage))
        lines: int = await Request(lambda world: (world, world.lines))
        return f"{usage}+{lines}" == built

    return await policy(zone, files_of(built, several), described(built, several), is_current)


@dataclass(frozen=True)
class Builder:
    """One builder, by the answers that it has had since it began, again, to build."""

    answers: tuple[Any, ...] = ()

    def step(self, policy: Publish, several: tuple[str, ...]) -> tuple[Any, Step | bool]:
        """Where it is, and what it asks next, or whether it has published when it ends."""
        building = build(policy, several)
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
        values = {name: known for name, value in frame.f_locals.items() if (known := _known(value)) is not None}
        yield frame.f_code.co_name, frame.f_lasti, tuple(sorted(values.items()))
        building = building.cr_await


def _known(value: Any) -> Any:
    """What a variable holds of the world, and where a loop is."""
    if isinstance(value, dict):
        value = [one for one in value.values() if isinstance(one, File)]
    if isinstance(value, list):
        return tuple(one for one in value if isinstance(one, str | File))
    return value if isinstance(value, str | int | File | Stored | TableFile) else None


def _seen_as(world: World, place: Any) -> Any:
    """A place, told by whether what it knows of a file is what stands there still: older states never come again."""
    if isinstance(place, tuple):
        return tuple(_seen_as(world, part) for part in place)
    if isinstance(place, File | Stored):
        return place.tag in {file.tag for file in world.files.values()}, _text(place)
    return place


def _text(file: File | Stored) -> str:
    return f"{file.path} {file.content}" if isinstance(file, File) else file.content.decode()


def endings(
    policy: Publish, several: tuple[str, ...] = (), *, usage: int = 2, lines: int = 1, deaths: int = 0
) -> tuple[list[World], int]:
    """All worlds in which so many versions of usage and of reconciliation landed, when a builder after each has ended.

    So many of them may die. The second value is how many states there are.
    """
    ended: list[World] = []
    seen: set[int] = set()
    # Most states have builders that are where they are in others.
    step_of = cache(Builder.step)
    todo: list[tuple[World, tuple[Builder, ...], int]] = [(World(), (), deaths)]
    while todo:
        world, builders, may_die = todo.pop()
        steps = [step_of(builder, policy, several) for builder in builders]
        key = (
            (world.usage, world.lines, may_die),
            tuple(sorted((path, file.content) for path, file in world.files.items())),
            tuple(sorted(repr(_seen_as(world, place)) for place, _ in steps)),
        )
        if hash(key) in seen:
            continue
        seen.add(hash(key))
        following = []
        if world.usage < usage:
            following.append((replace(world, usage=world.usage + 1), (*builders, Builder()), may_die))
        if world.lines < lines:
            following.append((replace(world, lines=world.lines + 1), (*builders, Builder()), may_die))
        for index, (_, step) in enumerate(steps):
            others = builders[:index] + builders[index + 1 :]
            if may_die and not isinstance(step, bool):
                following.append((world, others, may_die - 1))
            if isinstance(step, bool):
                following.append((world, others if step else (*others, Builder()), may_die))
            else:
                now, answer = step(world)
                following.append((now, (*others, Builder((*builders[index].answers, answer))), may_die))
        if not following:
            ended.append(world)
        todo += following
    return ended, len(seen)


def story(policy: Publish, several: tuple[str, ...], seed: int) -> World:
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
        _, step = builders[index].step(policy, several)
        if step is True:
            del builders[index]
        elif step is False or random.random() < 0.05:
            builders[index] = Builder()
        else:
            world, answer = step(world)
            builders[index] = Builder((*builders[index].answers, answer))
    return world


def claimed(world: World, several: tuple[str, ...]) -> str | None:
    """The version that is said to stand there, as far as exactly its files do."""
    stored = world.files.get(PLACE.description)
    version = json_object(Stored(stored.content.encode(), "") if stored else None).get("version")
    standing = {file.content for file in world.files.values() if PLACE.has(file.path)}
    return version if version and standing == {file.md5 for file in files_of(version, several)} else None


def is_stale(world: World, several: tuple[str, ...] = ()) -> bool:
    """Whether anything else stands there than the table of what is current, and what is said of that."""
    return claimed(world, several) != current(world)


def asked(world: World) -> Mapping[str, Any] | None:
    """What `published` finds of the version that is described there."""
    stored = world.files.get(PLACE.description)
    version = json_object(Stored(stored.content.encode(), "") if stored else None).get("version", "none")
    zone: Any = ModelZone()
    found: Mapping[str, Any] | None = alone(world, published(zone, PLACE, version))[1]
    return found


def alone(world: World, asking: Coroutine[Step, Any, Any]) -> tuple[World, Any]:
    """The world after somebody whom nobody disturbs, and what it came to."""
    answer = None
    while True:
        try:
            world, answer = asking.send(answer)(world)
        except StopIteration as ended:
            return world, ended.value


SHAPES = [("1+0",), ("1+1",), ("0+1", "1+1"), ("0+1", "1+0", "1+1")]
"""Which versions have two files: what grows, shrinks, or stays."""

every_shape = pytest.mark.parametrize("several", SHAPES, ids=" ".join)


@pytest.mark.timeout(180)
def test_no_ending_has_a_table_of_stale_inputs() -> None:
    """In whatever order requests of three builders and three landings come."""
    ended, states = endings(publish)
    assert states > 50_000
    assert not [world for world in ended if is_stale(world)]


@pytest.mark.timeout(180)
@every_shape
def test_no_ending_mixes_the_files_of_two_tables(several: tuple[str, ...]) -> None:
    """Two builders, each of a version with one file or two: those of the current one stand there, and no others."""
    ended, states = endings(publish, several, usage=1)
    assert states > 2000
    assert not [world for world in ended if is_stale(world, several)]


@pytest.mark.timeout(180)
@every_shape
def test_what_a_builder_leaves_that_died_is_never_taken_for_a_table(several: tuple[str, ...]) -> None:
    """Wherever it died; and one more builder heals it."""
    ended, _ = endings(publish, several, usage=1, deaths=1)
    left = [world for world in ended if is_stale(world, several)]
    assert left
    for world in left:
        found = asked(world)
        assert (found and found["version"]) == claimed(world, several)
        assert alone(world, build(publish, several))[1]
        assert not is_stale(alone(world, build(publish, several))[0], several)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("several", [(), ("1+0", "1+1", "2+1", "0+3", "4+2")], ids=["one file", "one or two"])
def test_builders_that_die_leave_no_stale_table(several: tuple[str, ...]) -> None:
    """A thousand stories, in which any builder may die before or after any request and begins again."""
    assert not [seed for seed in range(500) if is_stale(story(publish, several, seed), several)]


@pytest.mark.timeout(180)
def test_the_model_finds_what_a_careless_builder_leaves() -> None:
    """Who replaces what stands there, even on its tag, without having looked at the inputs after it, may be late."""

    async def careless(
        zone: LandingZone, files: Sequence[TableFile], description: Mapping[str, Any], is_current: IsCurrent
    ) -> bool:
        for file in files:
            path = f"{PLACE.folder}/{file.name}"
            there = await zone.find(path)
            if not await zone.swap_file(path, Path(file.md5), there.tag if there else None):
                return False
        stored = await zone.read(PLACE.description)
        await zone.swap(PLACE.description, json_bytes(description), stored.tag if stored else None)
        return True

    ended, _ = endings(careless)
    assert [world for world in ended if is_stale(world)]
