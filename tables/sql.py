"""How do names, texts and paths get into SQL?"""

import glob
from collections.abc import Iterable
from pathlib import Path


def text_literal(text: str) -> str:
    """A text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"


def name_of(column: str) -> str:
    """A column's name as SQL has it."""
    return '"' + column.replace('"', '""') + '"'


def path_literal(path: Path) -> str:
    """One file for DuckDB's readers, which would take a star for many."""
    return text_literal(glob.escape(str(path)))


def path_list(paths: Iterable[Path]) -> str:
    """Several files for DuckDB's readers, in this order."""
    return f"[{', '.join(map(path_literal, paths))}]"
