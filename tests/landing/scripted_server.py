"""A server on this machine that says what it is told to, whatever it is asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any


class Server:
    """Gives every request the same answer. `requests`: the first line of each; `connections`: how many were opened."""

    def __init__(self, answer: bytes, then_close: bool = False) -> None:
        self._answer = answer
        self._then_close = then_close
        self.requests: list[str] = []
        self.connections = 0
        self.url = ""
        self._serving: set[Any] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Server"]:
        """On a free port."""
        async with await asyncio.start_server(self._serve, "127.0.0.1") as server:
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            try:
                yield self
            finally:
                await asyncio.gather(*self._serving)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._serving.add(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests.append(head.decode().splitlines()[0])
                writer.write(self._answer)
                if self._then_close:
                    break
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def answering(body: bytes = b"", *headers: str, status: str = "200 OK") -> Server:
    """A server whose answers are whole."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return Server("\r\n".join([*lines, "", ""]).encode() + body)
