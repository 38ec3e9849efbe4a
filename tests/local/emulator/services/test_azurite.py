"""Blobs in Azurite instead of the emulator's own memory."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote

import httpx
import pytest

from local.emulator import AzuriteBlobs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.local.emulator.conftest import Call, Caller


@pytest.fixture
def caller(call: Call, azurite: Any) -> Iterator[Caller]:
    """A caller of an emulator whose blobs lie in Azurite, with Azurite's clock."""
    storage = AzuriteBlobs(azurite.source_connection_string)
    caller = call(storage=storage, running_polls=0)
    caller.clock.moment = datetime.now(UTC)
    yield caller
    caller.run(storage.close())


def read(manifest: Any, name: str) -> httpx.Response:
    """What Azurite answers for a blob of the manifest."""
    return httpx.get(f"{manifest['rootDirectory']}/{quote(name)}?{manifest['sasToken']}")


def test_blobs_lie_in_azurite(caller: Caller, azurite: Any) -> None:
    """The manifest leads to the account of the connection string, where each blob is whole and has its MD5."""
    contents = {"sub/part 1.json.gz": b"one", "100%.json.gz": b"two", "none.json.gz": b""}
    caller.emulator.use_data("G016907411", contents, e_tag="tag")
    manifest = caller.manifest()
    endpoint = dict(part.split("=", 1) for part in azurite.source_connection_string.strip(";").split(";"))[
        "BlobEndpoint"
    ]
    assert manifest["rootDirectory"].startswith(endpoint.rstrip("/") + "/exports/")
    for name, content in contents.items():
        response = read(manifest, name)
        assert response.content == content
        assert response.headers["Content-MD5"] == base64.b64encode(hashlib.md5(content).digest()).decode()


def test_generated_data_lies_there_too(caller: Caller) -> None:
    """Generated blobs have the sizes that the manifest tells, before and after a restatement."""
    manifests = [caller.manifest()]
    caller.emulator.restate("G016907411", 1)
    manifests.append(caller.manifest())
    for manifest in manifests:
        sizes = [len(read(manifest, blob["name"]).content) for blob in manifest["blobs"]]
        assert sizes == [blob["sizeInBytes"] for blob in manifest["blobs"]]


def test_blobs_are_uploaded_once(caller: Caller) -> None:
    """Reading the manifest again gives a fresh token, and leaves the blobs as they are."""
    first, again = caller.manifest(), caller.manifest()
    name = first["blobs"][0]["name"]
    assert first["rootDirectory"] == again["rootDirectory"]
    assert read(first, name).headers["ETag"] == read(again, name).headers["ETag"]


def test_the_token_is_azures_own(caller: Caller) -> None:
    """The SAS token reads and lists until it expires, and its signature is remembered."""
    manifest = caller.manifest()
    token = {name: values[0] for name, values in parse_qs(manifest["sasToken"]).items()}
    assert (token["sr"], token["sp"]) == ("c", "rl")
    assert token["sig"] in caller.emulator.signatures
    caller.clock.move(-7200)
    expired = caller.manifest()
    assert read(expired, expired["blobs"][0]["name"]).status_code == 403
