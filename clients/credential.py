"""Who is the app to Microsoft? The one credential of this process."""

from typing import Any

from clients.redaction import hide_token
from landing.hosts import AZURE_CLIENT


class Credential:
    """`DefaultAzureCredential`, made only if somebody asks it for a token: with fixed tokens and keys nobody does."""

    def __init__(self) -> None:
        self._credential: Any = None

    async def get_token(self, *scopes: str, **options: Any) -> Any:
        """A token of the identity that the app runs under, or of the signed-in user."""
        if self._credential is None:
            from azure.identity.aio import DefaultAzureCredential

            self._credential = DefaultAzureCredential(**AZURE_CLIENT)
        token = await self._credential.get_token(*scopes, **options)
        hide_token(token.token)
        return token

    async def close(self) -> None:
        """Closes its connections."""
        if self._credential is not None:
            await self._credential.close()
