"""Which requests did the emulator receive?"""

from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass
class ReceivedRequest:
    """A request as it was received: `path` is decoded and without the query; `status` is None until it is answered."""

    method: str
    path: str
    status: int | None = None


class RequestLog:
    """Middleware that appends every request to `requests` in the order of their arrival."""

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

        await self._app(scope, receive, send_and_note)
