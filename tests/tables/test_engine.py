"""DuckDB is run within bounds, and only where it is needed."""

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

ROOT = Path(__file__).parents[2]

if TYPE_CHECKING:
    import duckdb


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
def test_the_engine_is_bounded(connection: "duckdb.DuckDBPyConnection", setting: str, value: str) -> None:
    """On a machine with 2 GB, and without a network."""
    assert connection.execute(f"SELECT current_setting('{setting}')::VARCHAR").fetchall() == [(value,)]


def test_what_does_not_fit_into_memory_goes_where_the_caller_says(
    connection: "duckdb.DuckDBPyConnection", tmp_path: Path
) -> None:
    """And is gone with that folder."""
    found = connection.execute("SELECT current_setting('temp_directory')").fetchall()
    assert found == [(str(tmp_path / "spilled"),)]


def test_nothing_but_json_and_parquet_is_read(connection: "duckdb.DuckDBPyConnection") -> None:
    """No address of the network: the extension for that is never loaded."""
    import duckdb

    with pytest.raises(duckdb.Error, match="httpfs"):
        connection.execute("FROM read_parquet('https://example.invalid/a.parquet')")


def test_importing_the_room_does_not_import_duckdb() -> None:
    """Cold start is paid on every scale-out, also by those who make no table."""
    check = "import sys, tables.table, tables.csv; sys.exit('duckdb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], cwd=ROOT, check=False).returncode == 0
