"""Serves ASGI apps on loopback: sockets are bound first, so that a port is known, and free, before anything starts."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Sequence

import uvicorn
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

log = logging.getLogger(__name__)

SHUTDOWN_SECONDS = 3
"""Seconds that open requests are given when a server ends."""

KEEP_ALIVE_SECONDS = 120
"""Seconds that an idle connection is kept: longer than any client keeps it (.NET 60, httpx 5). A server that closes
first may do so while the client sends its next request, which is then lost."""


def listen(port: int = 0) -> socket.socket:
    """A socket bound to the port of 127.0.0.1; 0 takes a free one.

    Raises:
        OSError: when the port is taken.
    """
    # Without the protocol, asyncio leaves Nagle's algorithm on: a short answer over a kept connection comes 40 ms late.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(("127.0.0.1", port))
    except OSError:
        bound.close()
        raise
    return bound


def url_of(bound: socket.socket) -> str:
    """The base URL of what is served on the socket."""
    return f"http://127.0.0.1:{bound.getsockname()[1]}"


@contextlib.asynccontextmanager
async def serving(app: ASGIApp, sockets: Sequence[socket.socket]) -> AsyncIterator[None]:
    """Serves the app on the sockets while the context is open, ending with the process's signals left alone."""
    # Its own log configuration would silence ours; access logs would print every poll.
    config = uvicorn.Config(
        _LettingClientsGo(app),
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(list(sockets)))
    await asyncio.wait({task, asyncio.create_task(server.is_up.wait())}, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield
    finally:
        server.should_exit = True
        await task


class _LettingClientsGo:
    """Middleware for which a client that hangs up is no fault: uvicorn would log a traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except ClientDisconnect:
            log.info("The client hung up: %s %s", scope["method"], scope["path"])


class _Server(uvicorn.Server):
    """A server that reports when it is up, and leaves signals to its caller."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()

    def capture_signals(self) -> contextlib.AbstractContextManager[None]:  # type: ignore[override]
        return contextlib.nullcontext()
