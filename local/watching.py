"""Starts one export over HTTP and shows how it gets on, until it ends."""

import asyncio
from datetime import datetime
from typing import Any

import httpx
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

LOOK_SECONDS = 0.2
"""Seconds between two looks at the status, which costs nothing on this machine."""

ENDED = frozenset({"succeeded", "failed", "cancelled"})
_PHASES = {
    "pending": "waiting to start",
    "starting": "requesting the export",
    "polling": "Microsoft is preparing the data",
    "planning": "reading the manifest",
    "copying": "copying blobs",
    "committing": "verifying and committing",
    "tabulating": "making the invoice's table",
    "done": "done",
}


async def export(host_url: str, body: dict[str, str], console: Console) -> dict[str, Any]:
    """The status with which the export ended; a request that the app refuses ends as one that failed."""
    async with httpx.AsyncClient(base_url=host_url, timeout=30, trust_env=False) as http:
        started = await http.post("/api/exports", json=body)
        if started.status_code != httpx.codes.ACCEPTED:
            return _refused(started.json())
        with _progress(console) as progress:
            bar = progress.add_task(_PHASES["pending"], total=None, trouble="")
            while True:
                status: dict[str, Any] = (await http.get(started.headers["Location"])).json()
                _show(progress, bar, status, body["dataset"])
                if status["state"] in ENDED:
                    return status
                await asyncio.sleep(LOOK_SECONDS)


def report_failure(status: dict[str, Any], console: Console) -> None:
    """Says why the export did not succeed, and what to do."""
    error = status["error"] or {"code": status["state"], "message": "The export was ended.", "remedy": ""}
    console.print(f"[bold red]{escape(error['code'])}[/]: {escape(error['message'])}", highlight=False)
    if error.get("requestId"):
        console.print(f"Microsoft's request id: {escape(error['requestId'])}", highlight=False)
    console.print(error["remedy"], highlight=False, markup=False)


def _progress(console: Console) -> Progress:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<32}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[trouble]}"),
    )
    return Progress(*columns, console=console)


def _show(progress: Progress, bar: Any, status: dict[str, Any], dataset: str) -> None:
    done = status["progress"]
    description = _PHASES.get(status["phase"], status["phase"])
    if status["phase"] == "done":
        description = f"{dataset}: {description}"
    total = done["blobCount"] or None
    progress.update(bar, description=description, completed=done["blobsDone"], total=total, trouble=_trouble(status))


def _trouble(status: dict[str, Any]) -> str:
    """Why the export waits, and until when, on one line; nothing where all goes well."""
    problem, next_try = status["lastProblem"], status["nextTryAt"]
    if not (problem and next_try):
        return ""
    at = datetime.fromisoformat(next_try).astimezone()
    return escape(f"{problem['code']}: {problem['message'][:80]} Tries again at {at:%H:%M:%S}.")


def _refused(problem: dict[str, Any]) -> dict[str, Any]:
    remedy = "Fix the fields named above." if problem["status"] < 500 else "README.md lists all settings."
    return {"state": "failed", "error": {"code": problem["title"], "message": problem["detail"], "remedy": remedy}}
