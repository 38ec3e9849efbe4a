"""Watching an export from the command line."""

import asyncio
import io
import itertools
from typing import Any

from rich.console import Console
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local import watching
from local.running import served

PROBLEM = {"code": "HTTP503", "message": "[Graph] is away.", "remedy": "Wait.", "requestId": None, "time": "…"}
WAITING: dict[str, Any] = {
    "state": "running",
    "phase": "polling",
    "progress": {"blobsDone": 0, "blobCount": 0, "bytesDone": 0},
    "lastProblem": PROBLEM,
    "nextTryAt": "2026-11-09T06:41:57+00:00",
}
ENDED = WAITING | {"state": "succeeded", "phase": "done", "nextTryAt": None}


def _watched(*statuses: dict[str, Any]) -> str:
    """What is shown of an export with these statuses, one after the other."""
    following = itertools.chain(statuses, itertools.repeat(ENDED))

    async def post(request: Request) -> Response:
        return JSONResponse({}, 202, {"Location": str(request.url_for("get"))})

    async def get(_: Request) -> Response:
        return JSONResponse(next(following))

    async def watch() -> str:
        app = Starlette(routes=[Route("/api/exports", post, methods=["POST"]), Route("/status", get, name="get")])
        shown = io.StringIO()
        async with served(app) as url:
            await watching.export(url, {"dataset": "billedUsage"}, Console(file=shown, force_terminal=True, width=200))
        return shown.getvalue()

    return asyncio.run(watch())


def test_an_export_that_does_not_get_on_says_why_and_until_when() -> None:
    """Beside the bar stand the problem and the time of the next try; brackets in it are no markup."""
    shown = _watched(*[WAITING] * 5)
    assert "HTTP503: [Graph] is away. Tries again at " in shown


def test_an_export_whose_table_is_made_says_so() -> None:
    """The bar says what is done in words, not in those of the status."""
    shown = _watched(*[WAITING | {"phase": "tabulating"}] * 3)
    assert "making the invoice's table" in shown
    assert "tabulating" not in shown


def test_an_export_that_has_ended_says_which_it_was() -> None:
    """The demo shows two, one below the other."""
    assert "billedUsage: done" in _watched()


def test_an_export_that_gets_on_says_nothing_of_what_went_wrong() -> None:
    """A problem that was overcome is not shown; neither is a wait for which there is no problem."""
    shown = _watched(*[WAITING | {"nextTryAt": None}, WAITING | {"lastProblem": None}] * 3)
    assert "HTTP503" not in shown
    assert "Tries again" not in shown
