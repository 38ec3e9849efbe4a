"""Tokens for a partner's tenant that is not the app's own: an app registration's, for which the app's identity vouches.

Source: https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
"""

import asyncio
import functools
from typing import Any

from clients.redaction import hide_token
from landing.hosts import AZURE_CLIENT

EXCHANGE = "api://AzureADTokenExchange/.default"
"""What the identity's token must be for, so that Entra takes it as the app registration's secret."""


class PartnerCredential:
    """The app registration `client_id` in the tenant `tenant_id`.

    `identity` is a blocking credential of azure-identity, by default of the identity that the app runs under;
    `options` are those of `ClientAssertionCredential`.
    """

    def __init__(self, tenant_id: str, client_id: str, identity: Any = None, **options: Any) -> None:
        self._tenant_id = tenant_id
        self._client_id = client_id
        self._identity = identity
        self._options = {**AZURE_CLIENT, **options}

    async def get_token(self, *scopes: str, **options: Any) -> Any:
        """A token for the scopes, cached and renewed by azure-identity.

        Azure's asynchronous class would ask the identity on the event loop, blocking it: this one works in a thread.
        """
        token = await asyncio.to_thread(lambda: self._credential.get_token(*scopes, **options))
        hide_token(token.token)
        return token

    @functools.cached_property
    def _credential(self) -> Any:
        from azure.identity import ClientAssertionCredential, DefaultAzureCredential

        identity = self._identity or DefaultAzureCredential(**AZURE_CLIENT)
        return ClientAssertionCredential(
            self._tenant_id, self._client_id, lambda: _assertion(identity), **self._options
        )


def _assertion(identity: Any) -> str:
    token: str = identity.get_token(EXCHANGE).token
    hide_token(token)
    return token
