"""Stands between the host and its servers: gates that hold requests, and a relay that counts bytes."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Receive, Scope, Send

from local.running import PATIENCE, QUICK_POLLS

QUICK = QUICK_POLLS | {"COPY_BATCH_SIZE": "2"}
"""Settings with which an export of a few blobs is soon over, and has several ranges."""


@dataclass
class Gate:
    """Stands before an app: counts the requests below a path, and can hold those that come after the first few."""

    app: ASGIApp
    path: str
    passed: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    _open_for: float = float("inf")
    _opened: threading.Event = field(default_factory=threading.Event)

    def hold_after(self, requests: int) -> None:
        """Lets so many GET requests pass, and holds the others until `open`."""
        self._open_for = requests

    def open(self) -> None:
        """Lets all requests pass."""
        self._open_for = float("inf")
        self._opened.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"].startswith(self.path):
            if len(self.passed) >= self._open_for:
                self.held.append(scope["path"])
                await asyncio.to_thread(self._opened.wait, PATIENCE)
            self.passed.append(scope["path"])
        await self.app(scope, receive, send)


@dataclass
class Relay:
    """Passes TCP connections on to a port, counting the bytes that pass in both directions.

    Connections whose first request holds `uncounted` are passed on without being counted.
    """

    target: int
    uncounted: bytes
    passed: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _connections: set["asyncio.Task[None]"] = field(default_factory=set)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        """The port of 127.0.0.1 that is passed on."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        async with server:
            yield server.sockets[0].getsockname()[1]
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(asyncio.create_task(self._connect(reader, writer)))

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.target)
        self._writers |= {writer, there_writer}
        first = await reader.read(1 << 16)
        counts = self.uncounted not in first
        await asyncio.gather(self._pass(reader, there_writer, counts, first), self._pass(there_reader, writer, counts))

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, counts: bool, first: bytes = b""
    ) -> None:
        chunk = first or await reader.read(1 << 16)
        while chunk:
            self.passed += len(chunk) if counts else 0
            writer.write(chunk)
            await writer.drain()
            chunk = await reader.read(1 << 16)
        writer.close()
