"""How a message becomes plain JSON and back: the base of all that crosses the durable boundary."""

import functools
import types
import typing
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Self


class Message:
    """Base of all messages: dataclasses of JSON values, of times, of other messages, and of lists of all these."""

    def to_json(self) -> dict[str, Any]:
        """The message as plain JSON; what is None is left out."""
        values = {name: getattr(self, name) for name in _names(type(self))}
        return {name: _encoded(value) for name, value in values.items() if value is not None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The message that `to_json` wrote; fields of another release that this one does not know are ignored."""
        hints = _hints(typing.cast(Any, cls))
        return cls(**{name: _decoded(value, hints[name]) for name, value in data.items() if name in hints})


class PublicMessage(Message):
    """Base of what callers see as it is: names are in camel case, and what is None is there too."""

    def to_json(self) -> dict[str, Any]:
        """The message as plain JSON."""
        return {_camel(name): _encoded(getattr(self, name)) for name in _names(type(self))}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The message that `to_json` wrote."""
        return super().from_json({name: data[_camel(name)] for name in _names(cls) if _camel(name) in data})


def _names(cls: Any) -> Iterable[str]:
    return _hints(cls).keys()


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


@functools.cache
def _hints(cls: Any) -> Mapping[str, Any]:
    return {name: _without_none(hint) for name, hint in typing.get_type_hints(cls).items()}


def _without_none(hint: Any) -> Any:
    if isinstance(hint, types.UnionType):
        return next(part for part in hint.__args__ if part is not type(None))
    return hint


def _encoded(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list):
        return [_encoded(item) for item in value]
    return value.to_json() if hasattr(value, "to_json") else value


def _decoded(value: Any, hint: Any) -> Any:
    if value is None:
        return None
    if hint is datetime:
        return datetime.fromisoformat(value)
    if typing.get_origin(hint) is list:
        return [_decoded(item, typing.get_args(hint)[0]) for item in value]
    return hint.from_json(value) if hasattr(hint, "from_json") else value
