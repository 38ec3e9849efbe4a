"""What do a blob's lines hold, and how does DuckDB read them without losing a digit or a key?"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from failures import UnreadableLines
from tables.attributes import SQL_TYPES, Shape
from tables.gzip_check import refuse_damaged
from tables.plain_lines import write_plainly
from tables.sql import name_of, path_literal, text_literal

if TYPE_CHECKING:
    import duckdb

MOST_UNKNOWN = 50
"""Unknown keys beyond that many have no column: they are counted and named instead."""

_UNKNOWN = "x_Source_"
_MOST_NAME_CHARACTERS = 64
_NO_KEYS = "none: 'VARCHAR'"
"""DuckDB must read some column, also of lines that have no key at all."""


@dataclass(frozen=True)
class Lines:
    """A blob that DuckDB can read as it is.

    `file` is the blob, or a copy with plainer lines. `keys` are the keys found, as spelled in `file`, by the name of
    the attribute or of the column `x_Source_…`. `uncarried` are unknown keys that have no column. `rounded` counts the
    amounts with more than 18 decimals, which DuckDB rounds half away from zero.
    """

    file: Path
    shape: Shape
    count: int
    keys: Mapping[str, str]
    uncarried: tuple[str, ...]
    rounded: int

    @property
    def unknown(self) -> tuple[str, ...]:
        """The columns of unknown keys."""
        return tuple(name for name in self.keys if name not in self.shape.attributes)

    def select(self) -> str:
        """A query of all lines: every attribute of the shape, null where the blob lacks it, and the unknown ones.

        An empty text is null.
        """
        types = {name: SQL_TYPES[self.shape.attributes.get(name, "text")] for name in self.keys}
        # A blob whose lines have no key at all is still read, line by line.
        read = (
            ", ".join(f"{text_literal(key)}: '{types[name]}'" for name, key in self.keys.items()) or "none: 'VARCHAR'"
        )
        attributes = (self._attribute(name) for name in self.shape.attributes)
        unknown = (f"nullif({name_of(self.keys[name])}, '') AS {name_of(name)}" for name in self.unknown)
        return (
            f"SELECT {', '.join((*attributes, *unknown))} FROM read_json({path_literal(self.file)}, "  # noqa: S608
            f"format = 'newline_delimited', compression = 'gzip', columns = {{{read or _NO_KEYS}}})"
        )

    def _attribute(self, name: str) -> str:
        kind = self.shape.attributes[name]
        if name not in self.keys:
            return f"NULL::{SQL_TYPES[kind]} AS {name}"
        key = name_of(self.keys[name])
        return f"nullif({key}, '') AS {name}" if kind == "text" else f"{key} AS {name}"


def understand(connection: "duckdb.DuckDBPyConnection", blob: Path, shape: Shape, folder: Path) -> Lines:
    """Looks at every line of a blob once; a blob that DuckDB would not read well is copied into the folder, plainly.

    Keys are those of the shape without regard to case.

    Raises:
        UnreadableLines: with blob, line number and fault, and without the line's content.
    """
    refuse_damaged(blob)
    survey = _surveyed(connection, blob, shape)
    if survey is not None and survey.is_plain:
        return _lines(blob, shape, survey)
    plain = folder / "plain.json.gz"
    write_plainly(blob, plain, shape)
    survey = _surveyed(connection, plain, shape)
    if survey is None:
        raise UnreadableLines(f"{blob.name!r}: its lines are JSON objects that DuckDB does not read.")
    return _lines(plain, shape, survey)


@dataclass(frozen=True)
class _Survey:
    """The keys of each line, once for all lines that have the same; what is odd about the lines; long amounts."""

    count: int
    keys_of_lines: tuple[tuple[str, ...], ...]
    odd: int
    rounded: int

    @property
    def keys(self) -> list[str]:
        return sorted({key for keys in self.keys_of_lines for key in keys})

    @property
    def is_plain(self) -> bool:
        """Whether every amount is a number of a usual size, and no two keys differ in case alone."""
        has_keys = all(self.keys_of_lines)
        has_one_spelling = len({key.lower() for key in self.keys}) == len(self.keys)
        has_each_once = all(len(set(keys)) == len(keys) for keys in self.keys_of_lines)
        return has_keys and has_one_spelling and has_each_once and not self.odd


# What comes behind the colon of an amount that DuckDB would refuse, take for another one (a boolean), or that may be
# too large: neither null nor a number, a text that is no plain number, eleven digits, a positive exponent.
_ODD = (
    r"""(?:[^-0-9"n\s]|n[^u]|"?-?[0-9]{11}|-?[0-9.]+[eE]\+?[0-9]"""
    r"""|"(?:[^-0-9]|-[^0-9]|-?[0-9]+[^0-9".]|-?[0-9]+\.(?:[^0-9]|[0-9]+[^0-9"])))"""
)
_LONG = r""""?-?[0-9]+(?:\.[0-9]{19}|(?:\.[0-9]+)?[eE]-)"""
_NUMBER = r""""?(-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)"""


def _surveyed(connection: "duckdb.DuckDBPyConnection", blob: Path, shape: Shape) -> _Survey | None:
    """One pass over the raw lines; none where DuckDB takes them for no JSON."""
    import duckdb

    # Only raw text has all digits: texts and JSON values that DuckDB makes of a number have gone through a double.
    amount = f'"(?i:{"|".join(shape.amounts)})"\\s*:\\s*'
    numbers = "regexp_extract_all(line, $number, 1)"
    try:
        found = connection.execute(
            f"""
            SELECT
                keys,
                count(*),
                -- CASE, for DuckDB looks at both sides of an AND in every line.
                count(*) FILTER (CASE WHEN is_unusual THEN regexp_matches(line, $odd) END),
                sum(CASE WHEN is_unusual
                    THEN len(list_filter({numbers}, lambda number: {_decimals("number")} > 18))
                    ELSE 0 END)
            FROM (
                SELECT to_json(json_keys(json)) AS keys, json::VARCHAR AS line,
                    regexp_matches(line, $unusual) AS is_unusual
                FROM read_json_objects({path_literal(blob)}, format = 'newline_delimited', compression = 'gzip')
            )
            GROUP BY keys
            """,  # noqa: S608
            {"odd": amount + _ODD, "unusual": f"{amount}(?:{_ODD}|{_LONG})", "number": amount + _NUMBER},
        ).fetchall()
    except duckdb.InvalidInputException:
        return None
    keys, counts, odd, rounded = zip(*found, strict=True) if found else ((), (), (), ())
    return _Survey(sum(counts), tuple(tuple(json.loads(some)) for some in sorted(keys)), sum(odd), int(sum(rounded)))


def _decimals(number: str) -> str:
    """How many decimals a number has, as its text."""
    fraction = f"rtrim(regexp_extract({number}, '[.]([0-9]+)', 1), '0')"
    exponent = f"coalesce(try_cast(regexp_extract({number}, '[eE](.+)', 1) AS INTEGER), 0)"
    return f"length({fraction}) - {exponent}"


def _lines(file: Path, shape: Shape, survey: _Survey) -> Lines:
    attributes = {name.lower(): name for name in shape.attributes}
    keys: dict[str, str] = {}
    uncarried: list[str] = []
    for key in survey.keys:
        name = attributes.get(key.lower()) or _unknown_column(key)
        is_unknown = name not in shape.attributes
        unknown = sum(known not in shape.attributes for known in keys)
        if not key or (is_unknown and (name in keys or unknown == MOST_UNKNOWN)):
            uncarried.append(name.removeprefix(_UNKNOWN))
        else:
            keys[name] = key
    return Lines(file, shape, survey.count, keys, tuple(uncarried), survey.rounded)


def _unknown_column(key: str) -> str:
    """A key is text from outside: of its characters a column's name keeps letters, digits and underscores."""
    return _UNKNOWN + re.sub("[^A-Za-z0-9_]", "_", key)[:_MOST_NAME_CHARACTERS]
