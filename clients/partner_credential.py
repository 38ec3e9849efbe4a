"""Tokens for a partner's tenant that is not the app's own: an app registration's, for which the app's identity vouches.

Source: https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
"""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from clients.credential import TOKEN_SECONDS, told, too_late
from clients.redaction import hide_token
from failures import TokenUnavailable
from landing.hosts import AZURE_CLIENT

if TYPE_CHECKING:
    from billing.auth import TokenSource

EXCHANGE = "api://AzureADTokenExchange/.default"
"""What the identity's token must be for, so that Entra takes it as the app registration's secret."""

# Nobody can end a thread that waits: left to itself, azure-identity would ask a silent Entra for twenty minutes.
_IN_A_THREAD: Mapping[str, Any] = {"read_timeout": TOKEN_SECONDS, "retry_total": 1}


class PartnerCredential:
    """The app registration `client_id` in the tenant `tenant_id`.

    `identity` is the one that the app runs under; `options` are those of `ClientAssertionCredential`.
    """

    def __init__(self, tenant_id: str, client_id: str, identity: "TokenSource", **options: Any) -> None:
        self._tenant_id = tenant_id
        self._client_id = client_id
        self._identity = identity
        self._options = {**AZURE_CLIENT, **_IN_A_THREAD, **options}
        self._credential: Any = None

    async def get_token(self, *scopes: str, **options: Any) -> Any:
        """A token for the scopes, cached and renewed by azure-identity.

        Azure's asynchronous class would ask for the identity's token on the event loop, blocking it: this one works in
        a thread.

        Raises:
            NoToken: when the app's identity has no credential at all.
            TokenUnavailable: when the identity, or the registration, gets no token now.
        """
        from azure.core.exceptions import AzureError

        credential = self._credential = self._credential or self._made(asyncio.get_running_loop())
        try:
            async with asyncio.timeout(TOKEN_SECONDS):
                token = await asyncio.to_thread(credential.get_token, *scopes, **options)
        except TimeoutError:
            raise too_late("The app registration") from None
        except AzureError as fault:
            raise TokenUnavailable(f"The app registration gets no token now: {told(fault)}") from None
        hide_token(token.token)
        return token

    async def renew(self) -> None:
        """Has the next token be a new one."""
        self._credential = None
        await self._identity.renew()

    def _made(self, loop: asyncio.AbstractEventLoop) -> Any:
        from azure.identity import ClientAssertionCredential

        def vouched() -> str:
            asking: Any = asyncio.run_coroutine_threadsafe(self._identity.get_token(EXCHANGE), loop)
            token: str = asking.result().token
            return token

        return ClientAssertionCredential(self._tenant_id, self._client_id, vouched, **self._options)
