"""How do blobs come from Azurite, so that a storage service can copy them itself?"""

import asyncio
import contextlib
from datetime import datetime

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import ContainerSasPermissions, ContentSettings, generate_container_sas
from azure.storage.blob.aio import BlobServiceClient, ContainerClient

from landing.hosts import AZURE_CLIENT
from local.emulator.data.exports import Blob, Export
from local.emulator.services.storage import Grant

_CONTAINER = "exports"


class AzuriteBlobs:
    """Puts the blobs of each export into a folder of an account's container `exports`, and grants real SAS tokens.

    Belongs to one event loop from its first use on; `close` it there. Any storage account will do that has a key.
    """

    def __init__(self, connection_string: str) -> None:
        self._account = BlobServiceClient.from_connection_string(connection_string, **AZURE_CLIENT)
        self._uploading = asyncio.Lock()
        self._uploaded: set[str] = set()

    async def grant(self, export: Export, expires: datetime, base_url: str) -> Grant:
        """Has the export's blobs readable until `expires`; uploads them the first time. `base_url` plays no part."""
        container = self._account.get_container_client(_CONTAINER)
        async with self._uploading:
            if export.folder not in self._uploaded:
                await _upload(container, export)
                self._uploaded.add(export.folder)
        return Grant(f"{container.url}/{export.folder}", self._token(expires))

    async def close(self) -> None:
        """Closes the connections."""
        await self._account.close()

    def _token(self, expires: datetime) -> str:
        key = self._account.credential
        return generate_container_sas(
            key.account_name,
            _CONTAINER,
            account_key=key.account_key,
            permission=ContainerSasPermissions(read=True, list=True),
            expiry=expires,
        )


async def _upload(container: ContainerClient, export: Export) -> None:
    with contextlib.suppress(ResourceExistsError):
        await container.create_container()
    await asyncio.gather(*(_put(container, f"{export.folder}/{name}", blob) for name, blob in export.blobs.items()))


async def _put(container: ContainerClient, name: str, blob: Blob) -> None:
    settings = ContentSettings(content_type="application/octet-stream", content_md5=bytearray(blob.md5))
    await container.upload_blob(name, blob.pieces(), length=blob.size, overwrite=True, content_settings=settings)
