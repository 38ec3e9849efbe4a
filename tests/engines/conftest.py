"""Two engines to run the same tests on: the local one and, where its program is named, Microsoft's extension."""

import json
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from azure.durable_functions.models.utils import http_utils

from local.azurite import running_host_storage
from local.engine import Versions
from local.functions import index
from local.host import DurableExtension
from local.running import PATIENCE, WITHOUT_TLS, beside
from tests.engines.engine import Engine, LocalEngine, MicrosoftEngine
from tests.engines.hub import Hub
from tests.engines.orchestrations import app

PROGRAM = os.environ.get("DURABLE_EXTENSION")
"""Set by `make test-extension`."""

START_SECONDS = 90
"""Seconds that an engine has to start on a busy machine."""


@pytest.fixture(scope="session", params=["local", "on-extension"] if PROGRAM else ["local"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """The engine that the test runs on."""
    if request.param == "local":
        return LocalEngine()
    return MicrosoftEngine(Path(PROGRAM or "").absolute(), request.getfixturevalue("host_storage"))


@pytest.fixture(scope="session")
def host_storage() -> Iterator[str]:
    """The connection string of the storage that the extension keeps its state in."""
    with running_host_storage() as connection_string:
        yield connection_string


@pytest.fixture(scope="module")
def versions() -> Versions:
    """What the hub's settings say of versions: nothing, unless a module does."""
    return Versions()


@pytest.fixture(scope="module")
def hub(engine: Engine, versions: Versions, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A task hub that a module's tests share, under ids of their own, with the functions of `orchestrations`.

    Tests of other rooms may come next: the SDK's client, one for the process, must not be in use any more.
    """
    extension = engine.extension(tmp_path_factory.mktemp("hub"), versions)
    with beside(_running(extension), START_SECONDS) as binding:
        base_url = json.loads(binding)["rpcBaseUrl"]
        with httpx.Client(base_url=base_url, timeout=PATIENCE, verify=WITHOUT_TLS) as http:
            yield Hub(http)


@asynccontextmanager
async def _running(extension: DurableExtension) -> AsyncIterator[str]:
    async with extension.running(index(app)) as binding:
        try:
            yield binding
        finally:
            # The SDK's client keeps its connections for ever, for whatever loop comes next.
            await http_utils._close_session()


@pytest.fixture
def id_() -> str:
    """An instance id that no other test has."""
    return f"one-{uuid.uuid4().hex[:12]}"
