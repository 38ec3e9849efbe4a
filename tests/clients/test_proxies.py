"""Which of the app's requests go through the proxy that the environment names?"""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest

from clients.credential import Credential
from clients.making import make_clients
from clients.partner_credential import PartnerCredential
from clients.process import Clients
from failures import Failure, TokenUnavailable
from settings import Settings
from tests.landing.conftest import Run, run  # noqa: F401
from tests.landing.scripted_server import Server, answer_of, answering

ELSEWHERE = {
    "GRAPH_BASE_URL": "https://graph.example/v1.0",
    "PARTNER_CENTER_BASE_URL": "https://center.example",
    "NOTIFY_WEBHOOK_URL": "https://hook.example/1",
}
PATHS = {"GRAPH_BASE_URL": "/v1.0", "PARTNER_CENTER_BASE_URL": "", "NOTIFY_WEBHOOK_URL": "/1"}
TOKEN = b'{"access_token": "made up token", "expires_on": "4102444800", "resource": "any", "token_type": "Bearer"}'
SCOPE = "https://graph.microsoft.com/.default"


async def _notify(clients: Clients) -> None:
    assert clients.webhook
    await clients.webhook.post({})


CALLS: dict[str, Callable[[Clients], Awaitable[Any]]] = {
    "GRAPH_BASE_URL": lambda clients: clients.billing.require_access(),
    "PARTNER_CENTER_BASE_URL": lambda clients: clients.invoices.of_month("2026-10"),
    "NOTIFY_WEBHOOK_URL": _notify,
}


@pytest.fixture
def proxy() -> Server:
    """A proxy that lets nobody through."""
    return answering(status="407 Proxy Authentication Required")


@pytest.fixture
def near() -> Server:
    """A server on this machine: managed identity's endpoint, or whatever is asked for."""
    return Server(answer_of(TOKEN, "Content-Type: application/json"), then_close=True)


@pytest.fixture
def play(run: Run, monkeypatch: pytest.MonkeyPatch, proxy: Server, near: Server) -> Callable[..., Any]:  # noqa: F811
    """Runs a scenario, made by what it is given, in an environment that names proxy and managed identity."""

    async def playing(scenario: Callable[[], Awaitable[Any]]) -> Any:
        async with AsyncExitStack() as servers:
            for server in (proxy, near):
                await servers.enter_async_context(server.running())
            for name in ("http_proxy", "https_proxy", "all_proxy"):
                monkeypatch.setenv(name, proxy.url)
            monkeypatch.delenv("no_proxy", raising=False)
            monkeypatch.setenv("IDENTITY_ENDPOINT", f"{near.url}/msi/token")
            monkeypatch.setenv("IDENTITY_HEADER", "header")
            return await scenario()

    return lambda scenario: run(playing(scenario))


async def _call(setting: str, settings: dict[str, str]) -> None:
    clients = make_clients(Settings.from_mapping({"LANDING_URL": "file:///landed"} | settings))
    with suppress(Failure):
        await CALLS[setting](clients)
    await clients.close()


@pytest.mark.parametrize("setting", CALLS)
def test_microsoft_and_the_webhook_are_asked_through_the_proxy(
    play: Callable[..., Any], proxy: Server, setting: str
) -> None:
    """The proxy is asked for a tunnel to each service, and for nothing else."""
    play(lambda: _call(setting, ELSEWHERE))
    host = ELSEWHERE[setting].split("/")[2]
    assert set(proxy.requests) == {f"CONNECT {host}:443 HTTP/1.1"}


@pytest.mark.parametrize("setting", CALLS)
def test_an_emulator_on_this_machine_is_asked_directly(
    play: Callable[..., Any], proxy: Server, near: Server, setting: str
) -> None:
    """Its token stays on this machine."""
    play(lambda: _call(setting, ELSEWHERE | {setting: near.url + PATHS[setting], "GRAPH_STATIC_TOKEN": ""}))
    assert near.requests
    assert proxy.requests == []


def test_managed_identity_is_asked_directly(play: Callable[..., Any], proxy: Server, near: Server) -> None:
    """Its endpoint is on the machine or its link; no proxy gets to see the header that opens it."""

    async def ask() -> str:
        credential = Credential()
        token = await credential.get_token(SCOPE)
        await credential.close()
        return str(token.token)

    assert play(ask) == "made up token"
    assert len(near.requests) == 1
    assert proxy.requests == []


def test_entra_is_asked_through_the_proxy(
    play: Callable[..., Any], proxy: Server, near: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where an app registration in another tenant is vouched for: the identity itself is asked directly."""
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "https://login.example")

    async def ask() -> None:
        tenant = "0e195b37-4574-4539-bc42-0f6f2b1c7f0a"
        identity = Credential()
        with pytest.raises(TokenUnavailable, match=r"(?i)proxy"):
            await PartnerCredential(tenant, tenant, identity, retry_total=0).get_token(SCOPE)
        await identity.close()

    play(ask)
    assert proxy.requests
    assert {request.rpartition(" ")[0] for request in proxy.requests} == {"CONNECT login.example:443"}
