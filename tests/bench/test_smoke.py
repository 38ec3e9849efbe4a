"""Each benchmark runs, in its short form, and finds what could be: tables with rows, goals with numbers, goals met."""

import re
import sys

import pytest

from bench import cold_start, end_to_end, memory, tables
from bench.report import Section

pytestmark = pytest.mark.timeout(180)


def _require_sane(section: Section, rows: int, goals: int) -> None:
    """So many rows, each with a text for every column, and so many goals, each with a number."""
    assert section.title
    assert len(section.rows) == rows
    for row in section.rows:
        assert len(row) == len(section.columns)
        assert row[0]
    assert len(section.goals) == goals
    assert all(re.search(r"\d", goal.text) for goal in section.goals)


def _column(section: Section, name: str) -> list[float]:
    index = section.columns.index(name)
    return [float(re.sub(r"[^\d.-]", "", row[index]) or "nan") for row in section.rows]


def test_an_export_beside_its_copies_is_measured() -> None:
    """More blobs take more events once there are several ranges, and tiny exports are counted together."""
    section = end_to_end.measure(quick=True)
    _require_sane(section, rows=4, goals=1)
    events, exports = _column(section, "events"), _column(section, "exports")
    assert events[0] == events[1] < events[2]
    assert events[3] == exports[3] * events[0]
    assert all(rate > 0 for rate in _column(section, "exports per second"))


@pytest.mark.skipif(sys.platform != "linux", reason="The peak of a process's memory is read from /proc.")
def test_the_peak_of_memory_is_measured() -> None:
    """A process has some memory at its peak, and the peak does not sink."""
    section = memory.measure(quick=True)
    _require_sane(section, rows=3, goals=3)
    assert all(goal.met for goal in section.goals), section.goals
    assert all(peak > 20 for peak in _column(section, "peak after 8 MiB"))
    assert all(grown >= 0 for grown in _column(section, "growth"))


def test_imports_are_timed() -> None:
    """Some time passes in each, and the libraries alone are what the others stand beside."""
    section = cold_start.measure(quick=True)
    _require_sane(section, rows=3, goals=1)
    least, median, most = (_column(section, name) for name in ("min ms", "median ms", "max ms"))
    assert all(0 < a <= b <= c for a, b, c in zip(least, median, most, strict=True))
    assert _column(section, "relative to the libraries")[0] == 1
    assert "function_app" in section.goals[0].text


@pytest.mark.skipif(sys.platform != "linux", reason="The peak of a process's memory is read from /proc.")
def test_a_table_is_measured() -> None:
    """Beside the same engine's bare work, which is what the other ways are compared with."""
    section = tables.measure(quick=True)
    _require_sane(section, rows=7, goals=4)
    assert _column(section, "× COPY")[0] == 1
    assert all(peak > 20 for peak in _column(section, "peak memory MB"))
