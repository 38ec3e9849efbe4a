"""A server on this machine that says what it is told to, whatever it is asked."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any


class Server:
    """Gives every request the same answer, or the one for its first line.

    `requests`: the first line of each; `connections`: how many were opened. With `tls` it speaks HTTPS. `connected` and
    `asked` tell that there was one.
    """

    def __init__(
        self, answer: bytes | Callable[[str], bytes], then_close: bool = False, tls: ssl.SSLContext | None = None
    ) -> None:
        self._answer = answer if callable(answer) else lambda _: answer
        self._then_close = then_close
        self._tls = tls
        self.requests: list[str] = []
        self.connections = 0
        self.url = ""
        self.connected = asyncio.Event()
        self.asked = asyncio.Event()
        self._last = ""
        self._serving: set[Any] = set()

    def header(self, name: str) -> str | None:
        """The header of the last request."""
        found = re.search(rf"^{name}: (.*?)\r$", self._last, re.MULTILINE)
        return found[1] if found else None

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Server"]:
        """On a free port."""
        async with await asyncio.start_server(self._serve, "127.0.0.1", ssl=self._tls) as server:
            scheme = "https" if self._tls else "http"
            self.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            try:
                yield self
            finally:
                await asyncio.gather(*self._serving)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.connected.set()
        self._serving.add(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self._last = head.decode()
                self.requests.append(self._last.splitlines()[0])
                writer.write(self._answer(self.requests[-1]))
                self.asked.set()
                if self._then_close:
                    break
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


class TunnelProxy:
    """A proxy that leads every tunnel to one server, whatever it is asked for. `heads`: what it was asked."""

    def __init__(self, target: Server) -> None:
        self._target = target
        self.heads: list[str] = []
        self.url = ""
        self._serving: set[Any] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["TunnelProxy"]:
        """On a free port."""
        async with await asyncio.start_server(self._serve, "127.0.0.1") as server:
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            try:
                yield self
            finally:
                await asyncio.gather(*self._serving)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.add(asyncio.current_task())
        self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        there, away = await asyncio.open_connection("127.0.0.1", int(self._target.url.rpartition(":")[2]))
        await asyncio.gather(_pass_on(reader, away), _pass_on(there, writer))


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while piece := await reader.read(1 << 16):
            writer.write(piece)
            await writer.drain()
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


def answering(body: bytes = b"", *headers: str, status: str = "200 OK") -> Server:
    """A server whose answers are whole."""
    return Server(answer_of(body, *headers, status=status))


def answer_of(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body
