"""A bench for exports: emulator and host on one event loop, faults between them, and all that they leave behind."""

import asyncio
import gzip
import itertools
import json
import logging
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

import function_app
from activities.clients import close_clients
from local.emulator import Emulator, EmulatorOptions, Fault
from local.host import Host
from local.serving import listen, serving, url_of
from settings import configured
from tests.faults import invariants

INVOICE = "G016907411"
TOKEN = "the-bearer-token-of-the-tests"
SETTINGS = {
    "GRAPH_STATIC_TOKEN": TOKEN,
    "POLL_INTERVAL_SECONDS": "0.01",
    "POLL_MAX_SECONDS": "0.05",
    "RETRY_SECONDS": "0.01",
    "COPY_BATCH_SIZE": "2",
}
BLOBS = {f"part-{i:05d}.json.gz": gzip.compress(f'{{"row": {i}}}\n'.encode() * 50, mtime=0) for i in range(6)}
# Loading certificates would take as long as an export does.
WITHOUT_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

Status = dict[str, Any]


class Stranger:
    """Another origin, that nothing should be sent to: it listens, and never answers."""

    def __init__(self) -> None:
        self._listening = listen()
        self._listening.listen()
        self._listening.setblocking(False)
        self.url = url_of(self._listening)

    def was_called(self) -> bool:
        """Whether anybody connected; to be asked once, at the end."""
        with self._listening:
            try:
                self._listening.accept()[0].close()
            except BlockingIOError:
                return False
        return True


class Stopwatch:
    """Notes when requests arrive, by their paths."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._arrived: list[tuple[str, float]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._arrived.append((scope.get("path", ""), time.monotonic()))
        await self._app(scope, receive, send)

    def longest_wait(self, part: str) -> float:
        """The most seconds that passed before a request with this in its path, since the request before it."""
        pairs = itertools.pairwise(self._arrived)
        return max(arrived - before for (_, before), (path, arrived) in pairs if part in path)


class Bench:
    """Exports into one landing folder, each export with an emulator and a host of its own.

    `blobs` and `e_tag` are Microsoft's data; `emulator`, `stopwatch` and `status` are those of the last export.
    """

    def __init__(self, folder: Path, environment: pytest.MonkeyPatch, log: pytest.LogCaptureFixture) -> None:
        self.landing = folder / "landing"
        self.stranger = Stranger()
        self.blobs: Mapping[str, bytes] = BLOBS
        self.e_tag = "first"
        self.emulator = Emulator()
        self.stopwatch = Stopwatch(self.emulator.app)
        self.status: Status = {}
        self._folder = folder
        self._environment = environment
        self._log = log
        self._planted: list[Path] = []
        self._answers: list[str] = []
        self._secrets = {TOKEN}

    def export(self, *faults: Fault, settings: Mapping[str, str] | None = None, **options: Any) -> Status:
        """Exports the data while these faults happen; the status with which it ends."""
        self.emulator = Emulator(EmulatorOptions(token=TOKEN, **{"running_polls": 0, **options}), faults=faults)
        self.emulator.use_data(INVOICE, self.blobs, e_tag=self.e_tag)
        self.stopwatch = Stopwatch(self.emulator.app)
        self.status = asyncio.run(self._run(SETTINGS | dict(settings or {})))
        self._secrets |= self.emulator.signatures
        return self.status

    def plant(self, name: str, content: bytes) -> Path:
        """Puts a file beside the blobs of the version that landed last, for the next export to find."""
        file = self.version / name
        file.write_bytes(content)
        self._planted.append(file)
        return file

    def uncommit(self) -> None:
        """Leaves of the version that landed last what a crash before the commit leaves."""
        (self.version / "_SUCCESS").unlink()
        (self.version / "_manifest.json").unlink()
        (self.version.parent / "_latest.json").unlink()

    @property
    def version(self) -> Path:
        """The folder of the version that landed last."""
        return next(self.landing.glob(f"billed_usage/*/*/*/version={self.status['result']['version']}"))

    @property
    def landed(self) -> dict[str, bytes]:
        """What a reader who follows the pointer reads: contents by landed name."""
        pointer = json.loads((self.version.parent / "_latest.json").read_text())
        files = self.version.parent.glob(pointer["glob"])
        return {str(file.relative_to(self.version)): file.read_bytes() for file in files}

    @property
    def posts(self) -> int:
        """How many exports were posted."""
        return self.count("POST", "/export")

    def count(self, method: str, part: str) -> int:
        """How many requests with this method had this in their path."""
        return sum(request.method == method and part in request.path for request in self.emulator.requests)

    def require_success(self) -> None:
        """The export succeeded, and the data landed as it is."""
        assert self.status["state"] == "succeeded", self.status["error"]
        assert self.landed == dict(self.blobs)

    def require_failure(self, code: str, remedy: str) -> str:
        """The export failed with this code, and a remedy with this in it, and committed nothing; its message."""
        assert self.status["state"] == "failed", self.status
        assert self.status["error"]["code"] == code, self.status["error"]
        assert remedy in self.status["error"]["remedy"]
        assert not list(self.landing.rglob("_SUCCESS"))
        return str(self.status["error"]["message"])

    def require_invariants(self) -> None:
        """Nothing is half, outside or secret, whatever happened."""
        invariants.require_whole_versions(self.landing)
        invariants.require_committed_pointers(self.landing)
        invariants.require_nothing_unfinished(self.landing, self._planted)
        invariants.require_nothing_outside(self._folder, {"landing", "state", "state-wal", "state-shm"})
        invariants.require_no_secret(self._texts(), self._secrets)
        assert not self.stranger.was_called()

    def _texts(self) -> dict[str, bytes]:
        files = (path for path in self._folder.rglob("*") if path.is_file())
        formatter = logging.Formatter()
        log = "\n".join(map(formatter.format, self._log.get_records("call")))
        assert "HTTP Request: POST" in log
        told = {"answers": "".join(self._answers).encode(), "log": log.encode()}
        return told | {str(file): file.read_bytes() for file in files}

    async def _run(self, settings: Mapping[str, str]) -> Status:
        billing = listen()
        async with serving(self.stopwatch, [billing]):
            self._configure({**settings, "GRAPH_BASE_URL": f"{url_of(billing)}/v1.0"})
            host = Host(function_app.app, listen(), self._folder / "state", {"EXPORT_SCHEDULE": "0 0 6 9 * *"})
            async with host.running(), httpx.AsyncClient(base_url=host.url, verify=WITHOUT_TLS) as http:
                status = await self._ended(http)
            await close_clients()
        return status

    def _configure(self, settings: Mapping[str, str]) -> None:
        for name, value in {**settings, "LANDING_URL": self.landing.as_uri()}.items():
            self._environment.setenv(name, value)
        configured.cache_clear()

    async def _ended(self, http: httpx.AsyncClient) -> Status:
        started = await http.post("/api/exports", json={"invoiceId": INVOICE})
        answer = started
        while answer.json()["state"] in {"pending", "running"}:
            await asyncio.sleep(0.05)
            answer = await http.get(started.headers["Location"])
            self._answers.append(answer.text)
        status: Status = answer.json()
        return status
