"""Writes the tables of docs/focus.md from the mapping itself: `python -m local.focus_page`."""

import re
from collections.abc import Iterator
from pathlib import Path

from tables.columns import COLUMNS, Column
from tables.services import SERVICES

PAGE = Path(__file__).parents[1] / "docs" / "focus.md"
_BEGIN, _END = "<!-- {name}: written by `python -m local.focus_page` -->", "<!-- end of {name} -->"


def rewritten(page: str) -> str:
    """The page with its tables as the code has them now."""
    for name, rows in (("columns", _columns()), ("services", _services())):
        begin, end = _BEGIN.format(name=name), _END.format(name=name)
        text = "\n".join((begin, "", *rows, "", end))
        before, _, rest = page.partition(begin)
        page = before + text + rest.partition(end)[2]
    return page


def _columns() -> Iterator[str]:
    yield "| column | type | from daily usage | from reconciliation | why | source |"
    yield "|---|---|---|---|---|---|"
    for column in COLUMNS:
        yield f"| {' | '.join(_cells(column))} |"


def _cells(column: Column) -> tuple[str, ...]:
    usage, invoice = (f"`{_shown(sql)}`" if sql != "NULL" else "" for sql in (column.usage, column.invoice))
    return column.name, column.type, usage, invoice, column.reason, " ".join(column.sources)


def _shown(sql: str) -> str:
    return re.sub(r"\s+", " ", sql).replace("|", "\\|")


def _services() -> Iterator[str]:
    yield "| category | subcategory | services |"
    yield "|---|---|---|"
    categories: dict[tuple[str, str], list[str]] = {}
    for service in SERVICES:
        categories.setdefault((service.category, service.subcategory), []).append(service.name)
    for (category, subcategory), names in categories.items():
        yield f"| {category} | {subcategory} | {', '.join(names)} |"


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
