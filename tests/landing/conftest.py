"""Landing zones for tests: a local folder and an Azurite container, and a source that both copy from."""

import asyncio
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from landing.source import Open, Source, SourceReader
from landing.zones.local_folder import LocalFolder
from landing.zones.opening import open_zone
from landing.zones.protocol import LandingZone
from tests.landing.fake_source import FakeSource
from tests.source_transport import HttpxSource

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


class Remembering(SourceReader):
    """A reader that describes the blobs in `told` (by their URLs) as they were, and reads them as they are."""

    def __init__(self, opening: Open, threads: Executor) -> None:
        super().__init__(opening, threads)
        self.told: dict[str, Source] = {}

    def tell(self, source: Source) -> str:
        """From now on the blob is described like this: its URL."""
        self.told[source.url] = source
        return source.url

    async def describe(self, url: str) -> Source:
        return self.told.get(url) or await super().describe(url)


@pytest.fixture
def sources(run: Run, source: FakeSource) -> Iterator[Remembering]:
    """A reader of that source."""
    reader = Remembering(HttpxSource(source).open, ThreadPoolExecutor(4))
    yield reader
    run(reader.close())


@pytest.fixture
def folder(run: Run, sources: SourceReader, tmp_path: Path) -> Iterator[LocalFolder]:
    """A landing zone in a local folder."""
    zone = LocalFolder(tmp_path / "landed here", sources)
    run(zone.prepare())
    yield zone
    run(zone.close())


@pytest.fixture
def container(run: Run, sources: SourceReader, azurite: Any) -> Iterator[LandingZone]:
    """A landing zone below a prefix of a new container in Azurite."""
    url = f"{azurite.landing_account_url}/test-{uuid.uuid4().hex}/pre%20fix/deeper"
    zone = open_zone(url, azurite.landing_connection_string, lambda: None, sources)
    run(zone.prepare())
    yield zone
    run(zone.close())


@pytest.fixture(params=["folder", pytest.param("container", marks=pytest.mark.azurite)])
def zone(request: pytest.FixtureRequest) -> Any:
    """Each kind of landing zone in turn."""
    return request.getfixturevalue(request.param)
