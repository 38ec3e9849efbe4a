"""What may a script of faults say?"""

import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, get_args

from local.emulator.faults.fault import RequestKind

Rule = tuple[Callable[[Any], bool], str]
"""Whether a value will do, and what it must be."""

_HEADER_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_SPAN = re.compile(r"([1-9]\d*)-(\d*)")


def span(text: str) -> range | None:
    """The occurrences from the first to the last ("2-4"), or without end ("3-"); None for another text."""
    ends = _SPAN.fullmatch(text)
    return range(int(ends[1]), int(ends[2] or sys.maxsize - 1) + 1) or None if ends else None


def broken_rules(item: object, rules: Mapping[str, Rule], prefix: str = "") -> Iterator[str]:
    """A sentence for every rule that the item breaks; the names in it begin with `prefix`."""
    if not isinstance(item, Mapping):
        yield "It must be an object."
        return
    for name in sorted(item.keys() - rules.keys()):
        yield f"{prefix}{name} is not known; known are {', '.join(rules)}."
    for name in rules.keys() & _REQUIRED - item.keys():
        yield f"{prefix}{name} is required."
    for name, (holds, sentence) in rules.items():
        if name in item and not holds(item[name]):
            yield f"{prefix}{name} must be {sentence}."


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_occurrence(value: Any) -> bool:
    if isinstance(value, str):
        return value == "every" or span(value) is not None
    numbers = value if isinstance(value, list) and value else [value]
    return all(_is_count(number) and number > 0 for number in numbers)


def _is_seconds(value: Any) -> bool:
    return type(value) in {int, float} and bool(0 <= value < math.inf)


def _is_status(value: object) -> bool:
    return type(value) is int and value in set(HTTPStatus)


def _are_headers(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(text, str) and _HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(text)
        for name, text in value.items()
    )


def _are_header_changes(value: object) -> bool:
    return isinstance(value, Mapping) and _are_headers({n: text for n, text in value.items() if text is not None})


_KINDS = get_args(RequestKind)
_REQUIRED = {"request", "status"}
FAULT: Mapping[str, Rule] = {
    "request": (_KINDS.__contains__, f"one of {', '.join(_KINDS)}"),
    "path": (lambda value: isinstance(value, str), "a text"),
    "occurrence": (_is_occurrence, 'a number from 1 on, a list of them, a range such as "2-4" or "3-", or "every"'),
    "answer": (lambda value: isinstance(value, Mapping), "an object"),
    "headers": (_are_header_changes, "an object of headers as HTTP allows them, with null for one to remove"),
    "merge": (lambda value: isinstance(value, Mapping), "an object"),
    "flip": (_is_count, "a number of bytes"),
    "delay": (_is_seconds, "a number of seconds"),
    "cut": (
        lambda value: value in ("before-header", "after-header") or _is_count(value),
        "before-header, after-header, or a number of bytes",
    ),
}
ANSWER: Mapping[str, Rule] = {
    "status": (_is_status, "an HTTP status"),
    "headers": (_are_headers, "an object of headers as HTTP allows them"),
    "json": (lambda value: value is not None, "anything but null"),
    "text": (lambda value: isinstance(value, str), "a text"),
}
