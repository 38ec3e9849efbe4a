"""Exceptions of libraries are nobody's cause: their texts quote URLs, and a traceback prints them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("activities", "billing", "catalog", "clients", "failures", "http_start", "landing", "messages", "orchestrator")
FILES = sorted(file for room in ROOMS for file in (ROOT / room).rglob("*.py"))


def _raised_with_a_cause(source: str) -> list[int]:
    """The lines that raise a new exception on which another one hangs, said or unsaid."""
    tree = ast.parse(source)
    said = {node for node in ast.walk(tree) if isinstance(node, ast.Raise) and not _is_none(node.cause)}
    unsaid = {node for handler in ast.walk(tree) if isinstance(handler, ast.ExceptHandler) for node in _inside(handler)}
    raised = {node for node in said if node.cause} | {node for node in unsaid & said if node.exc}
    return sorted(node.lineno for node in raised)


def _is_none(cause: ast.expr | None) -> bool:
    return isinstance(cause, ast.Constant) and cause.value is None


def _inside(handler: ast.ExceptHandler) -> Iterator[ast.Raise]:
    return (node for node in ast.walk(handler) if isinstance(node, ast.Raise))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_nothing_hangs_on_what_a_room_raises(file: Path) -> None:
    """Whoever raises while handling another exception says `from None`."""
    assert _raised_with_a_cause(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("ending", "lines"),
    [
        ("raise KeyError from fault", [4]),
        ("raise KeyError", [4]),
        ("raise KeyError('x')", [4]),
        ("raise", []),
        ("raise KeyError from None", []),
    ],
)
def test_a_cause_is_found(ending: str, lines: list[int]) -> None:
    """The rule above sees each way in which one exception comes to hang on another."""
    assert _raised_with_a_cause(f"try:\n    work()\nexcept OSError as fault:\n    {ending}\n") == lines
