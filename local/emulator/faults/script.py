"""A script of faults, as JSON: docs/emulator.md shows every form."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from local.emulator.faults.fault import Answer, Fault
from local.emulator.faults.rules import ANSWER, FAULT, broken_rules, span


class InvalidScript(ValueError):
    """The script cannot be used. `mistakes` holds one sentence for every mistake found."""

    def __init__(self, source: str, mistakes: list[str]) -> None:
        super().__init__("\n".join([f"{source} cannot be used:", *(f"  • {mistake}" for mistake in mistakes)]))
        self.mistakes = tuple(mistakes)


def read_script(file: Path) -> tuple[Fault, ...]:
    """The faults of a script file.

    Raises:
        InvalidScript: with every mistake, when the file is missing, is no JSON, or is no script.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, RecursionError, ValueError) as fault:
        raise InvalidScript(str(file), [f"It cannot be read: {fault}."]) from None
    return script_from_json(document, str(file))


def script_from_json(document: object, source: str = "The fault script") -> tuple[Fault, ...]:
    """The faults that a JSON document lists. `source` names it in messages.

    Raises:
        InvalidScript: with every mistake.
    """
    if not isinstance(document, list):
        raise InvalidScript(source, ["It must be a list of faults."])
    mistakes = [f"Fault {number}: {text}" for number, item in enumerate(document, 1) for text in _mistakes(item)]
    if mistakes:
        raise InvalidScript(source, mistakes)
    return tuple(map(_fault, document))


def _mistakes(item: object) -> Iterator[str]:
    mistakes = list(broken_rules(item, FAULT))
    if isinstance(item, Mapping) and isinstance(item.get("answer"), Mapping):
        mistakes += broken_rules(item["answer"], ANSWER, "answer.")
    yield from mistakes or _contradictions(item)


def _contradictions(item: object) -> Iterator[str]:
    try:
        _fault(item)
    except ValueError as contradiction:
        yield str(contradiction)


def _fault(item: Any) -> Fault:
    made = dict(item)
    if isinstance(made.get("occurrence"), str):
        made["occurrence"] = span(made["occurrence"]) or made["occurrence"]
    if "answer" in made:
        made["answer"] = Answer(**made["answer"])
    return Fault(**made)
