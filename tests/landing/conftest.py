"""Landing zones for tests: a local folder and an Azurite container, and a source that both copy from."""

import asyncio
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from landing.local_folder import LocalFolder
from landing.opening import open_zone
from landing.source import SourceReader
from landing.zone import LandingZone
from tests.landing.fake_source import FakeSource

Run = Callable[..., Any]


@pytest.fixture
def run() -> Iterator[Run]:
    """Runs coroutines, all of them on the test's one event loop."""
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture
def source() -> FakeSource:
    """Where blobs come from."""
    return FakeSource()


@pytest.fixture
def sources(run: Run, source: FakeSource) -> Iterator[SourceReader]:
    """A reader of that source."""
    http = httpx.AsyncClient(transport=source)
    yield SourceReader(http)
    run(http.aclose())


@pytest.fixture
def folder(run: Run, sources: SourceReader, tmp_path: Path) -> LocalFolder:
    """A landing zone in a local folder."""
    zone = LocalFolder(tmp_path / "landed here", sources)
    run(zone.prepare())
    return zone


@pytest.fixture
def container(run: Run, sources: SourceReader, azurite: Any) -> Iterator[LandingZone]:
    """A landing zone below a prefix of a new container in Azurite."""
    url = f"{azurite.landing_account_url}/test-{uuid.uuid4().hex}/pre%20fix/deeper"
    zone = open_zone(url, azurite.landing_connection_string, lambda: None, sources)
    run(zone.prepare())
    yield zone
    run(zone.close())


@pytest.fixture(params=["folder", "container"])
def zone(request: pytest.FixtureRequest) -> Any:
    """Each kind of landing zone in turn."""
    return request.getfixturevalue(request.param)
