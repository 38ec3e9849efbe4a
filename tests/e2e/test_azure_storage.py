"""An export from Azure Storage to Azure Storage (Azurite): the service copies, the function process moves no bytes."""

import hashlib
import random
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from azure.storage.blob import ContainerClient

from local.azurite import Azurite
from local.emulator import AzuriteBlobs, Emulator, EmulatorOptions
from local.running import beside, host, served
from tests.e2e.gates import QUICK, Relay

MIB = 1 << 20


@asynccontextmanager
async def _emulator_on(connection_string: str) -> AsyncIterator[tuple[Emulator, str]]:
    blobs = AzuriteBlobs(connection_string)
    emulator = Emulator(EmulatorOptions(running_polls=0), blobs=blobs)
    async with served(emulator.app) as url:
        yield emulator, url
        await blobs.close()


@pytest.mark.timeout(180)
def test_a_hundred_blobs_land_without_their_bytes_passing_the_process(azurite: Azurite, tmp_path: Path) -> None:
    """100 blobs of 1 MiB land with the same MD5 on both sides; what the process sends and gets is under 2% of them."""
    source = random.Random("a hundred blobs")
    blobs = {f"part-{i:05d}.json.gz": source.randbytes(MIB) for i in range(100)}
    container = f"landing-{uuid.uuid4().hex[:8]}"
    # To check the SAS token, Azurite itself reads each source by its URL, over a connection of its own.
    relay = Relay(azurite.port, uncounted=b"axios/")
    with beside(relay.running()) as port:
        seen = Azurite(port)
        settings = QUICK | {
            "LANDING_URL": f"{seen.landing_account_url}/{container}/usage",
            "LANDING_CONNECTION_STRING": seen.landing_connection_string,
            "COPY_BATCH_SIZE": "10",
        }
        with beside(_emulator_on(seen.source_connection_string)) as (emulator, url):
            emulator.use_data("G016907411", blobs, e_tag="first")
            _let_emulator_upload(url)
            relay.passed = 0
            with host(settings | {"GRAPH_BASE_URL": f"{url}/v1.0"}, tmp_path) as app:
                first = app.export()
                passed = relay.passed
                again = app.export()
    assert first["state"] == "succeeded", first["error"]
    assert again["result"]["unchanged"]
    assert 0 < passed < 2 * MIB
    landed = _landed(azurite, container)
    version = first["result"]["location"].split(f"{container}/")[1]
    assert {path: md5 for path, md5 in landed.items() if path.endswith(".json.gz")} == {
        f"{version}{name}": hashlib.md5(content).hexdigest() for name, content in blobs.items()
    }
    assert f"{version}_SUCCESS" in landed
    assert sum(path.endswith("/_latest.json") for path in landed) == 1


def _let_emulator_upload(url: str) -> None:
    """The emulator puts its blobs into the source account when an operation is first read as succeeded."""
    headers = {"Authorization": "Bearer emulator-token"}
    with httpx.Client(headers=headers, timeout=60) as http:
        path = "/v1.0/reports/partners/billing/usage/billed/export"
        started = http.post(url + path, json={"invoiceId": "G016907411"})
        assert http.get(started.headers["Location"]).json()["status"] == "succeeded"


def _landed(azurite: Azurite, container: str) -> dict[str, str | None]:
    with ContainerClient.from_connection_string(azurite.landing_connection_string, container) as client:
        return {
            blob.name: bytes(blob.content_settings.content_md5).hex() if blob.content_settings.content_md5 else None
            for blob in client.list_blobs()
        }
