"""A bench for exports: emulator and host on one event loop, faults between them, and all that they leave behind."""

import asyncio
import gzip
import itertools
import json
import logging
import sqlite3
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

import function_app
from catalog.datasets import DEFAULT, RECONCILIATION
from clients.making import make_clients
from clients.process import Clients, close_clients, given_clients
from local.emulator import Emulator, EmulatorOptions, Fault
from local.engine import Options
from local.host import Host, LocalExtension
from local.serving import listen, serving, url_of
from settings import Settings, configured
from tests.faults import invariants
from tests.faults.skipping import SkippingClock

INVOICE = "G016907411"
TOKEN = "the-bearer-token-of-the-tests"
SETTINGS = {
    "GRAPH_STATIC_TOKEN": TOKEN,
    "POLL_INTERVAL_SECONDS": "0.01",
    "POLL_MAX_SECONDS": "0.05",
    "RETRY_SECONDS": "0.01",
    "COPY_BATCH_SIZE": "2",
    "TABLES": "off",
}
BLOBS = {f"part-{i:05d}.json.gz": gzip.compress(f'{{"row": {i}}}\n'.encode() * 50, mtime=0) for i in range(6)}
PATIENCE = 30.0
"""Seconds that a test waits for a condition before it fails."""

# Loading certificates would take as long as an export does.
WITHOUT_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

_COUNTS = {
    "activities": "SELECT count(*) FROM activities",
    "inbox": "SELECT count(*) FROM inbox",
    "starts": "SELECT count(*) FROM starts",
    "timers": "SELECT count(*) FROM timers",
}

_CANCELLING = "SELECT count(*) FROM instances WHERE id LIKE 'cancel-%' AND status IN ('Pending', 'Running')"

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


class Gate:
    """Stands before a server: holds the requests it is told to until it is opened, or answers them itself.

    `held` are those being held or held before, each as method and target. `answers` gives an answer or lets pass.
    """

    def __init__(self) -> None:
        self.held: list[str] = []
        self.answers: Callable[[str], Response | None] = lambda _: None
        self._method = ""
        self._part: str | None = None
        self._passing = 0.0
        self._opened = asyncio.Event()

    def hold(self, method: str, part: str, *, after: int = 0) -> None:
        """Holds requests with this method and this in their target, but for the first few."""
        self._method, self._part, self._passing = method, part, after

    async def reached(self, requests: int = 1) -> None:
        """Waits until so many requests have been held."""
        await until(lambda: len(self.held) >= requests)

    def close_behind(self) -> None:
        """Lets all that come from now on pass; what is held stays held."""
        self._passing = float("inf")

    def open(self) -> None:
        """Lets all requests pass."""
        self.close_behind()
        self._opened.set()

    async def pass_on(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on to the app, in its time."""
        request = f"{scope['method']} {scope['path']}?{scope['query_string'].decode()}"
        if self._holds(scope["method"], request):
            self.held.append(request)
            await asyncio.wait_for(self._opened.wait(), PATIENCE)
        await (self.answers(request) or app)(scope, receive, send)

    def _holds(self, method: str, request: str) -> bool:
        if self._part is None or method != self._method or self._part not in request:
            return False
        self._passing -= 1
        return self._passing < 0

    def before(self, app: ASGIApp) -> ASGIApp:
        """The app, behind this gate."""

        async def gated(scope: Scope, receive: Receive, send: Send) -> None:
            await self.pass_on(app, scope, receive, send)

        return gated


class App:
    """The app while it runs, as its callers see it. `answers` collects all that they are told."""

    def __init__(self, http: httpx.AsyncClient, state: Path, clock: SkippingClock, answers: list[str]) -> None:
        self.url = str(http.base_url)
        self._http = http
        self._clock = clock
        self._state = state
        self._answers = answers
        self._location = ""

    async def start(self, dataset: str = DEFAULT) -> Status:
        """Starts an export of the invoice; the status that the call is answered with."""
        started = await self._called("POST", "/api/exports", json={"invoiceId": INVOICE, "dataset": dataset})
        assert started.status_code == 202, started.text
        self._location = started.headers["Location"]
        return _status(started)

    async def cancel(self) -> int:
        """Cancels the export; how that is answered."""
        return (await self._called("DELETE", self._location)).status_code

    async def start_again(self) -> tuple[int, str | None]:
        """How another start of the export is answered, and after how many seconds it may be asked for again."""
        answer = await self._called("POST", "/api/exports", json={"invoiceId": INVOICE})
        return answer.status_code, answer.headers.get("Retry-After")

    async def cancellation_ends(self) -> None:
        """Waits until the cancellation looks for nothing any more, which takes minutes, but for skipping them."""
        async with asyncio.timeout(PATIENCE):
            while await self._is_being_cancelled():
                self._clock.skip(5)
                await asyncio.sleep(0.05)

    async def _is_being_cancelled(self) -> bool:
        with closing(sqlite3.connect(self._state)) as state:
            return bool(state.execute(_CANCELLING).fetchone()[0])

    async def look(self) -> httpx.Response:
        """How a look at the export's status is answered."""
        return await self._called("GET", self._location)

    async def status(self) -> Status:
        """The export's status."""
        return _status(await self.look())

    async def list(self) -> list[Status]:
        """All runs, as they are listed."""
        listed: list[Status] = (await self._called("GET", "/api/exports")).json()
        return listed

    async def export(self, dataset: str = DEFAULT) -> Status:
        """Starts an export; the status with which it ends."""
        await self.start(dataset)
        return await self.ended()

    async def tabulate(self) -> Status:
        """Starts the invoice's table; the status with which it ends."""
        started = await self._called("POST", "/api/tables", json={"invoiceId": INVOICE})
        self._location = started.headers["Location"]
        return await self.ended()

    async def ended(self) -> Status:
        """The status with which it ends."""
        while (status := await self.status())["state"] in {"pending", "running"}:
            await asyncio.sleep(0.05)
        return status

    async def is_in(self, phase: str) -> None:
        """Waits until the export is in this phase."""
        async with asyncio.timeout(PATIENCE):
            while (status := await self.status())["phase"] != phase:
                assert status["state"] in {"pending", "running"}, status
                await asyncio.sleep(0.01)

    async def waits(self) -> None:
        """Waits until nothing but a durable timer is under way."""
        await until(lambda: self.under_way("timers") and not self.under_way("activities", "inbox"))

    def activities_running(self) -> int:
        """How many activities run, those of cancelled exports among them."""
        return sum("Calls._call" in repr(task.get_coro()) for task in asyncio.all_tasks())

    def under_way(self, *kinds: str) -> int:
        """How many activities, events and timers, or these kinds of them, the durable state still has to come."""
        with closing(sqlite3.connect(self._state)) as state:
            return sum(state.execute(_COUNTS[kind]).fetchone()[0] for kind in kinds or _COUNTS)

    async def _called(self, method: str, path: str, **content: Any) -> httpx.Response:
        answer = await self._http.request(method, path, **content)
        self._answers.append(answer.text)
        return answer


def hurried_clients(settings: Settings) -> Clients:
    """The activities' clients, to whom five minutes pass whenever they look at the clock."""
    looks = itertools.count()
    return make_clients(settings, lambda: datetime.now(UTC) + next(looks) * timedelta(minutes=5))


def _status(answer: httpx.Response) -> Status:
    status: Status = answer.json()
    return status


async def until(happened: Callable[[], Any]) -> None:
    """Looks again and again until `happened` says something true."""
    async with asyncio.timeout(PATIENCE):
        while not happened():
            await asyncio.sleep(0.01)


class Bench:
    """Exports into one landing folder, each export with an emulator and a host of its own.

    `blobs`, `lines` of reconciliation, and `e_tag` are Microsoft's data; `emulator`, `stopwatch` and `status` are those
    of the last export.
    `gate` stands before the emulator at `base_url`. `secrets` may stand nowhere. What `make_clients` makes, where it is
    set, replaces what the activities make for themselves. `options` are the durable engine's, and its clock runs `pace`
    times as fast as this machine's.
    """

    def __init__(self, folder: Path, environment: pytest.MonkeyPatch, log: pytest.LogCaptureFixture) -> None:
        self.landing = folder / "landing"
        self.stranger = Stranger()
        self.blobs: Mapping[str, bytes] = BLOBS
        self.lines: Mapping[str, bytes] = {}
        self.e_tag = "first"
        self.emulator = Emulator()
        self.stopwatch = Stopwatch(self.emulator.app)
        self.gate = Gate()
        self.base_url = ""
        self.status: Status = {}
        self.options = Options()
        self.pace = 1
        self.secrets = {TOKEN}
        self.make_clients: Callable[[Settings], Clients] | None = None
        self._folder = folder
        self._environment = environment
        self._log = log
        self._planted: list[Path] = []
        self._answers: list[str] = []

    def export(self, *faults: Fault, settings: Mapping[str, str] | None = None, **options: Any) -> Status:
        """Exports the data while these faults happen; the status with which it ends."""

        async def scenario(app: App) -> None:
            self.status = await app.export()

        self.play(scenario, *faults, settings=settings, **options)
        return self.status

    def play(
        self,
        scenario: Callable[[App], Awaitable[None]],
        *faults: Fault,
        settings: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        """Plays the scenario with the app, while these faults happen."""
        asyncio.run(self._play(scenario, SETTINGS | dict(settings or {}), faults, {"running_polls": 0, **options}))
        self.secrets |= self.emulator.signatures

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
    def log(self) -> str:
        """All that was logged."""
        return "\n".join(map(logging.Formatter().format, self.log_records))

    @property
    def log_records(self) -> list[logging.LogRecord]:
        """All that was logged, record by record."""
        return self._log.get_records("call")

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
        self.require_nothing_committed()
        return str(self.status["error"]["message"])

    def open_gates(self) -> None:
        """Lets all requests pass."""
        self.gate.open()

    async def look(self) -> None:
        """Brings `landing` up to date with what has landed by now."""

    def require_nothing_committed(self) -> None:
        """There is neither a commit marker nor a pointer."""
        assert not [*self.landing.rglob("_SUCCESS"), *self.landing.rglob("_latest.json")]

    def require_invariants(self) -> None:
        """Nothing is half, outside or secret, whatever happened."""
        assert not self.stranger.was_called()
        self.require_invariants_of_landing()
        invariants.require_nothing_outside(self._folder, {"landing", "state", "state-wal", "state-shm", "state-lock"})
        invariants.require_no_secret(self._texts(), self.secrets)

    def require_invariants_of_landing(self) -> None:
        """Nothing in the landing folder is half."""
        invariants.require_whole_versions(self.landing)
        invariants.require_committed_pointers(self.landing)
        invariants.require_nothing_unfinished(self.landing, self._planted)

    def _texts(self) -> dict[str, bytes]:
        files = (path for path in self._folder.rglob("*") if path.is_file())
        log = self.log
        assert "HTTP Request: POST" in log
        told = {"answers": "".join(self._answers).encode(), "log": log.encode()}
        return told | {str(file): file.read_bytes() for file in files}

    async def _play(
        self,
        scenario: Callable[[App], Awaitable[None]],
        settings: Mapping[str, str],
        faults: tuple[Fault, ...],
        options: Mapping[str, Any],
    ) -> None:
        async with self._landing_zone() as landing:
            self.emulator = self._make_emulator(EmulatorOptions(token=TOKEN, **options), faults)
            self.emulator.use_data(INVOICE, self.blobs, e_tag=self.e_tag)
            self.emulator.use_data(INVOICE, self.lines, e_tag=self.e_tag, dataset=RECONCILIATION)
            self.stopwatch = Stopwatch(self.emulator.app)
            billing = listen()
            async with serving(self.gate.before(self.stopwatch), [billing]):
                self.base_url = url_of(billing)
                self._configure({"GRAPH_BASE_URL": f"{self.base_url}/v1.0", **landing, **settings})
                async with self._clients(), self._app() as app:
                    try:
                        await scenario(app)
                    finally:
                        self.open_gates()

    @asynccontextmanager
    async def _landing_zone(self) -> AsyncIterator[Mapping[str, str]]:
        """The settings that say where blobs land, while it is there."""
        yield {"LANDING_URL": self.landing.as_uri()}

    def _make_emulator(self, options: EmulatorOptions, faults: tuple[Fault, ...]) -> Emulator:
        return Emulator(options, faults=faults)

    def _configure(self, settings: Mapping[str, str]) -> None:
        for name, value in settings.items():
            self._environment.setenv(name, value)
        configured.cache_clear()

    @asynccontextmanager
    async def _clients(self) -> AsyncIterator[None]:
        if self.make_clients is None:
            try:
                yield
            finally:
                await close_clients()
            return
        made = self.make_clients(configured())
        try:
            await made.zone.prepare()
            with given_clients(made):
                yield
        finally:
            await made.close()

    @asynccontextmanager
    async def _app(self) -> AsyncIterator[App]:
        state = self._folder / "state"
        clock = SkippingClock(self.pace)
        extension = LocalExtension(state, self.options, clock)
        host = Host(function_app.app, listen(), extension, {"EXPORT_SCHEDULE": "0 0 6 9 * *"})
        async with host.running(), httpx.AsyncClient(base_url=host.url, verify=WITHOUT_TLS) as http:
            yield App(http, state, clock, self._answers)
