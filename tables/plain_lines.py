"""What is wrong with a blob's lines, or if nothing is, how do they look when written plainly?

Slow and careful, one line at a time: for blobs that DuckDB refuses, or would misread in silence.
"""

import gzip
import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NoReturn

from tables.attributes import Shape
from tables.gzip_check import pieces, unreadable

LARGEST = Decimal(79_000_000_000)
"""An amount is below it, in either direction: with 18 decimals, many a program holds no more than 7.9 · 10^10."""

_SPACE = b" \t\r"
_PLAIN = re.compile(r"-?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]{1,4})?")


class _Fault(Exception):
    """What is wrong with one line."""


def write_plainly(blob: Path, target: Path, shape: Shape) -> None:
    """Writes a blob's lines anew: each key in one spelling, the shape's or the first, each amount a number or null.

    Raises:
        UnreadableLines: with blob, line number and fault.
    """
    amounts = frozenset(shape.amounts)
    spelling = {name.lower(): name for name in shape.attributes}
    with gzip.open(target, "wb", compresslevel=1) as plain:
        for number, line in _lines(blob):
            try:
                plain.write(_plain(line, amounts, spelling))
            except _Fault as fault:
                raise unreadable(blob, number, str(fault)) from None


def _lines(blob: Path) -> Iterator[tuple[int, bytes]]:
    """Each line that is not blank, and its number from 1 on."""
    begun, number = b"", 0
    for piece in pieces(blob):
        *whole, begun = (begun + piece).split(b"\n")
        for line in whole:
            number += 1
            yield from _numbered(number, line)
    yield from _numbered(number + 1, begun)


def _numbered(number: int, line: bytes) -> Iterator[tuple[int, bytes]]:
    text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
    if text.strip(_SPACE):
        yield number, text


def _plain(line: bytes, amounts: frozenset[str], spelling: dict[str, str]) -> bytes:
    members = {}
    for key, value in _members(line):
        name = spelling.setdefault(key.lower(), key)
        if name in members:
            raise _Fault("a key is there twice")
        members[name] = _amount(name, value) if name in amounts else value
    try:
        return f"{_json(members)}\n".encode()
    except UnicodeEncodeError:
        raise _Fault("it holds half a character") from None


def _members(line: bytes) -> list[tuple[str, object]]:
    """Keys and values of a line's object, in its order."""
    try:
        value = json.loads(
            line.decode(), object_pairs_hook=_Object, parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse
        )
    except UnicodeDecodeError:
        raise _Fault("it is no UTF-8") from None
    except (ValueError, InvalidOperation, RecursionError):
        raise _Fault("it is no JSON") from None
    if not isinstance(value, _Object):
        raise _Fault("it is no JSON object")
    return value


class _Object(list[tuple[str, object]]):
    """A JSON object with its keys as they came, also one that is there twice."""


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _amount(name: str, value: object) -> Decimal | None:
    """A number, also one written as text. An empty text is none."""
    match value:
        case None | "":
            return None
        case Decimal():
            amount = value
        case str() if _PLAIN.fullmatch(value):
            amount = Decimal(value)
        case _:
            raise _Fault(f"{name} is no number")
    if amount.copy_abs() >= LARGEST:
        raise _Fault(f"{name} is too large")
    return amount


def _json(value: object) -> str:
    """JSON in which a decimal has all its digits."""
    match value:
        case Decimal():
            return str(value)
        case dict():
            return f"{{{', '.join(f'{_json(key)}: {_json(member)}' for key, member in value.items())}}}"
        case _Object():
            return _json(dict(value))
        case list():
            return f"[{', '.join(map(_json, value))}]"
        case _:
            return json.dumps(value, ensure_ascii=False)
