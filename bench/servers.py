"""The servers that a copy needs: Azurite with two accounts, and the manifest as Microsoft would serve it."""

import hashlib
import os
import random
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from azure.storage.blob import ContainerClient, ContentSettings, generate_container_sas
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bench.tools import ToolMissing
from bench.work import Container, Source
from local import azurite
from local.serving import listen, serving, url_of

TOKEN = "bench-token"  # noqa: S105 - of a server on loopback, for as long as it runs
SAS_LIFE = timedelta(hours=12)

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Azurite(azurite.Azurite):
    """A running Azurite, which can be filled and timed."""

    def cpu_seconds(self) -> float:
        """The CPU time that the process has used so far, in all its threads."""
        # The name in parentheses may hold anything; the fields after it are numbered from the third on.
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def filled(self, folder: str, count: int, length: int) -> Source:
        """A source of so many blobs of `length` bytes, uploaded one after the other."""
        container = f"exports-{uuid.uuid4().hex[:8]}"
        with ContainerClient.from_connection_string(self.source_connection_string, container) as client:
            client.create_container()
            names = [f"part-{index:05d}.json.gz" for index in range(count)]
            md5s = {name: _upload(client, f"{folder}/{name}", length) for name in names}
        sas = self._sas("source", container, "rl")
        return Source(f"{self.source_account_url}/{container}/{folder}", sas, md5s, count * length)

    @contextmanager
    def fresh_container(self) -> Iterator[Container]:
        """A new container of the account `landing`; it is deleted at the end."""
        name = f"landing-{uuid.uuid4().hex[:8]}"
        connection_string = self.landing_connection_string
        with ContainerClient.from_connection_string(connection_string, name) as client:
            client.create_container()
            try:
                sas = self._sas("landing", name, "racwdl")
                yield Container(f"{self.landing_account_url}/{name}", sas, connection_string)
            finally:
                client.delete_container()

    @staticmethod
    def _sas(account: str, container: str, permission: str) -> str:
        expiry = datetime.now(UTC) + SAS_LIFE
        return generate_container_sas(account, container, account_key=azurite.KEY, permission=permission, expiry=expiry)


def _upload(client: ContainerClient, path: str, length: int) -> str:
    content = random.Random(path).randbytes(length)
    md5 = hashlib.md5(content, usedforsecurity=False)
    client.upload_blob(path, content, content_settings=ContentSettings(content_md5=bytearray(md5.digest())))
    return md5.hexdigest()


@contextmanager
def running_azurite() -> Iterator[Azurite]:
    """Azurite on a free port, its data in memory.

    Raises:
        ToolMissing: when it is not installed.
    """
    if not azurite.PROGRAM.exists():
        raise ToolMissing("Azurite is missing: `make bench` installs it into node_modules (Node is needed).")
    with azurite.running_azurite("--inMemoryPersistence") as running:
        yield Azurite(running.port, running.pid)


@asynccontextmanager
async def serving_manifest(source: Source) -> AsyncIterator[tuple[str, str]]:
    """Serves the manifest of these blobs; the API's base URL, and the manifest's."""
    body = {
        "@odata.type": "#microsoft.graph.partners.billing.manifest",
        "eTag": uuid.uuid4().hex,
        "partnerTenantId": str(uuid.UUID(int=0)),
        "createdDateTime": "2026-10-09T06:12:53Z",
        "rootDirectory": source.url,
        "sasToken": source.sas,
        "blobCount": len(source.md5s),
        "blobs": [{"name": name, "partitionValue": "default"} for name in source.md5s],
    }

    async def manifest(request: Request) -> JSONResponse:
        return JSONResponse(body)

    bound = listen()
    base_url = f"{url_of(bound)}/v1.0"
    async with serving(Starlette(routes=[Route("/v1.0/manifest", manifest)]), [bound]):
        yield base_url, f"{base_url}/manifest"
