"""What `python -m bench` prints and writes, whatever was measured."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench import markdown, tools
from bench.__main__ import BENCHMARKS, PAGE, app
from bench.report import Goal, Section

MACHINE = {"date": "2026-10-09", "machine": "2 cores"}
SECTION = Section(
    "Copying",
    ("Blobs", "Seconds"),
    [("512 × 256 KiB", "1.20"), ("a|b", "2.00")],
    [Goal("at most 2 s", met=True), Goal("at most 1 s", met=False)],
    ["Azurite is the limit."],
)


def test_the_markdown_holds_machine_goals_tables_and_notes() -> None:
    """A missed goal can be seen as well as one that was met."""
    page = markdown.rendered(MACHINE, [SECTION])
    assert "- machine: 2 cores" in page
    assert "- met: at most 2 s\n- **missed**: at most 1 s" in page
    assert "### Copying\n\n| Blobs | Seconds |\n| --- | --- |\n| 512 × 256 KiB | 1.20 |\n| a\\|b | 2.00 |" in page
    assert page.endswith("- Azurite is the limit.")


def test_only_the_measured_part_of_the_page_is_replaced(tmp_path: Path) -> None:
    """What people wrote around it stays, however often it is measured."""
    page = tmp_path / "page.md"
    page.write_text(f"before\n{markdown.BEGIN}\nold\n{markdown.END}\nafter\n")
    for measured in ("first", "second"):
        markdown.put_into(page, measured)
    assert page.read_text() == f"before\n{markdown.BEGIN}\n\nsecond\n\n{markdown.END}\nafter\n"


def test_a_page_without_marks_is_refused(tmp_path: Path) -> None:
    """Nothing is written where nobody knows the place."""
    page = tmp_path / "page.md"
    page.write_text("no marks")
    with pytest.raises(ValueError, match="must hold"):
        markdown.put_into(page, "measured")
    assert page.read_text() == "no marks"


def test_the_documentation_has_the_marks() -> None:
    """`--write` finds its place in docs/performance.md."""
    text = PAGE.read_text(encoding="utf-8")
    assert 0 < text.find(markdown.BEGIN) < text.find(markdown.END)


def test_a_missing_tool_is_named_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 2 and one sentence; a measurement with half of the contenders would be taken for a whole one."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(tools.ToolMissing, match="rclone is missing: `apt-get install rclone`"):
        tools.rclone()
    result = CliRunner().invoke(app, ["--only", "copying", "--quick"])
    assert result.exit_code == 2
    assert "is missing: " in result.output or "needs libsecret" in result.output


@pytest.mark.parametrize("arguments", [["--only", "nothing"], ["--write", "--quick"], ["--write", "--only", "copying"]])
def test_what_cannot_be_meant_is_refused(arguments: list[str]) -> None:
    """An unknown benchmark, and figures on the page that are not of a whole run."""
    assert CliRunner().invoke(app, arguments).exit_code == 2


def test_every_benchmark_can_be_chosen() -> None:
    """`--help` names them all."""
    text = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output
    assert all(name in text for name in BENCHMARKS)
