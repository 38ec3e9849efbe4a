"""Tokens for a partner's tenant, from Entra as azure-identity asks it."""

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import HttpTransport

from clients.making import partner_credential
from clients.partner_credential import PartnerCredential
from failures import IdentityFailure, NoToken, TokenUnavailable
from settings import Settings

TENANT = "0e195b37-4574-4539-bc42-0f6f2b1c7f0a"
CLIENT = "5f2f6fd4-5fc7-4bb3-9b27-9f1b6fb2c4de"
SCOPE = "https://graph.microsoft.com/.default"


class Identity:
    """The identity that the app runs under: remembers what it was asked for. With `fault` it has no token."""

    def __init__(self, fault: IdentityFailure | None = None) -> None:
        self.asked: list[str] = []
        self.renewed = 0
        self._fault = fault

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        self.asked += scopes
        if self._fault:
            raise self._fault
        return AccessToken("vouched", 2**31)

    async def renew(self) -> None:
        self.renewed += 1


class Reply:
    """What Entra answers, with what azure-core reads of an answer."""

    reason = ""
    content_type = "application/json"

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.status_code = status
        self.headers = {"Content-Type": self.content_type}
        self._text = json.dumps(body)

    def text(self, encoding: str | None = None) -> str:
        return self._text

    def body(self) -> bytes:
        return self._text.encode()


class Entra(HttpTransport[Any, Any]):
    """Takes token requests in place of the network."""

    def __init__(self, reply: Reply) -> None:
        self.requests: list[Any] = []
        self._reply = reply

    def send(self, request: Any, **options: Any) -> Any:
        self.requests.append(request)
        return self._reply

    def open(self) -> None: ...

    def close(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def _token(identity: Identity, entra: Entra, *, times: int = 1) -> Any:
    async def ask() -> Any:
        credential = PartnerCredential(TENANT, CLIENT, identity, transport=entra)
        for _ in range(times):
            token = await credential.get_token(SCOPE)
        return token

    return asyncio.run(ask())


def test_the_identity_vouches_for_the_app_registration_in_the_partners_tenant() -> None:
    """Entra is asked at the partner's tenant, for the registration, with the identity's token as its secret."""
    identity = Identity()
    entra = Entra(Reply(200, {"access_token": "t0ken", "expires_in": 3600, "token_type": "Bearer"}))
    assert _token(identity, entra).token == "t0ken"
    (request,) = entra.requests
    assert urlsplit(request.url).path == f"/{TENANT}/oauth2/v2.0/token"
    assert (request.data["client_id"], request.data["scope"]) == (CLIENT, SCOPE)
    assert request.data["client_assertion"] == "vouched"
    assert identity.asked == ["api://AzureADTokenExchange/.default"]


def test_a_token_is_used_as_long_as_it_lasts() -> None:
    """Neither Entra nor the identity is asked again for each call."""
    identity = Identity()
    entra = Entra(Reply(200, {"access_token": "t0ken", "expires_in": 3600, "token_type": "Bearer"}))
    _token(identity, entra, times=3)
    assert (len(entra.requests), len(identity.asked)) == (1, 1)


def test_a_registration_that_gets_no_token_may_get_one_later() -> None:
    """Consent takes a while to be known everywhere; Entra's own reason is told, without secrets."""
    entra = Entra(Reply(400, {"error": "x", "error_description": "AADSTS700016: not found ?sig=s3cret\r\nTrace ID"}))
    with pytest.raises(TokenUnavailable, match="AADSTS700016") as caught:
        _token(Identity(), entra)
    assert "s3cret" not in caught.value.message
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("fault", [NoToken("No credential."), TokenUnavailable("Away.")])
def test_an_identity_without_token_cannot_vouch(fault: IdentityFailure) -> None:
    """What keeps the identity from its token is told as that."""
    entra = Entra(Reply(200, {}))
    with pytest.raises(IdentityFailure) as caught:
        _token(Identity(fault), entra)
    assert caught.value is fault
    assert entra.requests == []


def test_a_renewed_credential_asks_entra_and_the_identity_anew() -> None:
    """Of neither an old token is used."""
    identity = Identity()
    entra = Entra(Reply(200, {"access_token": "t0ken", "expires_in": 3600, "token_type": "Bearer"}))

    async def ask() -> None:
        credential = PartnerCredential(TENANT, CLIENT, identity, transport=entra)
        await credential.get_token(SCOPE)
        await credential.renew()
        await credential.get_token(SCOPE)

    asyncio.run(ask())
    assert (len(entra.requests), identity.renewed) == (2, 1)


def test_the_app_registration_is_used_where_a_partners_tenant_is_given() -> None:
    """Else the identity itself calls Microsoft's APIs."""

    class Own:
        async def get_token(self, *scopes: str, **options: Any) -> Any: ...

        async def renew(self) -> None: ...

    own = Own()
    landing = {"LANDING_URL": "file:///landed"}
    partner = {"GRAPH_TENANT_ID": TENANT, "GRAPH_CLIENT_ID": CLIENT}
    assert partner_credential(Settings.from_mapping(landing), own) is own
    assert isinstance(partner_credential(Settings.from_mapping(landing | partner), own), PartnerCredential)
