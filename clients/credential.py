"""Who is the app to Microsoft? The one credential of this process."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from clients.redaction import hide_token, redacted
from failures import IdentityFailure, NoToken, TokenUnavailable
from failures.text import MOST_CHARACTERS, cleaned
from landing.hosts import AZURE_CLIENT

TOKEN_SECONDS = 60.0
"""Seconds after which a token that did not come is given up, also by who waited for others to get theirs."""


class Credential:
    """`DefaultAzureCredential`, made only if somebody asks it for a token: with fixed tokens and keys nobody does."""

    def __init__(self, make: Callable[[], Any] | None = None) -> None:
        self._make = make or _default_credential
        self._chain: Any = None
        self._asking = asyncio.Lock()
        self._refusals: list[tuple[str, Exception]] = []
        self._gave_one = False

    async def get_token(self, *scopes: str, **options: Any) -> Any:
        """A token of the identity that the app runs under, or of the signed-in user.

        Raises:
            NoToken: when there is no credential at all.
            TokenUnavailable: when one that is there gives no token now.
        """
        try:
            # One at a time: whoever comes later finds the token in the credential's cache.
            async with asyncio.timeout(TOKEN_SECONDS), self._asking:
                token = await self._asked(*scopes, **options)
        except TimeoutError:
            raise too_late("The app's identity") from None
        hide_token(token.token)
        return token

    async def _asked(self, *scopes: str, **options: Any) -> Any:
        from azure.core.exceptions import AzureError

        self._chain = self._chain or self._made()
        self._refusals.clear()
        try:
            token = await self._chain.get_token(*scopes, **options)
        except AzureError as fault:
            raise self._failure(fault) from None
        self._gave_one = True
        return token

    async def renew(self) -> None:
        """Has the next token be a new one: a credential's cache cannot be told to forget."""
        async with self._asking:
            await self._close()

    async def close(self) -> None:
        """Closes its connections."""
        await self._close()

    async def _close(self) -> None:
        closing, self._chain = self._chain, None
        if closing is not None:
            await closing.close()

    def _made(self) -> Any:
        chain = self._make()
        chain.credentials = tuple(_Witness(credential, self._refusals) for credential in chain.credentials)
        return chain

    def _failure(self, fault: Exception) -> IdentityFailure:
        refusals = self._refusals or [(type(fault).__name__, fault)]
        if not self._gave_one and all(_is_absent(reason) for _, reason in refusals):
            return NoToken(f"The app's identity gets no token. {_told(refusals)}")
        return TokenUnavailable(f"The app's identity gets no token now. {_told(refusals)}")


class _Witness:
    """A credential of the chain, which notes why it gave no token: the chain itself tells it as one text for all."""

    def __init__(self, credential: Any, refusals: list[tuple[str, Exception]]) -> None:
        self._credential = credential
        self._refusals = refusals
        self.close = credential.close

    async def get_token(self, *scopes: str, **options: Any) -> Any:
        try:
            return await self._credential.get_token(*scopes, **options)
        except Exception as fault:
            self._refusals.append((type(self._credential).__name__, fault))
            raise


def told(fault: Exception, most: int = MOST_CHARACTERS) -> str:
    """The reason that a credential gives, on one line, without secrets."""
    return cleaned(redacted(str(fault)), type(fault).__name__, most)


def too_late(who: str) -> TokenUnavailable:
    """The failure of whoever waited for a token in vain."""
    return TokenUnavailable(f"{who} got no token within {TOKEN_SECONDS:.0f} seconds.")


def _told(refusals: Sequence[tuple[str, Exception]]) -> str:
    """Every credential's own reason, each in its share of what a status holds."""
    share = (MOST_CHARACTERS - 100) // len(refusals)
    return "; ".join(f"{name}: {told(fault)}"[: share - len("; ")] for name, fault in refusals)


def _is_absent(fault: Exception) -> bool:
    """Whether there is no such credential here, rather than one whose endpoint gave an answer that is none."""
    from azure.identity import CredentialUnavailableError

    return isinstance(fault, CredentialUnavailableError) and fault.response is None


def _default_credential() -> Any:
    from azure.identity.aio import DefaultAzureCredential

    return DefaultAzureCredential(**AZURE_CLIENT)
