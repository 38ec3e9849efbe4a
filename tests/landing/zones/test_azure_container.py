"""A landing zone in Azure Blob Storage, on Azurite: pulled from another account under a real SAS, or streamed."""

import asyncio
import hashlib
import ssl
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from azure.storage.blob import ContainerSasPermissions, ContentSettings, generate_container_sas
from azure.storage.blob.aio import ContainerClient

from failures import SourceChanged, SourceExpired, SourceMissing, SourceUnavailable
from landing.connections import Connections
from landing.copying import Copier
from landing.source import Source, SourceReader
from landing.zones.azure_container import AzureContainer
from landing.zones.azure_copying import STREAMED_BLOCK
from landing.zones.opening import open_zone
from landing.zones.protocol import AlreadyThere, LandingZone, OutOfTime
from tests.landing.conftest import Remembering, Run
from tests.landing.fake_source import FakeSource

NAME = "sub folder/part 1+é%.gz"
CONTENT = bytes(range(256)) * 20_000
MIB = 1 << 20


def never() -> bool:
    return False


@dataclass(frozen=True)
class Account:
    """A container in another storage account, as Microsoft's is to the partner's."""

    client: ContainerClient
    azurite: Any

    def sas(self, lifetime: timedelta) -> str:
        """A real SAS token that reads and lists the container."""
        now = datetime.now(UTC)
        account = dict(part.split("=", 1) for part in self.azurite.source_connection_string.strip(";").split(";"))
        return generate_container_sas(
            account["AccountName"],
            self.client.container_name,
            account_key=account["AccountKey"],
            permission=ContainerSasPermissions(read=True, list=True),
            start=now - timedelta(hours=2),
            expiry=now + lifetime,
        )

    def url(self, name: str, lifetime: timedelta = timedelta(hours=1)) -> str:
        return f"{self.client.url}/{quote(name)}?{self.sas(lifetime)}"

    async def put(self, name: str, content: bytes) -> None:
        settings = ContentSettings(content_md5=bytearray(hashlib.md5(content, usedforsecurity=False).digest()))
        await self.client.upload_blob(name, content, overwrite=True, content_settings=settings)


@pytest.fixture
def account(run: Run, azurite: Any) -> Iterator[Account]:
    """The other account."""
    name = f"test-{uuid.uuid4().hex}"
    client = ContainerClient.from_connection_string(
        azurite.source_connection_string, name, max_single_put_size=MIB, max_block_size=MIB
    )
    run(client.create_container())
    yield Account(client, azurite)
    run(client.close())


@pytest.fixture
def reader(run: Run) -> Iterator[SourceReader]:
    """Reads real URLs."""
    connections = Connections(ssl.create_default_context(), connect_seconds=5.0, read_seconds=30.0)
    reader = SourceReader(connections.open, ThreadPoolExecutor(4))
    yield reader
    run(reader.close())
    run(connections.close())


@pytest.fixture
def pulling(run: Run, azurite: Any, reader: SourceReader) -> Iterator[LandingZone]:
    """A landing zone that reads real URLs where it has to."""
    url = f"{azurite.landing_account_url}/test-{uuid.uuid4().hex}"
    zone = open_zone(url, azurite.landing_connection_string, lambda: None, reader)
    run(zone.prepare())
    yield zone
    run(zone.close())


@pytest.mark.parametrize("content", [b"", b"small", CONTENT], ids=["empty", "small", "5 MB"])
def test_pulled(run: Run, pulling: LandingZone, account: Account, reader: SourceReader, content: bytes) -> None:
    """A blob of another account lands whole, under its name, with the MD5 that it has there."""
    run(account.put(NAME, content))
    copied = run(Copier(pulling, reader, never).copy(account.url(NAME), f"v=1/{NAME}"))
    assert run(pulling.read(f"v=1/{NAME}")).content == content
    found = run(pulling.find(f"v=1/{NAME}"))
    assert found.md5 == copied.source.md5 == hashlib.md5(content, usedforsecurity=False).hexdigest()
    assert run(Copier(pulling, reader, never).copy(account.url(NAME), f"v=1/{NAME}")).md5 == found.md5
    assert run(pulling.find(f"v=1/{NAME}")) == found


def test_pulling_moves_no_byte_through_here(
    run: Run, container: LandingZone, account: Account, reader: SourceReader, sources: Remembering, source: FakeSource
) -> None:
    """Where the service can reach the source, this process reads nothing."""
    run(account.put(NAME, CONTENT))
    url = sources.tell(run(reader.describe(account.url(NAME))))
    run(container.copy(url, "v=1/x", out_of_time=never))
    assert source.requests == []
    assert run(container.find("v=1/x")).length == len(CONTENT)


@dataclass(frozen=True)
class Pulled:
    """A blob as it was described, and the account that it is in."""

    source: Source
    account: Account


@pytest.fixture
def pulled(run: Run, account: Account, reader: SourceReader, sources: Remembering) -> Pulled:
    run(account.put(NAME, b"content"))
    described = run(reader.describe(account.url(NAME)))
    sources.tell(described)
    return Pulled(described, account)


def fails(run: Run, container: LandingZone, kind: type[Exception], url: str) -> None:
    """The copy fails in this way, says no secret, and nothing lands."""
    with pytest.raises(kind) as caught:
        run(container.copy(url, "v=1/x", out_of_time=never))
    assert type(caught.value) is kind
    assert "sig=" not in repr(caught.value)
    assert run(container.find("v=1/x")) is None


def test_an_expired_token(
    run: Run, container: LandingZone, pulled: Pulled, reader: SourceReader, sources: Remembering
) -> None:
    """A SAS token that has run out is told as such, by the service that pulls and by the reader."""
    expired = pulled.account.url(NAME, timedelta(hours=-1))
    fails(run, container, SourceExpired, sources.tell(replace(pulled.source, url=expired)))
    with pytest.raises(SourceExpired):
        run(reader.describe(expired))


def test_a_missing_blob(
    run: Run,
    container: LandingZone,
    pulled: Pulled,
    reader: SourceReader,
    sources: Remembering,
    source: FakeSource,
) -> None:
    """A blob that the manifest names and the source does not have is told as such."""
    source.faults.append(httpx.Response(404))
    missing = pulled.account.url("missing.gz")
    fails(run, container, SourceMissing, sources.tell(replace(pulled.source, url=missing)))
    with pytest.raises(SourceMissing):
        run(reader.describe(missing))


def test_a_renewed_blob(run: Run, container: LandingZone, pulled: Pulled) -> None:
    """A blob that was renewed after it was described is not taken for it."""
    run(pulled.account.put(NAME, b"renewed"))
    # Azurite has one code for the conditions of source and target; Azure's own stand in test_azure_errors.py.
    with pytest.raises((SourceChanged, AlreadyThere)):
        run(container.copy(pulled.source.url, "v=1/x", out_of_time=never))
    assert run(container.find("v=1/x")) is None


def test_a_pull_does_not_overwrite(run: Run, container: LandingZone, pulled: Pulled) -> None:
    """What stands at the target is replaced only when it was found there, and still is that."""
    run(container.write("v=1/x", b"there before"))
    with pytest.raises(AlreadyThere):
        run(container.copy(pulled.source.url, "v=1/x", out_of_time=never))
    found = run(container.find("v=1/x"))
    run(container.write("v=1/x", b"put there meanwhile"))
    with pytest.raises(AlreadyThere):
        run(container.copy(pulled.source.url, "v=1/x", replacing=found.tag, out_of_time=never))
    assert run(container.read("v=1/x")).content == b"put there meanwhile"
    found = run(container.find("v=1/x"))
    run(container.copy(pulled.source.url, "v=1/x", replacing=found.tag, out_of_time=never))
    assert run(container.read("v=1/x")).content == b"content"


def test_two_pulls_at_once(run: Run, container: LandingZone, pulled: Pulled, reader: SourceReader) -> None:
    """Two that pull one blob at the same time both succeed."""

    async def race() -> list[Any]:
        return await asyncio.gather(
            *(Copier(container, reader, never).copy(pulled.source.url, "v=1/x") for _ in range(4))
        )

    assert len({(copied.source, copied.md5) for copied in run(race())}) == 1
    assert run(container.read("v=1/x")).content == b"content"


STREAMED = bytes(range(256)) * (5 * STREAMED_BLOCK // 256) + b"end"
RANGES = [
    f"bytes={start}-{min(start + STREAMED_BLOCK, len(STREAMED)) - 1}"
    for start in range(0, len(STREAMED), STREAMED_BLOCK)
]


def after(blocks: int) -> Callable[[], bool]:
    """Time that runs out when so many blocks have been staged."""
    asked = iter([False] * (blocks - 1))
    return lambda: next(asked, True)


def test_streaming_goes_on(run: Run, container: LandingZone, source: FakeSource) -> None:
    """A large blob that is streamed goes on in the next slice; what was staged is read again, for its hash."""
    described = source.put("x", STREAMED)
    for _ in range(2):
        with pytest.raises(OutOfTime):
            run(container.copy(described.url, "v=1/x", out_of_time=after(2)))
        assert run(container.find("v=1/x")) is None
    copied = run(container.copy(described.url, "v=1/x", out_of_time=never))
    assert source.ranges == [*RANGES[:2], *RANGES[:4], *RANGES]
    assert (copied.md5, copied.verified) == (described.md5, "md5")
    assert run(container.read("v=1/x")).content == STREAMED
    assert run(container.find("v=1/x")).is_copy_of(described)


def test_a_streamed_slice_without_any_time_gets_further(run: Run, container: LandingZone, source: FakeSource) -> None:
    """However short slices are, each stages a block."""
    described = source.put("x", STREAMED)
    for _ in range(len(RANGES) - 1):
        with pytest.raises(OutOfTime):
            run(container.copy(described.url, "v=1/x", out_of_time=lambda: True))
    run(container.copy(described.url, "v=1/x", out_of_time=lambda: True))
    assert run(container.read("v=1/x")).content == STREAMED


@pytest.mark.parametrize("block", range(len(RANGES)))
def test_a_byte_that_flips_on_its_way_never_lands(
    run: Run, container: LandingZone, sources: SourceReader, source: FakeSource, block: int
) -> None:
    """In whichever block: nothing is committed, and the next try stages the right block beside the wrong one."""
    described = source.put("x", STREAMED)
    source.flipped = block * STREAMED_BLOCK
    with pytest.raises(SourceUnavailable, match="MD5"):
        run(container.copy(described.url, "v=1/x", out_of_time=never))
    assert run(container.find("v=1/x")) is None
    source.flipped = None
    run(container.copy(described.url, "v=1/x", out_of_time=never))
    assert run(container.read("v=1/x")).content == STREAMED


def test_a_byte_that_flipped_in_an_earlier_slice_never_lands(
    run: Run, container: LandingZone, source: FakeSource
) -> None:
    """What was staged of it is not what is read again for the hash, so it is not taken."""
    described = source.put("x", STREAMED)
    source.flipped = 5
    with pytest.raises(OutOfTime):
        run(container.copy(described.url, "v=1/x", out_of_time=after(2)))
    source.flipped = None
    run(container.copy(described.url, "v=1/x", out_of_time=never))
    assert run(container.read("v=1/x")).content == STREAMED


def test_streaming_goes_on_after_a_fault(
    run: Run, container: LandingZone, sources: SourceReader, source: FakeSource
) -> None:
    """After a fault in the middle no block is written twice."""
    described = source.put("x", STREAMED)
    source.faults.extend([None, None, httpx.Response(503)])
    assert run(Copier(container, sources, never).copy(described.url, "v=1/x")).source == described
    assert source.ranges == [*RANGES[:2], *RANGES]


def test_streaming_a_renewed_blob_begins_anew(run: Run, container: LandingZone, source: FakeSource) -> None:
    """Blocks of the old content are never mixed with those of the new."""
    described = source.put("x", STREAMED)
    with pytest.raises(OutOfTime):
        run(container.copy(described.url, "v=1/x", out_of_time=after(3)))
    renewed = source.put("x", STREAMED[::-1])
    run(container.copy(renewed.url, "v=1/x", out_of_time=never))
    assert run(container.read("v=1/x")).content == STREAMED[::-1]


def test_prepare_creates_the_container(run: Run, azurite: Any, sources: SourceReader) -> None:
    """A missing container is created, and one that is there is left as it is."""
    url = f"{azurite.landing_account_url}/test-{uuid.uuid4().hex}"
    zone = open_zone(url, azurite.landing_connection_string, lambda: None, sources)
    run(zone.prepare())
    run(zone.write("a/file", b"content"))
    run(zone.prepare())
    assert zone.url == url
    assert run(zone.read("a/file")).content == b"content"
    run(zone.close())


def test_a_prefix_is_a_zone_of_its_own(run: Run, azurite: Any, sources: SourceReader) -> None:
    """Zones below two prefixes of one container do not see each other's blobs."""
    url = f"{azurite.landing_account_url}/test-{uuid.uuid4().hex}"
    one, other, above = (
        open_zone(url + prefix, azurite.landing_connection_string, lambda: None, sources)
        for prefix in ("/one", "/other%20prefix/deep", "")
    )
    run(one.prepare())
    run(one.write("file", b"1"))
    run(other.write("file", b"2"))
    assert run(one.read("file")).content == b"1"
    assert run(other.read("file")).content == b"2"
    assert run(above.read("other prefix/deep/file")).content == b"2"
    for zone in (one, other, above):
        run(zone.close())


@pytest.mark.parametrize("count", [0, 4, 5])
def test_a_listing_of_many_pages_is_whole(run: Run, container: AzureContainer, count: int) -> None:
    """Each blob is listed once, however many pages the service makes of them."""
    container.listed_at_once = 2
    paths = [f"v=1/part-{number}.json.gz" for number in range(count)]
    for path in [*paths, "v=2/other"]:
        run(container.write(path, b"x"))

    async def listed() -> list[str]:
        return [landed.path async for landed in container.list("v=1")]

    assert run(listed()) == paths
