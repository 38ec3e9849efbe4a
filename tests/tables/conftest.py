"""Blobs of a few lines, and an engine to read them with."""

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tables.engine import engine

if TYPE_CHECKING:
    import duckdb


@pytest.fixture
def connection(tmp_path: Path) -> Iterator["duckdb.DuckDBPyConnection"]:
    """DuckDB as the room runs it."""
    with engine(tmp_path) as connected:
        yield connected


@pytest.fixture
def blob(tmp_path: Path) -> Callable[..., Path]:
    """Writes lines, given as objects or as bytes, into a blob."""

    def write(*lines: object, name: str = "part.json.gz") -> Path:
        text = b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
        path = tmp_path / name
        path.write_bytes(gzip.compress(text, mtime=0))
        return path

    return write
