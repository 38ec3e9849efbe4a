"""How a person is told of an export."""

from typing import Any

from rich.console import Console

from local.watching import report_failure


def test_a_failure_is_shown_in_its_own_words() -> None:
    """Microsoft's text may look like what the console takes for colours."""
    console: Any = Console(record=True, width=200)
    error = {"code": "[b]5000", "message": "No data [/red].", "requestId": "[/]", "remedy": "Look at [x]."}
    report_failure({"state": "failed", "error": error}, console)
    shown = console.export_text()
    assert shown.splitlines() == ["[b]5000: No data [/red].", "Microsoft's request id: [/]", "Look at [x]."]
