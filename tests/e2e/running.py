"""What the end-to-end tests run: the host as a process of its own, servers beside the test, gates and counters."""

import asyncio
import os
import re
import ssl
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from local.serving import listen, serving, url_of

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 30.0
"""Seconds that a test waits for a condition before it fails."""

LOOKS = 1500
"""How often it looks in that time."""

WITHOUT_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Loading certificates for a call would take longer than the call."""

QUICK = {
    "GRAPH_STATIC_TOKEN": "emulator-token",
    "POLL_INTERVAL_SECONDS": "0.05",
    "POLL_MAX_SECONDS": "0.2",
    "RETRY_SECONDS": "0.1",
    "COPY_BATCH_SIZE": "2",
}


@contextmanager
def beside(context: AbstractAsyncContextManager[Any]) -> Iterator[Any]:
    """Keeps an async context open on an event loop of its own, beside the test."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        value = asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result(PATIENCE)
        try:
            yield value
        finally:
            asyncio.run_coroutine_threadsafe(context.__aexit__(None, None, None), loop).result(PATIENCE)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """Serves the app on a free port; its base URL."""
    bound = listen()
    async with serving(app, [bound]):
        yield url_of(bound)


def until(happened: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Looks again and again, seldom where patience is great, until `happened` says something true; returns that."""
    pause = threading.Event()
    for _ in range(LOOKS):
        value = happened()
        if value:
            return value
        pause.wait(patience / LOOKS)
    raise AssertionError(f"It did not happen within {patience} seconds: {what}")


@dataclass
class Host:
    """A running `python -m local host`, and everything that it wrote to its log."""

    process: "subprocess.Popen[str]"
    url: str
    log: Path

    def kill(self) -> None:
        """Ends the process as a power cut would."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def call(self, method: str, path: str, **content: Any) -> httpx.Response:
        """One HTTP call of the app."""
        return httpx.request(method, self.url + path, timeout=PATIENCE, verify=WITHOUT_TLS, **content)

    def post(self, invoice_id: str = "G016907411") -> str:
        """Starts an export; where its status is."""
        response = self.call("POST", "/api/exports", json={"invoiceId": invoice_id})
        assert response.status_code == 202, response.text
        return response.headers["Location"]

    def status(self, location: str) -> dict[str, Any]:
        """The status at the location."""
        answer: dict[str, Any] = self.call("GET", location).json()
        return answer

    def ended(self, location: str, patience: float = PATIENCE) -> dict[str, Any]:
        """The status with which the export ends."""
        ended: dict[str, Any] = until(lambda: _if_ended(self.status(location)), f"{location} ends", patience)
        return ended

    def export(self, invoice_id: str = "G016907411") -> dict[str, Any]:
        """Starts an export and waits for its end."""
        return self.ended(self.post(invoice_id))


def _if_ended(status: dict[str, Any]) -> dict[str, Any] | None:
    return status if status["state"] in {"succeeded", "failed", "cancelled"} else None


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process with just these settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "COLUMNS": "200"} | dict(settings)


@contextmanager
def host(
    settings: Mapping[str, str],
    folder: Path,
    state: Path | None = None,
    log_level: str = "debug",
    program: Sequence[str] = ("local",),
) -> Iterator[Host]:
    """Runs the host with these settings, in `folder`; it is ended at the end, if it still runs.

    `program` is a module that takes the command line of `local`, and what it wants to be told before.
    """
    command = [sys.executable, "-m", *program, "host", "--port", "0", "--log-level", log_level]
    log = folder / "host.log"
    with log.open("a") as stderr:
        process = subprocess.Popen(
            [*command, *(["--state", str(state)] if state else [])],
            env=environment(settings),
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    with process:
        try:
            yield Host(process, _announced(process, log), log)
        finally:
            process.terminate()


def _announced(process: "subprocess.Popen[str]", log: Path) -> str:
    assert process.stdout is not None
    found = re.search(r"(http://127\.0\.0\.1:\d+)", process.stdout.readline())
    if not found:
        raise AssertionError(f"The host did not start:\n{process.stdout.read()}\n{log.read_text()}")
    return found[1]


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
