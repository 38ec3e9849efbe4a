"""Bearer tokens for the partner billing API, as httpx authentication: sent to one origin and nowhere else."""

import base64
import binascii
import re
from collections.abc import AsyncGenerator
from typing import Any, Protocol

import httpx

from billing.origins import require_origin


class TokenSource(Protocol):
    """What gives tokens, and keeps each as long as it lasts."""

    async def get_token(self, *scopes: str, **options: Any) -> Any:
        """An access token for the scopes, its text as `token`.

        Raises:
            IdentityFailure: when there is none.
        """

    async def renew(self) -> None:
        """Has the next token be a new one."""


class StaticToken(httpx.Auth):
    """A fixed bearer token, for emulators."""

    def __init__(self, token: str, base_url: str) -> None:
        self._token = token
        self._base_url = base_url

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sends the request with the token.

        Raises:
            ForeignOrigin: when the request would leave the base URL's origin.
        """
        require_origin(str(request.url), self._base_url)
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class EntraToken(httpx.Auth):
    """Tokens of an Entra identity (azure-identity), whose credential caches and renews them.

    A 401 is answered once with a fresh token, with the claims that the service demanded, if it did (continuous
    access evaluation, https://learn.microsoft.com/entra/identity-platform/claims-challenge). After a 403 the next
    request has a fresh one: a token tells the roles that the identity had when it was made.
    """

    def __init__(self, credential: TokenSource, scope: str, base_url: str) -> None:
        self._credential = credential
        self._scope = scope
        self._base_url = base_url

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sends the request with a token, and once more with a fresh one after a 401.

        Raises:
            ForeignOrigin: when the request would leave the base URL's origin.
            IdentityFailure: when the identity gets no token.
        """
        require_origin(str(request.url), self._base_url)
        await self._authorize(request)
        response = yield request
        if response.status_code not in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            return
        claims = _demanded_claims(response)
        if not claims:
            await self._credential.renew()
        if response.status_code == httpx.codes.UNAUTHORIZED:
            await self._authorize(request, **({"claims": claims} if claims else {}))
            yield request

    async def _authorize(self, request: httpx.Request, **options: str) -> None:
        token = await self._credential.get_token(self._scope, **options)
        request.headers["Authorization"] = f"Bearer {token.token}"


def _demanded_claims(response: httpx.Response) -> str | None:
    """The claims of a `WWW-Authenticate: Bearer … claims="base64url"` challenge, decoded."""
    found = re.search(r'claims="([A-Za-z0-9+/_\-=]+)"', response.headers.get("WWW-Authenticate", ""))
    if not found:
        return None
    padded = found[1] + "=" * (-len(found[1]) % 4)
    try:
        return base64.urlsafe_b64decode(padded).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
