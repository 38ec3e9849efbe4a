"""What the benchmarks of whole exports run: the local host as a process of its own, servers beside them, Azurite."""

import asyncio
import base64
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

import httpx
from starlette.types import ASGIApp

from local.emulator import AzuriteBlobs, Emulator, EmulatorOptions
from local.serving import listen, serving, url_of

T = TypeVar("T")

ROOT = Path(__file__).parent.parent
AZURITE = ROOT / "node_modules" / ".bin" / "azurite-blob"
KEY = base64.b64encode(b"a key for benchmarks").decode()
PATIENCE = 30.0
"""Seconds that servers are given to start and to end."""

UPLOAD_SECONDS = 600.0
"""Seconds that the emulator is given to put an export into Azurite."""

_TOKEN = {"Authorization": "Bearer emulator-token"}

QUICK_POLLS = {
    "GRAPH_STATIC_TOKEN": "emulator-token",
    "POLL_INTERVAL_SECONDS": "0.05",
    "POLL_MAX_SECONDS": "0.2",
    "RETRY_SECONDS": "0.1",
}
"""Settings for a billing API on this machine."""


@contextmanager
def beside(context: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Keeps an async context open on an event loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        value = asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result(UPLOAD_SECONDS)
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


@asynccontextmanager
async def emulator_on_azurite(
    connection_string: str, exports: Mapping[str, Mapping[str, bytes]], running_polls: int = 0
) -> AsyncIterator[str]:
    """The emulator, its manifests linked, with exports of these invoices' blobs lying in Azurite already; its URL."""
    blobs = AzuriteBlobs(connection_string)
    options = EmulatorOptions(running_polls=running_polls, linked_manifest=True, invoices=tuple(exports))
    emulator = Emulator(options, blobs=blobs)
    for invoice, content in exports.items():
        emulator.use_data(invoice, content, e_tag=invoice)
    async with served(emulator.app) as url, httpx.AsyncClient(headers=_TOKEN, timeout=UPLOAD_SECONDS) as http:
        for invoice in exports:
            await _let_emulator_upload(http, url, invoice)
        emulator.requests.clear()
        yield url
    await blobs.close()


async def _let_emulator_upload(http: httpx.AsyncClient, url: str, invoice: str) -> None:
    """The emulator puts an export's blobs into storage when its manifest is first read."""
    path = "/v1.0/reports/partners/billing/usage/billed/export"
    started = await http.post(url + path, json={"invoiceId": invoice})
    while True:
        operation = (await http.get(started.headers["Location"])).json()
        if operation["status"] == "succeeded":
            (await http.get(operation["resourceLocation@odata.navigationLink"])).raise_for_status()
            return


@dataclass(frozen=True)
class Azurite:
    """Azurite's blob service with the accounts `source` and `landing`, on a port of this machine."""

    port: int

    def url(self, account: str) -> str:
        """The account's base URL."""
        return f"http://127.0.0.1:{self.port}/{account}"

    def connection_string(self, account: str) -> str:
        """What a client needs to use the account."""
        endpoint = f"BlobEndpoint={self.url(account)}"
        return f"DefaultEndpointsProtocol=http;AccountName={account};AccountKey={KEY};{endpoint};"

    def landing(self, container: str) -> dict[str, str]:
        """Settings of an app that lands its blobs in a container here."""
        return {
            "LANDING_URL": f"{self.url('landing')}/{container}",
            "LANDING_CONNECTION_STRING": self.connection_string("landing"),
        }


@contextmanager
def running_azurite(folder: Path) -> Iterator[Azurite]:
    """Azurite on a free port, its data in the folder.

    Raises:
        RuntimeError: when it does not start.
    """
    flags = ["--silent", "--skipApiVersionCheck", "--disableTelemetry", "--blobPort", "0", "--location", str(folder)]
    accounts = {"AZURITE_ACCOUNTS": f"source:{KEY};landing:{KEY}"}
    with _process([str(AZURITE), *flags], os.environ | accounts, folder) as process:
        yield Azurite(int(_announced(process, r"successfully listens on http://127\.0\.0\.1:(\d+)")))


@dataclass(frozen=True)
class Host:
    """A running `python -m local host`."""

    pid: int
    http: httpx.Client

    def export(self, invoice_id: str = "G016907411", patience: float = PATIENCE) -> dict[str, Any]:
        """Runs one export; its result.

        Raises:
            RuntimeError: when it fails, or takes more seconds than `patience`.
        """
        location = self.start(invoice_id)
        end = time.monotonic() + patience
        while time.monotonic() < end:
            status: dict[str, Any] = self.http.get(location).json()
            if status["state"] not in {"pending", "running"}:
                return _result(status)
            time.sleep(0.05)
        raise RuntimeError(f"The export did not end within {patience} seconds: {status}")

    def start(self, invoice_id: str) -> str:
        """Starts an export; where its status is."""
        response = self.http.post("/api/exports", json={"invoiceId": invoice_id})
        return str(response.raise_for_status().headers["Location"])

    def peak(self) -> int:
        """The most bytes that the process has ever had in memory at once (Linux)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        (kib,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
        return int(kib) * 1024


def _result(status: Mapping[str, Any]) -> dict[str, Any]:
    if status["state"] != "succeeded":
        raise RuntimeError(f"The export did not succeed: {status}")
    return dict(status["result"])


@contextmanager
def running_host(settings: Mapping[str, str], folder: Path) -> Iterator[Host]:
    """Runs the host in a process of its own with just these settings, and its log in the folder."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    values = kept | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "COLUMNS": "200"} | dict(settings)
    command = [sys.executable, "-m", "local", "host", "--port", "0", "--log-level", "warning"]
    with _process(command, values, folder) as process:
        url = f"http://127.0.0.1:{_announced(process, r'http://127.0.0.1:([0-9]+)')}"
        with httpx.Client(base_url=url, timeout=PATIENCE) as http:
            yield Host(process.pid, http)


@contextmanager
def _process(command: list[str], environment: Mapping[str, str], folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that is ended in the end; what it complains of goes to a log in the folder."""
    with (folder / "log.txt").open("a") as log, _started(command, environment, folder, log) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE)


def _started(command: list[str], environment: Mapping[str, str], folder: Path, log: IO[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - our own programs
        command, env=dict(environment), cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True
    )


def _announced(process: "subprocess.Popen[str]", pattern: str) -> str:
    for line in process.stdout or ():
        found = re.search(pattern, line)
        if found:
            return found[1]
    raise RuntimeError(f"{process.args!r} did not start; if it is Azurite, `make test` installs it.")
