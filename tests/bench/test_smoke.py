"""Each benchmark runs, in its short form, and finds what could be: tables with rows, goals with numbers, goals met."""

import re
import sys

import pytest

from bench import cold_start, end_to_end, memory, orchestration, requests, tuning, waits
from bench.report import Section
from orchestrator import policy


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


_SUMS = {"all", "about blobs, a blob"}


def test_requests_are_counted() -> None:
    """What is counted for a blob is counted for each blob, and nothing where the data landed before."""
    section = requests.measure(quick=True)
    _require_sane(section, rows=len(section.rows), goals=7)
    assert all(goal.met for goal in section.goals), section.goals
    counts = {row[0]: [float(text) for text in row[1:]] for row in section.rows}
    assert counts["HEAD source blob"] == [0, 0, 50, 0]
    assert counts["GET source blob"] == [50, 0, 0, 0]
    assert counts["PUT blob, copied from its URL"] == [0, 0, 50, 0]
    assert counts["about blobs, a blob"] == [1, 0, 2, 0]
    whole = [sum(column) for column in zip(*(counts[kind] for kind in counts if kind not in _SUMS), strict=True)]
    assert counts["all"] == whole


def test_orchestration_costs_are_measured() -> None:
    """Histories grow up to the bound on ranges and no further, one activity a blob costs more than a range of them."""
    section = orchestration.measure(quick=True)
    _require_sane(section, rows=5, goals=3)
    assert [goal.met for goal in section.goals[1:]] == [True, True]
    events, blobs, seconds = (_column(section, name) for name in ("events (max)", "blobs", "CPU s"))
    assert blobs == [100, 1_000, 10_000, 100_000, 50]
    assert events[0] < events[1] < events[2] == events[3]
    assert events[4] == 4 * blobs[4] + 3
    assert all(value > 0 for value in seconds)
    assert seconds[4] > seconds[0]


def test_an_export_beside_its_copies_is_measured() -> None:
    """More blobs take more events once there are several ranges, and tiny exports are counted together."""
    section = end_to_end.measure(quick=True)
    _require_sane(section, rows=4, goals=1)
    events, exports = _column(section, "events"), _column(section, "exports")
    assert events[0] == events[1] < events[2]
    assert events[3] == exports[3] * events[0]
    assert all(rate > 0 for rate in _column(section, "exports a second"))


@pytest.mark.skipif(sys.platform != "linux", reason="The peak of a process's memory is read from /proc.")
def test_the_peak_of_memory_is_measured() -> None:
    """A process has some memory at its peak, and the peak does not sink."""
    section = memory.measure(quick=True)
    _require_sane(section, rows=3, goals=3)
    assert all(goal.met for goal in section.goals), section.goals
    assert all(peak > 20 for peak in _column(section, "peak after 8 MiB"))
    assert all(grown >= 0 for grown in _column(section, "growth"))


@pytest.mark.skipif(sys.platform != "linux", reason="The processor time of Azurite is read from /proc.")
def test_numbers_are_tried() -> None:
    """Each number is tried with the value in the code and with others, and the code is left as it was."""
    section = tuning.measure(quick=True)
    tried = [(row[0], int(row[2])) for row in section.rows]
    copying = [("COPY_CONCURRENCY", value) for value in (4, 8, 16, 32)]
    assert tried == [*copying, *copying, ("MOST_RANGES", 16), ("MOST_RANGES", 64)]
    _require_sane(section, rows=len(tried), goals=0)
    chosen = {("COPY_CONCURRENCY", 16), ("MOST_RANGES", 64)}
    assert {row[4] for row in section.rows if (row[0], int(row[2])) in chosen} == {"1.00"}
    assert policy.MOST_RANGES == 64


def test_imports_are_timed() -> None:
    """Some time passes in each, and the libraries alone are what the others stand beside."""
    section = cold_start.measure(quick=True)
    _require_sane(section, rows=3, goals=1)
    least, median, most = (_column(section, name) for name in ("least ms", "median ms", "most ms"))
    assert all(0 < a <= b <= c for a, b, c in zip(least, median, most, strict=True))
    assert _column(section, "beside the libraries")[0] == 1
    assert "function_app" in section.goals[0].text


def test_waiting_is_counted() -> None:
    """Half an hour at 10 s has one poll less than 180, and each costs what the model says."""
    section = waits.measure(quick=True)
    _require_sane(section, rows=2, goals=1)
    assert all(goal.met for goal in section.goals), section.goals
    assert _column(section, "polls made")[0] == 179
    turns, polls, cost = (_column(section, name)[0] for name in ("turns", "polls made", "a poll"))
    assert 2 * polls < turns < 2.2 * polls
    # An activity and a timer are three messages of 3 transactions, two turns are 3 each.
    assert 15 <= cost < 16.5
