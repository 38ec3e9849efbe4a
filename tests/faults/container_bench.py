"""A bench whose exports land in an Azurite container, behind a proxy that breaks on demand."""

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient
from azure.storage.blob.aio import ContainerClient as AsyncContainerClient
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from yarl import URL

from clients.making import make_clients
from clients.process import Clients
from landing.zones.azure_container import AzureContainer
from local.azurite import Azurite
from local.emulator import AzuriteBlobs, Emulator, EmulatorOptions, Fault
from local.serving import listen, serving
from settings import Settings
from tests.faults.bench import Bench, Gate

# What the SDK waits between its own tries: a quarter of a minute, if it is not told otherwise.
WITHOUT_WAITING: dict[str, Any] = {"initial_backoff": 0, "increment_base": 0, "random_jitter_range": 0}
_OF_THE_CONNECTION = {"connection", "transfer-encoding", "keep-alive"}


@dataclass
class Trouble:
    """What happens to the next requests to the landing account with this method and this in their target.

    So many of them (`times`) are refused with `status` and `code`, as Azure does it, or, where there is no status, the
    connection is cut, `afterwards` when the request has done its work. `copying`: only to requests that the
    service pull a blob.
    """

    method: str
    part: str
    status: int = 0
    code: str = ""
    times: float = 1
    afterwards: bool = False
    copying: bool = False

    def takes(self, request: str, *, copies: bool) -> bool:
        """Whether it happens to this request; it counts then."""
        if self.copying and not copies:
            return False
        if not self.times or not request.startswith(f"{self.method} /landing/") or self.part not in request:
            return False
        self.times -= 1
        return True

    @property
    def refusal(self) -> Response:
        """Azure's answer."""
        body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{self.code}</Code><Message>No.</Message></Error>'
        return Response(body, self.status, {"x-ms-error-code": self.code}, "application/xml")


class UnreliableStorage:
    """A reverse proxy of Azurite. `requests` are those that came, `troubles` happen to them, `gate` can hold them."""

    def __init__(self, target: int) -> None:
        self.gate = Gate()
        self.requests: list[str] = []
        self.troubles: list[Trouble] = []
        self._target = f"http://127.0.0.1:{target}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        """The port of 127.0.0.1 that is passed on."""
        bound = listen()
        # Unlike httpx, aiohttp logs no URL of its own.
        self._http = aiohttp.ClientSession(auto_decompress=False)
        async with self._http, serving(self.gate.before(self._answer), [bound]):
            yield bound.getsockname()[1]

    def count(self, method: str, part: str) -> int:
        """How many requests came with this method and this in their target."""
        return sum(request.startswith(f"{method} ") and part in request for request in self.requests)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        target = scope["raw_path"].decode() + (f"?{scope['query_string'].decode()}" if scope["query_string"] else "")
        request = f"{scope['method']} {target}"
        self.requests.append(request)
        copies = any(name == b"x-ms-copy-source" for name, _ in scope["headers"])
        trouble = next((trouble for trouble in self.troubles if trouble.takes(request, copies=copies)), None)
        if trouble is None or trouble.afterwards:
            answer = await self._real(Request(scope, receive), target)
        if trouble is None:
            await answer(scope, receive, send)
        elif trouble.status:
            await trouble.refusal(scope, receive, send)
        else:
            await _hang_up(receive)

    async def _real(self, request: Request, target: str) -> Response:
        headers = {name: value for name, value in request.headers.items() if name not in _OF_THE_CONNECTION}
        url = URL(self._target + target, encoded=True)
        body = await request.body() or None
        # A header that the caller did not sign would be refused.
        added = ["Accept", "Accept-Encoding", "Content-Type", "User-Agent"]
        call = self._http.request(request.method, url, headers=headers, data=body, skip_auto_headers=added)
        async with call as real:
            answer = Response(await real.read(), real.status)
            kept = [(n.lower(), v) for n, v in real.raw_headers if n.decode().lower() not in _OF_THE_CONNECTION]
            answer.raw_headers = kept
            return answer


async def _hang_up(receive: Any) -> None:
    receive.__self__.transport.close()
    # uvicorn takes an app that ends without an answer for broken, unless it knows that the caller is gone.
    while (await receive())["type"] != "http.disconnect":
        pass


class ContainerBench(Bench):
    """Exports into a container, whose content is then in the folder `landing`, for the bench to look at.

    `storage` is the proxy. `pulled` has the storage service read the source blobs itself. `connection` replaces the
    connection string.
    """

    def __init__(
        self, folder: Path, environment: pytest.MonkeyPatch, log: pytest.LogCaptureFixture, azurite: Azurite
    ) -> None:
        super().__init__(folder, environment, log)
        self.name = f"landing-{uuid.uuid4().hex[:12]}"
        self.storage = UnreliableStorage(azurite.port)
        self.pulled = False
        self.connection: str | None = None
        self.make_clients = impatient_clients
        self._azurite = azurite
        self._source: AzuriteBlobs | None = None

    @property
    def key(self) -> str:
        """The key of the landing account."""
        return self._azurite.landing_connection_string.split("AccountKey=")[1].split(";")[0]

    def use_own_clients(self) -> None:
        """Has the activities make their own clients, as in production; storage that fails is waited for then."""
        self.make_clients = None

    def create(self) -> None:
        """Creates the container."""
        with self._container() as container:
            container.create_container()

    def delete(self) -> None:
        """Deletes the container."""
        with self._container() as container:
            container.delete_container()

    def _container(self) -> ContainerClient:
        return ContainerClient.from_connection_string(self._azurite.landing_connection_string, self.name)

    @asynccontextmanager
    async def _landing_zone(self) -> AsyncIterator[Mapping[str, str]]:
        async with self.storage.running() as port:
            seen = Azurite(port)
            self._source = AzuriteBlobs(seen.source_connection_string) if self.pulled else None
            yield {
                "LANDING_URL": f"{seen.landing_account_url}/{self.name}/usage",
                "LANDING_CONNECTION_STRING": self.connection or seen.landing_connection_string,
            }
            if self._source:
                await self._source.close()
        await self.look()

    def open_gates(self) -> None:
        """Lets all requests pass."""
        super().open_gates()
        self.storage.gate.open()

    async def look(self) -> None:
        """Brings `landing` up to date with what is in the container by now."""
        await asyncio.to_thread(self._mirror)

    def _make_emulator(self, options: EmulatorOptions, faults: tuple[Fault, ...]) -> Emulator:
        return Emulator(options, faults=faults, blobs=self._source)

    def _mirror(self) -> None:
        with self._container() as container:
            try:
                names = list(container.list_blob_names())
            except ResourceNotFoundError:
                return
            shutil.rmtree(self.landing, ignore_errors=True)
            for name in names:
                file = self.landing / name.removeprefix("usage/")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(container.download_blob(name).readall())


def impatient_clients(settings: Settings) -> Clients:
    """The activities' clients, but for the waits between the SDK's own tries."""
    made = make_clients(settings)
    account_url, container, prefix = settings.landing_url.rsplit("/", 2)
    key = dict(part.split("=", 1) for part in (settings.landing_connection_string or "").split(";") if part)
    credential: Any = key.get("SharedAccessSignature") or {
        "account_name": key["AccountName"],
        "account_key": key["AccountKey"],
    }
    client = AsyncContainerClient(account_url, container, credential=credential, **WITHOUT_WAITING)
    zone = AzureContainer(client, prefix, made.sources)
    return replace(made, zone=zone, closing=(*made.closing, zone.close))
