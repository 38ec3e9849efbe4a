"""Servers that take a connection and never answer: each call ends, after a time that is known before."""

import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import HttpTransport

from billing import http
from clients.credential import TOKEN_SECONDS, Credential
from clients.making import make_clients
from clients.partner_credential import PartnerCredential
from clients.process import Clients
from clients.webhook import ANSWER_SECONDS, TRIES, Webhook
from failures import Failure, LandingUnavailable, NoAnswer, ReceiverUnavailable, TokenUnavailable
from landing.zones import azure_patience
from settings import Settings
from tests.landing.scripted_server import Server
from tests.skipping_loop import SkippingLoop, play

STEP = 10.0
"""Seconds that are skipped at once."""

SILENT = {
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Ty",
    "half a body": b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-8/9\r\nContent-Length: 9\r\n\r\n{",
}

Call = Callable[[Clients], Awaitable[Any]]


CALLS: dict[str, tuple[Call, type[Failure], float]] = {
    "Graph": (lambda clients: clients.billing.require_access(), NoAnswer, http.ANSWER_SECONDS),
    "Partner Center": (lambda clients: clients.invoices.of_month("2026-10"), NoAnswer, http.ANSWER_SECONDS),
    "storage": (lambda clients: clients.zone.read("_rights"), LandingUnavailable, azure_patience.ANSWER_SECONDS),
}


async def waited(call: Awaitable[Any], expected: type[Failure], asked: asyncio.Event) -> float:
    """The seconds after which the call ends, once the server was asked: as expected, with this failure."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SkippingLoop)
    calling = asyncio.ensure_future(call)
    await asked.wait()
    began = loop.time()
    while not calling.done():
        loop.skip(STEP)
        await asyncio.sleep(0.005)
    with pytest.raises(expected):
        await calling
    return loop.time() - began


# aiohttp leaves the connection of a body that nobody reads on to the collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("said", SILENT.values(), ids=SILENT)
@pytest.mark.parametrize(("call", "expected", "seconds"), CALLS.values(), ids=CALLS)
def test_a_silent_server_is_given_up(call: Call, expected: type[Failure], seconds: float, said: bytes) -> None:
    """Whatever it has said so far."""

    async def ask(_: SkippingLoop) -> float:
        async with Server(said).running() as server:
            clients = make_clients(_settings(server.url))
            try:
                return await waited(call(clients), expected, server.asked)
            finally:
                await clients.close()

    assert play(ask) < seconds + 2 * STEP
    gc.collect()


@pytest.mark.parametrize("said", [SILENT["nothing"], SILENT["half a head"]])
def test_a_silent_receiver_of_notices_is_given_up(said: bytes) -> None:
    """The notice is sent again by the timers of whoever sends it."""

    async def post(_: SkippingLoop) -> float:
        async with Server(said).running() as server, httpx.AsyncClient(trust_env=False) as client:
            return await waited(Webhook(server.url, client).post({}), ReceiverUnavailable, server.asked)

    assert play(post) < TRIES * (ANSWER_SECONDS + 2 * STEP)


def test_a_silent_identity_is_given_up_by_all_who_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Managed identity's endpoint takes the connection, for one after the other: nobody waits for the others, too."""

    async def ask(_: SkippingLoop) -> list[float]:
        async with Server(b"").running() as endpoint:
            monkeypatch.setenv("IDENTITY_ENDPOINT", f"{endpoint.url}/token")
            monkeypatch.setenv("IDENTITY_HEADER", "x")
            credential = Credential()
            asking = [waited(credential.get_token("x"), TokenUnavailable, endpoint.asked) for _ in range(5)]
            seconds = await asyncio.gather(*asking)
            await credential.close()
            return seconds

    assert max(play(ask)) < TOKEN_SECONDS + 10 * STEP


class SilentEntra(HttpTransport[Any, Any]):
    """Entra, for whose answer a thread waits until it is `released`. It tells that it was asked."""

    tell: Callable[[], object]

    def __init__(self) -> None:
        self.released = threading.Event()

    def send(self, request: Any, **options: Any) -> Any:
        self.tell()
        self.released.wait()
        raise ServiceRequestError("too late")

    def open(self) -> None: ...

    def close(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def test_a_silent_entra_is_given_up() -> None:
    """Of a partner's tenant, which is asked by a thread."""
    entra = SilentEntra()

    class Vouching:
        async def get_token(self, *_: str, **__: Any) -> AccessToken:
            return AccessToken("vouched", 2**31)

        async def renew(self) -> None: ...

    async def ask(loop: SkippingLoop) -> float:
        asked = asyncio.Event()
        entra.tell = lambda: loop.call_soon_threadsafe(asked.set)
        credential = PartnerCredential("tenant", "client", Vouching(), transport=entra)
        try:
            return await waited(credential.get_token("x"), TokenUnavailable, asked)
        finally:
            entra.released.set()

    assert play(ask) < TOKEN_SECONDS + 2 * STEP


def _settings(url: str) -> Settings:
    return Settings.from_mapping(
        {
            "GRAPH_BASE_URL": f"{url}/v1.0",
            "PARTNER_CENTER_BASE_URL": url,
            "GRAPH_STATIC_TOKEN": "emulator-token",
            "LANDING_URL": f"{url}/landing/billing",
            "LANDING_CONNECTION_STRING": "AccountName=landing;AccountKey=a2V5",
        }
    )
