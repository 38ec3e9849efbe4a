"""The report as Markdown, put between two marks of a page."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.report import Goal, Section

BEGIN = "<!-- measured: begin -->"
END = "<!-- measured: end -->"


def put_into(page: Path, machine: Mapping[str, str], sections: Sequence[Section]) -> None:
    """Puts the machine and the sections between the marks, in place of those with the same titles; others stay.

    Raises:
        ValueError: when the page lacks one of the marks.
    """
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    measured, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page.name} must hold {BEGIN} and, below, {END}.")
    texts = {text.partition("\n")[0]: text.strip() for text in re.split("^### ", measured, flags=re.MULTILINE)[1:]}
    texts |= {section.title: _section(section, machine["date"]) for section in sections}
    facts = "\n".join(f"- {name}: {text}" for name, text in machine.items())
    whole = "\n\n".join([facts, *(f"### {text}" for text in texts.values())])
    page.write_text(f"{before}{BEGIN}\n\n{whole}\n\n{END}{after}", encoding="utf-8")


def _section(section: Section, date: str) -> str:
    goals = "\n".join(f"- {_outcome(goal)}: {goal.text}" for goal in section.goals)
    notes = "\n".join(f"- {note}" for note in (*section.notes, f"Measured on {date}."))
    return "\n\n".join(part for part in (section.title, goals, _table(section), notes) if part)


def _outcome(goal: Goal) -> str:
    return "met" if goal.met else "**missed**"


def _table(section: Section) -> str:
    lines = [section.columns, ["---"] * len(section.columns), *section.rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
