"""Bearer tokens: sent to one origin and nowhere else."""

import asyncio
import base64

import httpx
import pytest

from billing.auth import EntraToken, StaticToken
from failures import ForeignOrigin, IdentityFailure, NoToken, TokenUnavailable
from tests.billing.fake_graph import BASE_URL, FakeCredential, FakeGraph, answer

EMULATOR = "http://127.0.0.1:7072/v1.0"
CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1791439973"},"x":"~~>>??"}}'


def challenge(encoded: bytes) -> str:
    return f'Bearer realm="", error="insufficient_claims", claims="{encoded.decode()}"'


def get(graph: FakeGraph, auth: httpx.Auth, url: str) -> httpx.Response:
    """What one authenticated request is answered."""

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=graph, auth=auth) as http:
            return await http.get(url)

    return asyncio.run(send())


def entra(credential: FakeCredential) -> EntraToken:
    return EntraToken(credential, "https://graph.microsoft.com/.default", BASE_URL)


def test_static_token_is_sent() -> None:
    """An emulator gets the fixed token."""
    graph = FakeGraph(answer())
    get(graph, StaticToken("emulator-token", EMULATOR), f"{EMULATOR}/x")
    assert graph.tokens == ["Bearer emulator-token"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:7073/x", "https://127.0.0.1:7072/x", "http://example.com/x"])
def test_static_token_goes_nowhere_else(url: str) -> None:
    """The fixed token is not sent to another origin: the request itself is not."""
    graph = FakeGraph(answer())
    with pytest.raises(ForeignOrigin):
        get(graph, StaticToken("emulator-token", EMULATOR), url)
    assert graph.requests == []


def test_entra_token_goes_nowhere_else() -> None:
    """For another origin no token is even asked for."""
    graph, credential = FakeGraph(answer()), FakeCredential()
    with pytest.raises(ForeignOrigin):
        get(graph, entra(credential), "https://example.com/v1.0/x")
    assert graph.requests == []
    assert credential.asked == []


def test_entra_token_is_sent() -> None:
    """Graph gets a token for the scope."""
    graph, credential = FakeGraph(answer()), FakeCredential()
    get(graph, entra(credential), f"{BASE_URL}/x")
    assert graph.tokens == ["Bearer s3cret-token-1"]
    assert credential.asked == [{"scopes": ("https://graph.microsoft.com/.default",)}]


@pytest.mark.parametrize(
    "encoded",
    [
        base64.urlsafe_b64encode(CLAIMS.encode()),
        base64.urlsafe_b64encode(CLAIMS.encode()).rstrip(b"="),
        base64.b64encode(CLAIMS.encode()),
    ],
)
def test_a_challenge_is_met(encoded: bytes) -> None:
    """After a 401 the request is sent once more, with a token that holds the claims that the service demanded."""
    graph = FakeGraph(answer(401, WWW_Authenticate=challenge(encoded)), answer(200))
    credential = FakeCredential()
    assert get(graph, entra(credential), f"{BASE_URL}/x").status_code == 200
    assert graph.tokens == ["Bearer s3cret-token-1", "Bearer s3cret-token-2"]
    assert credential.asked[1] == {"scopes": ("https://graph.microsoft.com/.default",), "claims": CLAIMS}


@pytest.mark.parametrize("header", ["", "Bearer", 'Bearer claims="!"', challenge(b"_"), challenge(b"____")])
def test_a_401_without_usable_claims(header: str) -> None:
    """A 401 that demands nothing readable is answered with a token asked for anew."""
    graph, credential = FakeGraph(answer(401, WWW_Authenticate=header), answer(200)), FakeCredential()
    assert get(graph, entra(credential), f"{BASE_URL}/x").status_code == 200
    assert [set(asked) for asked in credential.asked] == [{"scopes"}, {"scopes"}]


def test_a_second_401_stands() -> None:
    """A service that refuses the fresh token too is not asked a third time."""
    graph = FakeGraph(answer(401))
    assert get(graph, entra(FakeCredential()), f"{BASE_URL}/x").status_code == 401
    assert len(graph.requests) == 2


@pytest.mark.parametrize(("status", "sent"), [(401, 2), (403, 1)])
def test_a_refused_token_is_not_used_again(status: int, sent: int) -> None:
    """A token tells what the identity was allowed when it was made, and is kept for hours: a new one is asked for."""
    graph, credential = FakeGraph(answer(status)), FakeCredential()
    get(graph, entra(credential), f"{BASE_URL}/x")
    assert (len(graph.requests), credential.renewed) == (sent, 1)


@pytest.mark.parametrize("failure", [NoToken("No credential."), TokenUnavailable("The endpoint is away.")])
def test_an_identity_without_token(failure: IdentityFailure) -> None:
    """An app whose identity gets no token is told so as the credential tells it, and sends nothing."""
    graph = FakeGraph(answer())
    with pytest.raises(IdentityFailure) as caught:
        get(graph, entra(FakeCredential(failure)), f"{BASE_URL}/x")
    assert caught.value is failure
    assert graph.requests == []
