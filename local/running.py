"""Runs the host as its own process, and servers in threads of the caller: for end-to-end tests and benchmarks."""

import asyncio
import os
import re
import ssl
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import httpx
from starlette.types import ASGIApp

from local.serving import listen, serving, url_of

T = TypeVar("T")

ROOT = Path(__file__).parent.parent
PATIENCE = 30.0
"""Seconds that is waited for a condition, and for servers to start and to end."""

LOOKS = 1500
"""How often `until` looks in that time."""

WITHOUT_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Loading certificates for a call would take longer than the call."""

QUICK_POLLS = {
    "GRAPH_STATIC_TOKEN": "emulator-token",
    "POLL_INTERVAL_SECONDS": "0.05",
    "POLL_MAX_SECONDS": "0.2",
    "RETRY_SECONDS": "0.1",
    "TABLES": "off",
}
"""Settings for a billing API on this machine, of whose data no tables are made."""


def forget_proxies() -> None:
    """From now on this process, and those that it starts, know no proxy: all that they ask is on this machine."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]


@contextmanager
def beside(context: AbstractAsyncContextManager[T], patience: float = PATIENCE) -> Iterator[T]:
    """Keeps an async context open on an event loop of its own; it has `patience` seconds to open."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        value = asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result(patience)
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
    """Calls `happened` until it returns something true, and returns that; less often the longer the patience.

    Raises:
        AssertionError: when it has not happened after `patience` seconds.
    """
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
        """One HTTP call of the app, by its path or its whole URL."""
        return httpx.request(method, urljoin(self.url, path), timeout=PATIENCE, verify=WITHOUT_TLS, **content)

    def post(self, invoice_id: str = "G016907411") -> str:
        """Starts an export; the path of its status, at whichever host comes next."""
        response = self.call("POST", "/api/exports", json={"invoiceId": invoice_id})
        assert response.status_code == 202, response.text
        return urlsplit(response.headers["Location"]).path

    def status(self, location: str) -> dict[str, Any]:
        """The status at the location."""
        answer: dict[str, Any] = self.call("GET", location).json()
        return answer

    def ended(self, location: str, patience: float = PATIENCE) -> dict[str, Any]:
        """The status with which the export ends."""
        ended: dict[str, Any] = until(lambda: _if_ended(self.status(location)), f"{location} ends", patience)
        return ended

    def export(self, invoice_id: str = "G016907411", patience: float = PATIENCE) -> dict[str, Any]:
        """Starts an export; the status with which it ends."""
        return self.ended(self.post(invoice_id), patience)

    def peak_memory(self) -> int:
        """The most bytes that the process has ever had in memory at once (Linux)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (kib,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
        return int(kib) * 1024


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
    options: Sequence[str] = (),
) -> Iterator[Host]:
    """Runs the host with these settings, in `folder`; it is ended at the end, if it still runs.

    `program` is a module that takes the command line of `local`, after arguments of its own; `options` are more of the
    host's.
    """
    command = [sys.executable, "-m", *program, "host", "--port", "0", "--log-level", log_level, *options]
    log = folder / "host.log"
    with log.open("a") as stderr:
        process = subprocess.Popen(  # noqa: S603 - our own program
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
