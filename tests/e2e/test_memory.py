"""A blob of 1 GiB passes through the host process: how much memory does that take?"""

import hashlib
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import ContainerClient

from local.azurite import Azurite, running_azurite
from local.running import beside, host, served
from tests.e2e.gates import QUICK
from tests.e2e.great_source import MIB, NAME, GreatSource, parts

GREAT, SMALL = "G000000001", "G000000002"
LENGTHS = {GREAT: 1024 * MIB, SMALL: 8 * MIB}
MOST_GROWTH = 64 * MIB
SECONDS = 300.0
"""How long the great export may take on a machine that is busy."""

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="The peak of a process's memory is read from /proc."),
    pytest.mark.timeout(SECONDS + 60),
]


def test_a_gibibyte_lands_in_a_folder_in_little_memory(tmp_path: Path) -> None:
    """A blob of 1 GiB lands whole, and the process's peak of memory grows by less than 64 MiB over a small export's."""
    landing = tmp_path / "landing"
    source = GreatSource(LENGTHS)
    with _removed(landing):
        _export(source, {"LANDING_URL": landing.as_uri()}, tmp_path)
        (landed,) = landing.rglob(f"invoice_id={GREAT}/*/version=*/{NAME}")
        assert landed.stat().st_size == LENGTHS[GREAT]
        with landed.open("rb") as file:
            assert hashlib.file_digest(file, "md5").hexdigest() == source.md5(GREAT)


def test_a_gibibyte_lands_in_a_container_in_little_memory(tmp_path: Path) -> None:
    """The same holds where the storage service cannot reach the source, and the blob is streamed to it in blocks."""
    source = GreatSource(LENGTHS)
    kept = tmp_path / "azurite"
    # A gigabyte is for the disk, not for the memory of the Azurite that all tests share.
    with _removed(kept), running_azurite("--location", str(kept)) as azurite:
        settings = {
            "LANDING_URL": f"{azurite.landing_account_url}/landing",
            "LANDING_CONNECTION_STRING": azurite.landing_connection_string,
        }
        _export(source, settings, tmp_path)
        _require_blob(azurite)


def _require_blob(azurite: Azurite) -> None:
    """The great blob has its length, and its bytes at the beginning, over the borders of blocks, and at the end."""
    end = LENGTHS[GREAT]
    with ContainerClient.from_connection_string(azurite.landing_connection_string, "landing") as container:
        (landed,) = (
            blob for blob in container.list_blobs() if f"/invoice_id={GREAT}/" in blob.name and blob.name.endswith(NAME)
        )
        assert landed.size == end
        for offsets in (range(MIB), range(512 * MIB - 5, 513 * MIB + 5), range(end - MIB, end)):
            read = container.download_blob(landed.name, offsets.start, len(offsets)).readall()
            assert read == b"".join(parts(offsets))


def _export(source: GreatSource, landing: dict[str, str], folder: Path) -> None:
    """Exports a small blob and then the great one on one host, whose peak of memory must stay about the same."""
    with beside(served(source.app)) as url:
        settings = QUICK | landing | {"GRAPH_BASE_URL": f"{url}/v1.0"}
        with host(settings, folder, log_level="warning") as app:
            _require_success(app.ended(app.post(SMALL)), SMALL)
            before = app.peak_memory()
            _require_success(app.ended(app.post(GREAT), SECONDS), GREAT)
            grown = app.peak_memory() - before
    assert grown < MOST_GROWTH
    assert source.served == sum(LENGTHS.values())


def _require_success(status: dict[str, Any], invoice: str) -> None:
    assert status["state"] == "succeeded", status["error"]
    assert status["result"]["bytes"] == LENGTHS[invoice]


@contextmanager
def _removed(folder: Path) -> Iterator[None]:
    """Leaves nothing of the folder behind."""
    folder.mkdir()
    try:
        yield
    finally:
        shutil.rmtree(folder)
