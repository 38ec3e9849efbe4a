"""A caller for each test: sends requests to an emulator of its own, by a clock that the test moves."""

import asyncio
import gzip
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from local.emulator import AzuriteBlobs, Emulator, EmulatorOptions, Fault
from local.emulator.data.datasets import DATASETS
from tests.clock import Clock


class Caller:
    """Calls one emulator, with its bearer token unless told otherwise."""

    def __init__(self, runner: asyncio.Runner, emulator: Emulator, clock: Clock) -> None:
        self.run = runner.run
        self.emulator = emulator
        self.clock = clock

    def send(self, method: str, url: str, token: str | None = "emulator-token", **content: Any) -> httpx.Response:
        headers = content.pop("headers", {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        return self.run(self._send(method, url, headers=headers, **content))

    async def _send(self, method: str, url: str, **content: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.emulator.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7072") as client:
            return await client.request(method, url, **content)

    def post(self, dataset: str, body: Any, version: str = "v1.0") -> httpx.Response:
        """What posting an export of the dataset answers."""
        return self.send("POST", f"/{version}{DATASETS[dataset].path}", json=body)

    def start(self, invoice_id: str = "G016907411", **body: str) -> str:
        """Starts an export of billed usage; the answer is its operation's URL."""
        return self.post("billedUsage", {"invoiceId": invoice_id, **body}).headers["Location"]

    def ended(self, dataset: str, body: Any, version: str = "v1.0") -> Any:
        """The operation that an export of the dataset ends with."""
        return self.finished(self.post(dataset, body, version).headers["Location"])

    def finished(self, url: str) -> Any:
        """The operation at the URL when it no longer runs."""
        while (operation := self.send("GET", url).json())["status"] == "running":
            pass
        return operation

    def manifest(self, invoice_id: str = "G016907411", **body: str) -> Any:
        """The manifest that an export of the invoice's usage ends with."""
        return self.finished(self.start(invoice_id, **body))["resourceLocation"]

    def blob(self, manifest: Any, name: str, method: str = "GET", **headers: str) -> httpx.Response:
        """What reading a blob of the manifest answers."""
        url = f"{manifest['rootDirectory']}/{quote(name)}?{manifest['sasToken']}"
        return self.send(method, url, token=None, headers=headers)

    def blobs(self, manifest: Any) -> dict[str, bytes]:
        """The contents of the manifest's blobs by name."""
        return {blob["name"]: self.blob(manifest, blob["name"]).content for blob in manifest["blobs"]}

    def rows(self, manifest: Any) -> list[Any]:
        """All rows of the manifest's blobs."""
        lines = (line for blob in self.blobs(manifest).values() for line in gzip.decompress(blob).splitlines())
        return [json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in lines]


Call = Callable[..., Caller]


@pytest.fixture
def call() -> Iterator[Call]:
    """Makes the caller of an emulator with these options, and little data unless they say otherwise."""
    clock = Clock(datetime(2026, 10, 9, 6, 12, 53, 250_000, tzinfo=UTC))
    with asyncio.Runner() as runner:

        def make(*faults: Fault, storage: AzuriteBlobs | None = None, **options: Any) -> Caller:
            small = EmulatorOptions(**{"blobs": 2, "rows": 10, "customers": 3, **options})
            return Caller(runner, Emulator(small, blobs=storage, now=clock, faults=faults), clock)

        yield make
