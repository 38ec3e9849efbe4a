"""What DuckDB has made of some files it need not make again: a thousand tables cost little more than the first few."""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

STEPS: tuple[str, ...] = ("tables.convert.convert", "tables.convert.keep_lines", "tables.table.settle_parts")
STEPS += ("tables.arrange.arrange", "tables.arrange.read_back")
"""Functions from files to files, whose outcome depends on nothing else."""


def remember_tables(patch: pytest.MonkeyPatch) -> None:
    """Lets these functions remember what they have made, which is the same each time, for the same input."""
    for step in STEPS:
        patch.setattr(step, _with_memory(step))


@functools.cache
def _with_memory(step: str) -> Callable[..., Any]:
    """One for all tests of this process."""
    module, _, name = step.rpartition(".")
    return remembering(getattr(import_module(module), name))


def remembering(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, called once for each content of the files that it is given, and of all that stands beside them."""
    known: dict[str, tuple[Any, list[Path], list[Mapping[str, bytes]]]] = {}

    @functools.wraps(function)
    def remembered(*values: Any, **named: Any) -> Any:
        paths = list(_paths((values, named)))
        places = {path: Path(str(number)) for number, path in enumerate(paths)}
        key = repr((_moved((values, named), places), [_beside(path) for path in paths]))
        if key not in known:
            result = function(*values, **named)
            known[key] = result, paths, [_beside(path) for path in paths]
        result, before, after = known[key]
        for path, files in zip(paths, after, strict=True):
            for ending, content in files.items():
                (path.parent / f"{_stem(path)}{ending}").write_bytes(content)
        return _moved(result, dict(zip(before, paths, strict=True)))

    return remembered


def _stem(path: Path) -> str:
    return path.name.partition(".")[0]


def _beside(path: Path) -> Mapping[str, bytes]:
    """The file and those of the same name, by their endings."""
    files = sorted(path.parent.glob(f"{_stem(path)}.*"))
    return {file.name.removeprefix(_stem(path)): file.read_bytes() for file in files if file.is_file()}


def _paths(value: Any) -> Iterator[Path]:
    if isinstance(value, Path):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _paths(part)
    elif isinstance(value, Mapping):
        yield from _paths(list(value.values()))
    elif dataclasses.is_dataclass(value):
        yield from _paths([getattr(value, each.name) for each in dataclasses.fields(value)])


def _moved(value: Any, places: Mapping[Path, Path]) -> Any:
    """The value, with other paths in it."""
    if isinstance(value, Path):
        return places.get(value, value)
    if isinstance(value, list | tuple):
        return type(value)(_moved(part, places) for part in value)
    if isinstance(value, Mapping):
        return {name: _moved(part, places) for name, part in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {each.name: _moved(getattr(value, each.name), places) for each in dataclasses.fields(value)}
        return dataclasses.replace(value, **fields)
    return value
