"""`python -m bench` measures and prints the results; `make bench` first installs what it needs."""

import importlib
import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench import machine, markdown
from bench.report import Section
from bench.tools import ToolMissing
from local.running import forget_proxies

BENCHMARKS = ("copying", "end_to_end", "memory", "cold_start", "tables")
"""Modules beside this one; each has `measure(quick)`, which returns its section."""

WIDTH = 140

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"

app = typer.Typer(add_completion=False)


@app.command()
def main(
    only: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(BENCHMARKS)}; may be repeated.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes: check that it runs, not how fast.")] = False,
    write: Annotated[bool, typer.Option("--write", help=f"Also write the figures into docs/{PAGE.name}.")] = False,
) -> None:
    """Run the benchmarks; print a table for each, and whether its goals were met (exit code 0 even if not)."""
    names = only or list(BENCHMARKS)
    if unknown := set(names) - set(BENCHMARKS):
        raise typer.BadParameter(f"There is no benchmark {', '.join(sorted(unknown))}.", param_hint="--only")
    if write and quick:
        raise typer.BadParameter("The page does not show quick runs.", param_hint="--write")
    forget_proxies()
    try:
        sections = _measured(names, quick)
    except ToolMissing as missing:
        Console(stderr=True).print(str(missing), highlight=False)
        raise typer.Exit(2) from None
    facts = machine.described()
    # A pipe has no width of its own, and tables would be folded to 80 columns.
    _show(Console(width=None if sys.stdout.isatty() else WIDTH), facts, sections)
    if write:
        markdown.put_into(PAGE, facts, sections)


def _measured(names: Sequence[str], quick: bool) -> list[Section]:
    sections = []
    for name in names:
        logging.getLogger("bench").info("%s …", name)
        sections.append(importlib.import_module(f"bench.{name}").measure(quick))
    return sections


def _show(console: Console, facts: Mapping[str, str], sections: Sequence[Section]) -> None:
    for section in sections:
        table = Table(*section.columns, title=section.title, title_justify="left")
        for row in section.rows:
            table.add_row(*row)
        console.print(table)
        for note in section.notes:
            console.print(f"  {note}", highlight=False, markup=False)
    for goal in (goal for section in sections for goal in section.goals):
        console.print(f"{'met   ' if goal.met else 'missed'}  {goal.text}", highlight=False, markup=False)
    for name, text in facts.items():
        console.print(f"{name}: {text}", highlight=False, markup=False)


def _report_progress() -> None:
    """Shows the benchmarks' own log on stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
    log = logging.getLogger("bench")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


if __name__ == "__main__":
    _report_progress()
    app()
