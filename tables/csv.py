"""How does a table become CSV that a spreadsheet opens without harm?"""

from pathlib import Path
from tempfile import TemporaryDirectory

from tables.engine import engine
from tables.sql import name_of, path_literal, text_literal


def write_csv(table: Path, target: Path) -> None:
    """Writes a table's rows as CSV with a header; amounts have all their digits.

    A text that a spreadsheet would take for a formula begins with an apostrophe.
    https://owasp.org/www-community/attacks/CSV_Injection
    """
    with TemporaryDirectory(dir=target.parent) as folder, engine(Path(folder)) as connection:
        source = f"read_parquet({path_literal(table)})"
        columns = connection.execute(f"SELECT column_name, column_type FROM (DESCRIBE FROM {source})").fetchall()  # noqa: S608
        texts = ", ".join(
            f"{_harmless(name_of(name))} AS {name_of(name)}" for name, type_ in columns if type_ == "VARCHAR"
        )
        connection.execute(
            f"COPY (SELECT * REPLACE ({texts}) FROM {source}) TO {text_literal(str(target))} (FORMAT csv, HEADER)"  # noqa: S608
        )


def _harmless(text: str) -> str:
    return f"CASE WHEN regexp_matches({text}, '^[=+@\\t\\r-]') THEN '''' || {text} ELSE {text} END"
