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


MEASURED = """- date: 2026-10-09
- machine: 2 cores

### Copying

- met: at most 2 s
- **missed**: at most 1 s

| Blobs | Seconds |
| --- | --- |
| 512 × 256 KiB | 1.20 |
| a\\|b | 2.00 |

- Azurite is the limit.
- Measured on 2026-10-09."""


def test_only_what_was_measured_is_replaced(tmp_path: Path) -> None:
    """What people wrote around it stays, and the figures of other benchmarks; a missed goal can be seen as well."""
    page = tmp_path / "page.md"
    page.write_text(f"before\n{markdown.BEGIN}\nold\n\n### Waiting\n\n- old\n\n{markdown.END}\nafter\n")
    markdown.put_into(page, MACHINE, [Section("Waiting", ("A",), [("1",)])])
    for _ in range(2):
        markdown.put_into(page, MACHINE, [SECTION])
    waiting = "### Waiting\n\n| A |\n| --- |\n| 1 |\n\n- Measured on 2026-10-09."
    measured = MEASURED.replace("### Copying", f"{waiting}\n\n### Copying")
    assert page.read_text() == f"before\n{markdown.BEGIN}\n\n{measured}\n\n{markdown.END}\nafter\n"


def test_a_page_without_marks_is_refused(tmp_path: Path) -> None:
    """Nothing is written where nobody knows the place."""
    page = tmp_path / "page.md"
    page.write_text("no marks")
    with pytest.raises(ValueError, match="must hold"):
        markdown.put_into(page, MACHINE, [SECTION])
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


@pytest.mark.parametrize("arguments", [["--only", "nothing"], ["--write", "--quick"]])
def test_what_cannot_be_meant_is_refused(arguments: list[str]) -> None:
    """An unknown benchmark, and figures on the page that show nothing but that it runs."""
    assert CliRunner().invoke(app, arguments).exit_code == 2


def test_every_benchmark_can_be_chosen() -> None:
    """`--help` names them all."""
    text = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output
    assert all(name in text for name in BENCHMARKS)
