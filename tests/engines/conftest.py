"""Two engines to run the same tests on: the local one and, where its program is named, Microsoft's extension."""

import json
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Literal

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


def _while_no_others_run(fixture_name: str, config: pytest.Config) -> Literal["session", "module"]:
    """The SDK's client, one for the process, must not be in use any more when another room's tests come next."""
    return "session" if PROGRAM else "module"


@pytest.fixture(scope=_while_no_others_run)
def hub(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A task hub that many tests share, under ids of their own, with the functions of `orchestrations`."""
    with opened(engine.extension(tmp_path_factory.mktemp("hub"), Versions())) as hub:
        yield hub


@contextmanager
def opened(extension: DurableExtension) -> Iterator[Hub]:
    """The extension's hub, while the context is open."""
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
