"""The app's own credential: what it says when it has no token to give."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.identity import CredentialUnavailableError
from azure.identity.aio import ChainedTokenCredential

from clients.credential import Credential
from clients.redaction import hide_token
from failures import FINAL, LATER, IdentityFailure, NoToken, TokenUnavailable
from tests.landing.scripted_server import answering

SCOPE = "https://graph.microsoft.com/.default"
TOKEN = AccessToken("the-token-of-the-identity", 2**31)


class One:
    """One credential of a chain, which gives what it is told to: a token, or an error."""

    def __init__(self, gives: AccessToken | Exception) -> None:
        self.gives = gives
        self.closed = False

    async def get_token(self, *_: str, **__: Any) -> AccessToken:
        if isinstance(self.gives, Exception):
            raise self.gives
        return self.gives

    async def close(self) -> None:
        self.closed = True

    async def __aenter__(self) -> "One":
        return self

    async def __aexit__(self, *_: object) -> None: ...


class Managed(One):
    """Another one, under another name."""


def absent(reason: str) -> CredentialUnavailableError:
    return CredentialUnavailableError(message=reason)


def chain(*ones: One) -> Credential:
    return Credential(lambda: ChainedTokenCredential(*ones))


def refusal(credential: Credential) -> IdentityFailure:
    """What asking for a token ends with."""
    with pytest.raises(IdentityFailure) as caught:
        asyncio.run(credential.get_token(SCOPE))
    assert caught.value.__cause__ is None
    return caught.value


def test_no_credential_at_all_is_final() -> None:
    """Nobody has signed in, and there is no identity: every credential's own reason is told."""
    found = refusal(chain(One(absent("Not configured.\nVisit us.")), Managed(absent("No endpoint."))))
    assert isinstance(found, NoToken)
    assert found.kind == FINAL
    assert found.message.endswith("One: Not configured. Visit us.; Managed: No endpoint.")
    assert "sign in" in found.remedy


@pytest.mark.parametrize(
    "fault",
    [
        ClientAuthenticationError("Unexpected response: 500"),
        ServiceRequestError("Connection refused"),
        ClientAuthenticationError("AADSTS90033: A transient error has occurred."),
        OSError("Too many open files"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_a_credential_that_is_there_may_give_a_token_later(fault: Exception) -> None:
    """Whatever keeps it from that, only the deadline ends the waiting."""
    found = refusal(chain(One(absent("Not configured.")), Managed(fault)))
    assert isinstance(found, TokenUnavailable)
    assert (found.kind, found.at_last) == (LATER, LATER)
    assert "One: Not configured.; Managed: " in found.message
    assert str(fault) in found.message


def test_many_reasons_are_all_told() -> None:
    """However long each of them is, a status holds something of all."""
    ones = [type(f"Credential{number}", (One,), {})(absent("x" * 5000)) for number in range(9)]
    message = refusal(chain(*ones)).message
    assert all(f"Credential{number}: xxx" in message for number in range(9))
    assert len(message) <= 1000


UNFIT = ["half \ud800 a pair", "one\r\nERROR forged", "one\u2028ERROR forged", "\x1b[31mred", "x" * 100_000]


@pytest.mark.parametrize("text", UNFIT, ids=lambda text: ascii(text[:9]))
def test_a_credentials_reason_is_one_line(text: str) -> None:
    """What Entra wrote is told as far as a log line and a status can hold it."""
    message = refusal(chain(One(ClientAuthenticationError(text)))).message
    assert message.isprintable()
    assert len(message) <= 1000


def test_no_secret_is_in_a_reason() -> None:
    """Neither a token that is known nor what looks like one."""
    hide_token("a-token-seen-before")
    message = refusal(chain(One(ClientAuthenticationError("a-token-seen-before Bearer abc123 ?sig=s3cret")))).message
    assert not any(secret in message for secret in ("a-token-seen-before", "abc123", "s3cret"))


def test_an_identity_that_gave_a_token_may_give_one_again() -> None:
    """What was there a moment ago is away for now, though it looks as if it had never been there."""
    one = One(TOKEN)
    credential = chain(one)

    async def twice() -> None:
        await credential.get_token(SCOPE)
        one.gives = absent("No response from the endpoint.")
        with pytest.raises(TokenUnavailable, match="No response"):
            await credential.get_token(SCOPE)

    asyncio.run(twice())


def test_a_renewed_credential_has_forgotten_its_tokens() -> None:
    """The next token comes from a chain that is made anew; the old one is closed."""
    made: list[One] = []

    def make() -> ChainedTokenCredential:
        made.append(One(TOKEN))
        return ChainedTokenCredential(made[-1])

    async def scenario() -> None:
        credential = Credential(make)
        for _ in range(3):
            await credential.get_token(SCOPE)
        assert [one.closed for one in made] == [False]
        await credential.renew()
        await credential.get_token(SCOPE)
        assert [one.closed for one in made] == [True, False]

    asyncio.run(scenario())


@pytest.mark.parametrize("status", ["400 Bad Request", "404 Not Found"])
def test_an_endpoint_that_gives_no_token_is_no_missing_credential(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    """Managed identity's endpoint is there, as Azure Functions names it, and answers with a page."""

    async def scenario() -> None:
        endpoint = answering(status=status)
        async with endpoint.running():
            monkeypatch.setenv("IDENTITY_ENDPOINT", f"{endpoint.url}/token")
            monkeypatch.setenv("IDENTITY_HEADER", "x")
            credential = Credential()
            with pytest.raises(TokenUnavailable, match="ManagedIdentityCredential"):
                await credential.get_token(SCOPE)
            await credential.close()

    asyncio.run(scenario())


def run_together(*calls: Callable[[], Awaitable[Any]]) -> list[Any]:
    async def together() -> list[Any]:
        return list(await asyncio.gather(*(call() for call in calls)))

    return asyncio.run(together())


def test_callers_who_come_together_ask_one_after_the_other() -> None:
    """Whoever comes second finds the first one's token in the cache; reasons of one are not told to another."""
    asking: list[str] = []

    class Slow(One):
        async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
            asking.append(scopes[0])
            assert len(asking) == 1
            await asyncio.sleep(0)
            asking.remove(scopes[0])
            return TOKEN

    credential = chain(Slow(TOKEN))
    assert run_together(*[lambda: credential.get_token(SCOPE)] * 3) == [TOKEN] * 3
