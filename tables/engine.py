"""How is DuckDB run? On one thread, within bounds, and only when it has proven to be exact."""

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from failures import InexactEngine, NoEngine, NoMemory, NoRoom
from failures.text import cleaned
from tables.sql import path_literal

if TYPE_CHECKING:
    import duckdb

MEMORY_LIMIT = "600MB"
DISK_LIMIT = "600MB"

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""How the system says that a file takes no more: the disk is full, or a limit is reached."""

PROOF = (Decimal("0.123456789012345678"), Decimal("12345678901.123456789"))
"""Numbers that come out otherwise when they are read through a double."""


@contextmanager
def engine(folder: Path) -> Iterator["duckdb.DuckDBPyConnection"]:
    """DuckDB without extensions from outside; what does not fit into memory goes to files in this folder.

    Rows keep their order, so that the same input makes the same bytes. Times are UTC.

    Raises:
        NoEngine: when it cannot be loaded.
        InexactEngine: when it reads decimals through binary fractions.
        NoMemory, NoRoom: when it cannot go on with what the block asks for.
    """
    _prove_once()
    with _connected(folder) as connection:
        yield connection


def refuse_inexact(read: Sequence[Decimal]) -> None:
    """Compares what an engine has read with the proof's numbers.

    Raises:
        InexactEngine: when they differ.
    """
    import duckdb

    if tuple(read) != PROOF:
        raise InexactEngine(f"DuckDB {duckdb.__version__} has read a decimal number of 18 digits as another number.")


@cache
def _prove_once() -> None:
    with TemporaryDirectory() as folder:
        lines = Path(folder) / "proof.json"
        lines.write_text("".join(f'{{"amount": {number}}}\n' for number in PROOF), encoding="utf-8")
        with _connected(Path(folder)) as connection:
            found = connection.execute(
                f"SELECT amount FROM read_json({path_literal(lines)}, format = 'newline_delimited', "  # noqa: S608
                "columns = {'amount': 'DECIMAL(38,18)'})"
            ).fetchall()
    refuse_inexact([amount for (amount,) in found])


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """What DuckDB lacks, as room in the folder, leaves as a failure of ours, with the first line of its text."""
    try:
        import duckdb
    except ImportError as fault:
        raise NoEngine(f"DuckDB cannot be loaded: {cleaned(str(fault), 'no reason given')}") from None
    try:
        yield
    except duckdb.OutOfMemoryException as fault:
        text = str(fault)
        # What does not fit into memory goes to the temporary folder, as long as there is room.
        kind = NoRoom if "max_temp_directory_size" in text else NoMemory
        raise kind(cleaned(text.partition("\n")[0], kind.__name__)) from None
    except duckdb.IOException as fault:
        if not any(os.strerror(number) in str(fault) for number in FULL):
            raise
        raise NoRoom(f"There is no room left in {folder}.") from None


@contextmanager
def _connected(folder: Path) -> Iterator["duckdb.DuckDBPyConnection"]:
    with _told(folder), _connection(folder / "spilled") as connection:
        # A slow query would draw its progress on the program's own output.
        connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        yield connection


def _connection(spilled: Path) -> "duckdb.DuckDBPyConnection":
    import duckdb

    return duckdb.connect(
        config={
            "threads": 1,
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": str(spilled),
            "max_temp_directory_size": DISK_LIMIT,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
