"""Two hosts, each with a state of its own, that export one invoice at the same moment into one landing zone."""

import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from azure.storage.blob import ContainerClient

from local.azurite import Azurite
from local.emulator import AzuriteBlobs, Emulator, EmulatorOptions
from local.running import beside, host, served, until
from tests.e2e.gates import QUICK, Gate

BLOBS = {f"part-{number:05d}.json.gz": bytes([number]) * 50_000 for number in range(12)}
BILLING = "/v1.0/reports/partners/billing"


class Starter:
    """Stands before an emulator and keeps two hosts in step: they begin to copy together, and to commit together."""

    def __init__(self, emulator: Emulator) -> None:
        copying = Gate(emulator.app, f"{BILLING}/operations/")
        copying.hold_after(0)
        # Each host has read the manifest once before, to plan.
        committing = Gate(copying, f"{BILLING}/manifests/")
        committing.hold_after(2)
        self.app = committing
        self._gates = copying, committing

    def start(self) -> None:
        """Lets the hosts go on, each time when both have come."""
        for gate in self._gates:
            _let_both_pass(gate)

    def open(self) -> None:
        """Holds nothing any more."""
        for gate in self._gates:
            gate.open()


def _let_both_pass(gate: Gate) -> None:
    until(lambda: len(gate.held) == 2, f"both hosts wait at {gate.path}")
    gate.open()


def test_in_a_folder_two_hosts_land_one_version(tmp_path: Path) -> None:
    """Both exports succeed with the same version; it is there once, whole, and the pointer names it."""
    landing = tmp_path / "landing"
    statuses = _export_twice(tmp_path, {"LANDING_URL": landing.as_uri()}, None)
    files = {path.relative_to(landing).as_posix(): path.read_bytes() for path in landing.rglob("*") if path.is_file()}
    _require_one_version(statuses, files)
    assert not [path for path in files if "/.unfinished-" in path]


def test_in_a_container_two_hosts_land_one_version(azurite: Azurite, tmp_path: Path) -> None:
    """The same holds where the storage service copies, and where marker and pointer are conditional writes."""
    container = f"landing-{uuid.uuid4().hex[:8]}"
    settings = {
        "LANDING_URL": f"{azurite.landing_account_url}/{container}",
        "LANDING_CONNECTION_STRING": azurite.landing_connection_string,
    }
    statuses = _export_twice(tmp_path, settings, azurite)
    _require_one_version(statuses, _landed(azurite, container))


def _export_twice(folder: Path, landing: dict[str, str], source: Azurite | None) -> list[dict[str, Any]]:
    """The statuses with which the exports of both hosts end."""
    for name in ("one", "other"):
        folder.joinpath(name).mkdir()
    with beside(_emulator(source)) as (starter, url):
        settings = QUICK | landing | {"GRAPH_BASE_URL": f"{url}/v1.0"}
        with host(settings, folder / "one") as one, host(settings, folder / "other") as other:
            locations = [app.post() for app in (one, other)]
            starter.start()
            return [app.ended(location) for app, location in zip((one, other), locations, strict=True)]


@asynccontextmanager
async def _emulator(source: Azurite | None) -> AsyncIterator[tuple[Starter, str]]:
    """An emulator with a starter before it, and its base URL; its blobs lie in the Azurite, where there is one."""
    blobs = AzuriteBlobs(source.source_connection_string) if source else None
    emulator = Emulator(EmulatorOptions(running_polls=0, linked_manifest=True), blobs=blobs)
    emulator.use_data("G016907411", BLOBS, e_tag=uuid.uuid4().hex)
    starter = Starter(emulator)
    async with served(starter.app) as url:
        yield starter, url
        starter.open()
    if blobs:
        await blobs.close()


def _landed(azurite: Azurite, container: str) -> dict[str, bytes]:
    with ContainerClient.from_connection_string(azurite.landing_connection_string, container) as client:
        return {blob.name: client.download_blob(blob.name).readall() for blob in client.list_blobs()}


def _require_one_version(statuses: list[dict[str, Any]], landed: dict[str, bytes]) -> None:
    assert [(status["state"], status["error"]) for status in statuses] == [("succeeded", None)] * 2
    one, other = (status["result"] for status in statuses)
    assert one == other
    assert not one["unchanged"]
    (pointer,) = (path for path in landed if path.endswith("/_latest.json"))
    assert json.loads(landed[pointer])["version"] == one["version"]
    folder = pointer.removesuffix("_latest.json")
    assert {path.removeprefix(folder).split("/")[0] for path in landed} - {".lock", "_rights"} == {
        "_latest.json",
        f"version={one['version']}",
    }
    version = f"{folder}version={one['version']}/"
    kept = {path.removeprefix(version): content for path, content in landed.items() if path.startswith(version)}
    assert {name: content for name, content in kept.items() if not name.startswith("_")} == BLOBS
    assert kept["_SUCCESS"] == b""
    assert json.loads(kept["_manifest.json"])["blobCount"] == len(BLOBS)
