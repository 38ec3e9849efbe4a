"""The report as Markdown, put between two marks of a page."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.report import Goal, Section

BEGIN = "<!-- measured: begin -->"
END = "<!-- measured: end -->"


def rendered(machine: Mapping[str, str], sections: Sequence[Section]) -> str:
    """All of the report: the machine, whether the goals were met, then a table for each benchmark."""
    facts = "\n".join(f"- {name}: {text}" for name, text in machine.items())
    goals = _goals([goal for section in sections for goal in section.goals])
    return "\n\n".join([facts, *goals, *(_section(section) for section in sections)])


def put_into(page: Path, measured: str) -> None:
    """Replaces what stands between the marks.

    Raises:
        ValueError: when the page lacks one of them.
    """
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page.name} must hold {BEGIN} and, below, {END}.")
    page.write_text(f"{before}{BEGIN}\n\n{measured}\n\n{END}{after}", encoding="utf-8")


def _goals(goals: Sequence[Goal]) -> list[str]:
    if not goals:
        return []
    return ["\n".join(f"- {'met' if goal.met else '**missed**'}: {goal.text}" for goal in goals)]


def _section(section: Section) -> str:
    parts = [f"### {section.title}", _table(section), "\n".join(f"- {note}" for note in section.notes)]
    return "\n\n".join(part for part in parts if part)


def _table(section: Section) -> str:
    lines = [section.columns, ["---"] * len(section.columns), *section.rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
