"""Messages that releases before have left in Durable's state are read by this one."""

import importlib
import json
import pkgutil
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import messages
from messages.encoding import Message
from messages.problems import Answer

RECORDED = [
    pytest.param(record["message"], record["json"], id=f"{file.stem}-{number}-{record['message']}")
    for file in sorted(Path(__file__).with_name("recorded").glob("*.json"))
    for number, record in enumerate(json.loads(file.read_text(encoding="utf-8")))
]
SINCE_RENAMED: dict[str, type[Message]] = {"PutOff": Answer}
"""What is read now where a release before wrote this."""


def _read_as(name: str) -> type[Message]:
    modules = [importlib.import_module(f"messages.{found.name}") for found in pkgutil.iter_modules(messages.__path__)]
    return SINCE_RENAMED.get(name) or next(vars(module)[name] for module in modules if name in vars(module))


@pytest.mark.parametrize(("name", "told"), RECORDED)
def test_what_releases_before_wrote_is_read(name: str, told: dict[str, Any]) -> None:
    """Fields that are gone are ignored, new ones have defaults, and what both know is what it was."""
    kind = _read_as(name)
    if issubclass(kind, Answer) and (not_done := Answer.from_json(told).not_done):
        # What an activity could not do is read first, in whatever words.
        assert not_done.problem.message
        return
    read = kind.from_json(told)
    known = {field.name for field in fields(kind)} & told.keys()  # type: ignore[arg-type]
    again = read.to_json()
    same = {field for field in known if again[field] == told[field] or isinstance(told[field], dict)}
    assert same == known
