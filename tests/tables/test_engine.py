"""DuckDB is run within bounds, and only where it is needed."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from failures import NoEngine, NoMemory, NoRoom
from tables.engine import engine
from tables.parquet import write_parquet
from tests.file_limit import no_file_larger_than

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("threads", "1"),
        ("memory_limit", "572.2 MiB"),
        ("autoinstall_known_extensions", "false"),
        ("autoload_known_extensions", "false"),
        ("max_temp_directory_size", "572.2 MiB"),
        ("enable_progress_bar", "false"),
        ("TimeZone", "UTC"),
        ("preserve_insertion_order", "true"),
    ],
)
def test_the_engine_is_bounded(connection: duckdb.DuckDBPyConnection, setting: str, value: str) -> None:
    """On a machine with 2 GB, and without a network."""
    assert connection.execute(f"SELECT current_setting('{setting}')::VARCHAR").fetchall() == [(value,)]


def test_what_does_not_fit_into_memory_goes_where_the_caller_says(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """And is gone with that folder."""
    found = connection.execute("SELECT current_setting('temp_directory')").fetchall()
    assert found == [(str(tmp_path / "spilled"),)]


ROWS = "SELECT range AS number, hash(range)::VARCHAR AS text FROM range(300000)"


def test_what_needs_more_memory_than_there_is_is_told(tmp_path: Path) -> None:
    """With the limit, on one line."""
    with pytest.raises(NoMemory, match=r"^[^\n]* used\)") as told, engine(tmp_path) as connection:
        connection.execute(f"SET memory_limit = '1MB'; FROM ({ROWS}) ORDER BY text").fetchall()
    assert "\n" not in told.value.message


def test_what_finds_no_room_for_what_does_not_fit_into_memory_is_told(tmp_path: Path) -> None:
    """It lacks room, not memory."""
    bounds = "SET memory_limit = '8MB'; SET max_temp_directory_size = '1MB'"
    with pytest.raises(NoRoom), engine(tmp_path) as connection:
        connection.execute(f"{bounds}; FROM ({ROWS.replace('300000', '3000000')}) ORDER BY text").fetchone()


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """As the system says it of a file that takes no more; another fault of a file is none of these."""
    with pytest.raises(NoRoom), no_file_larger_than(200_000), engine(tmp_path) as connection:
        write_parquet(connection, ROWS, tmp_path / "large.parquet", 4096)
    with pytest.raises(duckdb.IOException), engine(tmp_path) as connection:
        write_parquet(connection, ROWS, tmp_path / "missing" / "file.parquet", 4096)


def test_an_engine_that_cannot_be_loaded_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the package or a library of it is missing."""
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(NoEngine, match="duckdb"), engine(tmp_path):
        pass


def test_nothing_but_json_and_parquet_is_read(connection: duckdb.DuckDBPyConnection) -> None:
    """No address of the network: the extension for that is never loaded."""
    with pytest.raises(duckdb.Error, match="httpfs"):
        connection.execute("FROM read_parquet('https://example.invalid/a.parquet')")


def test_importing_the_room_does_not_import_duckdb() -> None:
    """Cold start is paid on every scale-out, also by those who make no table."""
    check = "import sys, tables.table, tables.csv; sys.exit('duckdb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], cwd=ROOT, check=False).returncode == 0
