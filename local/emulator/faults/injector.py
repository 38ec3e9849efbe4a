"""How does a script of faults come true?"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.emulator.clock import Now
from local.emulator.faults.answers import FaultAnswers
from local.emulator.faults.effects import WholeAnswer
from local.emulator.faults.fault import Cut, Fault, RequestKind
from local.emulator.faults.request_kinds import request_kind

log = logging.getLogger(__name__)


class ConnectionCut(ConnectionError):
    """What a caller within the same process meets, where there is no connection to cut."""


class FaultInjector:
    """Middleware that has the faults happen, appends each to `fired` whenever it does, and logs it.

    Faults that meet in one request happen together: changes in the script's order, the first answer and the first cut.
    """

    def __init__(self, app: ASGIApp, faults: Sequence[Fault], fired: list[Fault], now: Now) -> None:
        self._app = app
        self._faults = faults
        self._fired = fired
        self._answers = FaultAnswers(now)
        self._counts = [0] * len(faults)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs the app, unless a fault answers in its place, and has its answer suffer."""
        kind = request_kind(scope["method"], scope["path"]) if scope["type"] == "http" else None
        faults = list(self._happening(kind, scope["path"])) if kind else []
        if not kind or not faults:
            await self._app(scope, receive, send)
            return
        self._fired += faults
        for fault in faults:
            log.info("Fault of %s %s: %s", scope["method"], quote(scope["path"]), ", ".join(fault.effects))
        await asyncio.sleep(sum(fault.delay or 0 for fault in faults))
        cut = next((fault.cut for fault in faults if fault.cut is not None), None)
        if cut == "before-header":
            await _hang_up(receive)
            return
        answer = await WholeAnswer.of(self._app_for(faults, kind), scope, receive)
        for fault in faults:
            answer.suffer(fault)
        await _send(answer, cut, receive, send)

    def _happening(self, kind: RequestKind, path: str) -> Iterator[Fault]:
        for index, fault in enumerate(self._faults):
            if fault.request == kind and fault.path in path:
                self._counts[index] += 1
                if fault.happens_at(self._counts[index]):
                    yield fault

    def _app_for(self, faults: Sequence[Fault], kind: RequestKind) -> ASGIApp:
        answer = next((fault.answer for fault in faults if fault.answer), None)
        return self._answers.app(answer, kind) if answer else self._app


async def _send(answer: WholeAnswer, cut: Cut | None, receive: Receive, send: Send) -> None:
    start: Message = {"type": "http.response.start", "status": answer.status, "headers": answer.headers.raw}
    await send(start)
    if cut is None:
        await send({"type": "http.response.body", "body": answer.body})
        return
    kept = answer.body[: 0 if cut == "after-header" else int(cut)]
    await send({"type": "http.response.body", "body": kept, "more_body": True})
    await _hang_up(receive)


async def _hang_up(receive: Receive) -> None:
    """Closes the connection when what was sent has gone out.

    Raises:
        ConnectionCut: where there is none.
    """
    # ASGI knows no way to end a connection without an answer; under uvicorn the owner of `receive` has the transport.
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionCut("The connection was cut, as a fault script has it.")
    transport.close()
    # uvicorn takes an app that ends without an answer for broken, unless it knows that the caller is gone.
    while (await receive())["type"] != "http.disconnect":
        pass
