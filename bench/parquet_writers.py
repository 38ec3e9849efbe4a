"""Other ways to make Parquet of a blob of daily usage: nothing is checked, sorted or summed.

The whole mapping is SQL, so only DuckDB has it. All three engines write the columns that are an attribute as it is.
Each is imported where it is used, for the memory of a process that does not use it is measured too.
"""

import gzip
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tables.attributes import USAGE
from tables.columns import COLUMNS
from tables.engine import engine
from tables.lines import Lines
from tables.mapping import load_lookups, usage_rows

if TYPE_CHECKING:
    import polars

PLAIN = {column.name: column.usage for column in COLUMNS if column.usage in USAGE.attributes}
"""The attributes of the columns that are one as it is, a text or an exact amount."""

BLOCK_BYTES = 4 << 20


def whole_by_duckdb(blob: Path, target: Path) -> None:
    """This app's mapping in one COPY."""
    _copy(blob, target, usage_rows(_lines(blob).select(), ()))


def plain_by_duckdb(blob: Path, target: Path) -> None:
    """The plain columns in one COPY."""
    columns = ", ".join(f"{attribute} AS {name}" for name, attribute in PLAIN.items())
    _copy(blob, target, f"SELECT {columns} FROM ({_lines(blob).select()})")  # noqa: S608


def plain_by_pyarrow(blob: Path, target: Path) -> None:
    """The plain columns, one block of lines after the other."""
    import pyarrow
    import pyarrow.json
    import pyarrow.parquet

    read = pyarrow.schema([(attribute, _arrow_type(attribute)) for attribute in dict.fromkeys(PLAIN.values())])
    written = pyarrow.schema([(name, _arrow_type(attribute)) for name, attribute in PLAIN.items()])
    blocks = pyarrow.json.open_json(
        pyarrow.input_stream(str(blob), compression="gzip"),
        pyarrow.json.ReadOptions(block_size=BLOCK_BYTES, use_threads=False),
        pyarrow.json.ParseOptions(explicit_schema=read, unexpected_field_behavior="ignore"),
    )
    with pyarrow.parquet.ParquetWriter(target, written, compression="zstd") as parquet:
        for block in blocks:
            columns = [_without_empty(block.column(attribute)) for attribute in PLAIN.values()]
            parquet.write_batch(pyarrow.RecordBatch.from_arrays(columns, schema=written))


def plain_by_polars(blob: Path, target: Path) -> None:
    """The plain columns. Amounts are read as texts, for polars takes no number of a line for a decimal."""
    import polars

    columns = [_polars_column(attribute).alias(name) for name, attribute in PLAIN.items()]
    schema = dict.fromkeys(USAGE.attributes, polars.String)
    polars.scan_ndjson(blob, schema=schema).select(columns).sink_parquet(target, compression="zstd")


def _copy(blob: Path, target: Path, query: str) -> None:
    with TemporaryDirectory(dir=target.parent) as folder, engine(Path(folder)) as connection:
        load_lookups(connection)
        connection.execute(f"COPY ({query}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")


def _lines(blob: Path) -> Lines:
    """As the emulator writes them: each line has the keys of the first, spelled as the attributes."""
    with gzip.open(blob) as lines:
        return Lines(blob, USAGE, 0, {key: key for key in json.loads(next(lines))}, (), 0)


def _arrow_type(attribute: str) -> Any:
    import pyarrow

    return pyarrow.decimal128(38, 18) if USAGE.attributes[attribute] == "amount" else pyarrow.string()


def _without_empty(column: Any) -> Any:
    import pyarrow.compute

    if not pyarrow.types.is_string(column.type):
        return column
    return pyarrow.compute.if_else(pyarrow.compute.equal(column, ""), pyarrow.scalar(None, column.type), column)


def _polars_column(attribute: str) -> "polars.Expr":
    import polars

    text = polars.col(attribute)
    if USAGE.attributes[attribute] == "amount":
        return text.cast(polars.Decimal(38, 18))
    return polars.when(text != "").then(text)
