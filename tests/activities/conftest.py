"""The activities, registered as they are, against an emulator in this process and a landing zone in a folder."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

import function_app
from billing.auth import StaticToken
from billing.client import BillingClient
from billing.invoices import InvoiceClient
from billing.manifests import Manifests
from billing.origins import SourceHosts
from catalog.export_request import ExportRequest
from clients.process import Clients, given_clients
from clients.webhook import Webhook
from landing.source import SourceReader
from landing.zones.local_folder import LocalFolder
from landing.zones.protocol import LandingZone
from local.emulator import Emulator, EmulatorOptions
from local.functions import index
from messages.encoding import Message
from messages.exports import (
    CheckOperation,
    CommitAnswer,
    CopyAnswer,
    CopyOrder,
    OperationAnswer,
    Plan,
    StartAnswer,
    StartOrder,
    VersionAnswer,
    VersionOrder,
)
from messages.names import CHECK_OPERATION, COMMIT_EXPORT, COPY_BLOBS, REUSE_VERSION, START_EXPORT
from messages.problems import Answer, NotDone
from settings import Settings
from tests.clock import Clock
from tests.source_transport import HttpxSource, OnLoop

T = TypeVar("T")
A = TypeVar("A", bound=Message)

BASE_URL = "http://127.0.0.1:7072/v1.0"
TOKEN = "emulator-token"
START = datetime(2026, 10, 9, 6, 12, 53, tzinfo=UTC)
REQUEST = ExportRequest.of_invoice("G016907411")
PARTNER_CENTER = "http://127.0.0.1:7072"
SETTINGS = Settings.from_mapping(
    {"GRAPH_BASE_URL": BASE_URL, "PARTNER_CENTER_BASE_URL": PARTNER_CENTER, "LANDING_URL": "file:///not/used"}
)


class Wire(httpx.AsyncBaseTransport):
    """The way to the emulator. `interfere` sees every request first, and may answer it or raise in its place."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = httpx.ASGITransport(emulator.app)
        self.requests: list[httpx.Request] = []
        self.interfere: Callable[[httpx.Request], httpx.Response | None] = lambda _: None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        # A network lets others go on meanwhile.
        await asyncio.sleep(0)
        return self.interfere(request) or await self._emulator.handle_async_request(request)


class Bench:
    """One emulator, one landing folder, and the activities between them."""

    def __init__(self, folder: Path, options: EmulatorOptions) -> None:
        self.folder = folder
        self.clock = Clock(START)
        self.emulator = Emulator(options, now=self.clock)
        self.graph = Wire(self.emulator)
        self.source = Wire(self.emulator)
        self.settings = SETTINGS
        self.token = TOKEN
        self.webhook: str | None = None
        self.open_zone: Callable[[SourceReader], LandingZone] = lambda sources: LocalFolder(folder, sources)

    def set(self, **settings: Any) -> None:
        """Sets settings, also to values that no app setting may have."""
        self.settings = replace(self.settings, **settings)

    def run(self, scenario: Callable[[], Awaitable[T]]) -> T:
        """Plays the scenario with the clients of a process that has just begun."""

        async def play() -> T:
            clients = self.clients()
            try:
                with given_clients(clients):
                    return await scenario()
            finally:
                await clients.close()

        return asyncio.run(play())

    def clients(self) -> Clients:
        """Clients whose requests go to the emulator."""
        graph = httpx.AsyncClient(transport=self.graph, auth=StaticToken(self.token, BASE_URL))
        billing = BillingClient(BASE_URL, graph, SourceHosts((".blob.core.windows.net",), loopback=True), self.clock)
        threads = ThreadPoolExecutor(self.settings.copy_concurrency)
        sources = SourceReader(HttpxSource(OnLoop(self.source)).open, threads)
        zone = self.open_zone(sources)
        notices = httpx.AsyncClient(transport=self.source)
        return Clients(
            settings=self.settings,
            billing=billing,
            invoices=InvoiceClient(PARTNER_CENTER, graph, self.clock),
            manifests=Manifests(billing.read_manifest, self.clock),
            sources=sources,
            zone=zone,
            webhook=Webhook(self.webhook, notices) if self.webhook else None,
            now=self.clock,
            closing=(graph.aclose, notices.aclose, zone.close, sources.close),
        )

    async def start(self, request: ExportRequest = REQUEST) -> StartAnswer:
        """Calls `start_export`."""
        return await _call(START_EXPORT, StartOrder(request), StartAnswer)

    async def check(self, operation_url: str) -> OperationAnswer:
        """Calls `check_operation`."""
        return await _call(CHECK_OPERATION, CheckOperation(operation_url), OperationAnswer)

    async def plan(self, request: ExportRequest = REQUEST) -> Plan:
        """Starts an export, and polls it until it has a plan."""
        started = await self.start(request)
        while (answer := await self.check(started.operation_url)).state == "running":
            pass
        assert answer.plan is not None, answer
        return answer.plan

    async def reuse(self, plan: Plan) -> VersionAnswer:
        """Calls `reuse_version`."""
        return await _call(REUSE_VERSION, VersionOrder(REQUEST, plan), VersionAnswer)

    async def copy(
        self, plan: Plan, start: int = 0, stop: int | None = None, request: ExportRequest = REQUEST
    ) -> CopyAnswer:
        """Calls `copy_blobs` once; without bounds for all blobs."""
        stop = plan.blob_count if stop is None else stop
        return await _call(COPY_BLOBS, CopyOrder(request, plan, start, stop), CopyAnswer)

    async def commit(self, plan: Plan, request: ExportRequest = REQUEST, latest: str | None = None) -> CommitAnswer:
        """Calls `commit_export`; `latest` was the latest version when it was planned."""
        return await _call(COMMIT_EXPORT, VersionOrder(request, plan, latest=latest), CommitAnswer)

    async def export(self, request: ExportRequest = REQUEST) -> Plan:
        """A whole export, committed."""
        plan = await self.plan(request)
        assert (await self.copy(plan, request=request)).not_done is None
        await self.commit(plan, request)
        return plan

    def landed(self, pattern: str) -> list[Path]:
        """The landed files whose names match."""
        return sorted(self.folder.rglob(pattern))

    def blob_requests(self, method: str = "GET") -> list[str]:
        """The names of the blobs that were asked for."""
        return [request.url.path.rsplit("/", 1)[-1] for request in self.source.requests if request.method == method]

    def require_no_secret(self, text: str) -> None:
        """The text holds neither a SAS signature nor the bearer token."""
        assert not [secret for secret in {*self.emulator.signatures, self.token} if secret in text]


UNASKED_CLIENT = json.dumps({"taskHubName": "local", "creationUrls": {}, "managementUrls": {}})
"""The binding of a Durable client that an activity has, and does not need."""


class CalledInVain(Exception):
    """The activity could not do its work, and told why."""

    def __init__(self, not_done: NotDone) -> None:
        super().__init__(not_done)
        self.not_done = not_done


def in_vain(run: Callable[[], Any]) -> NotDone:
    """What the activity tells that cannot do its work."""
    with pytest.raises(CalledInVain) as told:
        run()
    return told.value.not_done


async def _call(name: str, message: Message, answer: type[A]) -> A:
    return answer.from_json(await call(name, message))


async def call(name: str, message: Message) -> Any:
    """Calls the activity of this name."""
    activity = index(function_app.app).activities[name]
    client = {activity.client_parameter: UNASKED_CLIENT} if activity.client_parameter else {}
    told = await activity.call(message=message.to_json(), **client)
    not_done = Answer.from_json(told).not_done
    if not_done and "next" not in told:
        raise CalledInVain(not_done)
    return told


MakeBench = Callable[..., Bench]


@pytest.fixture
def make_bench(tmp_path: Path) -> MakeBench:
    """Makes a bench whose emulator has these options, and little data unless they say otherwise."""

    def make(**options: Any) -> Bench:
        small = EmulatorOptions(**{"blobs": 4, "rows": 5, "customers": 2, "running_polls": 0, **options})
        return Bench(tmp_path / "landed", small)

    return make


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    """A bench like any other."""
    return make_bench()


@pytest.fixture(autouse=True)
def _own_log_records() -> Iterator[None]:
    """What a test does to all log records of the process ends with it."""
    factory = logging.getLogRecordFactory()
    yield
    logging.setLogRecordFactory(factory)
