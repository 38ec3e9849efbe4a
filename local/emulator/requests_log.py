"""Which requests did the emulator receive?"""

import logging
from dataclasses import dataclass
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)


@dataclass
class ReceivedRequest:
    """A request as it was received: `path` is decoded and without the query; `status` is None until it is answered."""

    method: str
    path: str
    status: int | None = None


class RequestLog:
    """Middleware that appends every request to `requests` in the order of their arrival, and logs its end."""

    def __init__(self, app: ASGIApp, requests: list[ReceivedRequest]) -> None:
        self._app = app
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs the app and notes the status of its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        received = ReceivedRequest(scope["method"], scope["path"])
        self._requests.append(received)

        async def send_and_note(message: Message) -> None:
            if message["type"] == "http.response.start":
                received.status = int(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            # Whatever a caller puts into a path stays on its line; the query, which may hold a SAS token, is left out.
            log.info("%s %s: %s", received.method, quote(received.path), received.status or "no answer")
