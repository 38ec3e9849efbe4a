"""Blobs of more than 256 MiB, which Azure pulls in blocks: against a fake service, since Azurite answers 501."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from azure.core.exceptions import ServiceResponseError

from failures import LandingRefused, LandingUnavailable, SourceChanged, SourceExpired, SourceUnavailable
from landing.source import Source
from landing.zones.azure_container import AzureContainer
from landing.zones.azure_copying import MOST_AT_ONCE, MOST_BLOCKS, PULL_SECONDS, PULLED_BLOCK
from landing.zones.protocol import AlreadyThere, OutOfTime
from tests.landing.conftest import Remembering, Run
from tests.landing.fake_source import SAS, FakeSource
from tests.landing.zones.fake_service import FakeService, Fault, zone_on

SOURCE_URL = f"https://source.blob.core.windows.net/x/part%201.gz?{SAS}"
BLOCKS = 5
LENGTH = 4 * PULLED_BLOCK + 7
MD5 = "00112233445566778899aabbccddeeff"
SOURCE = Source(SOURCE_URL, LENGTH, MD5, '"source-tag"')
RANGES = [f"bytes={n * PULLED_BLOCK}-{min(LENGTH, (n + 1) * PULLED_BLOCK) - 1}" for n in range(BLOCKS)]


def never() -> bool:
    return False


def after(blocks: int) -> Callable[[], bool]:
    """Time that runs out when so many blocks have been staged."""
    asked = iter([False] * (blocks - 1))
    return lambda: next(asked, True)


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@dataclass(frozen=True)
class Zone:
    """A landing zone on the fake service, and who describes the blobs to it."""

    container: AzureContainer
    sources: Remembering


@pytest.fixture
def zone(service: FakeService, sources: Remembering) -> Zone:
    return Zone(zone_on(service, sources), sources)


def copy(zone: Zone, source: Source = SOURCE, **given: Any) -> Any:
    return zone.container.copy(zone.sources.tell(source), "v=1/blob", **({"out_of_time": never} | given))


def refused(run: Run, kind: type[Exception], zone: Zone, **given: Any) -> Exception:
    """What the copy raises: exactly this kind, and without any secret in its text."""
    with pytest.raises(kind) as caught:
        run(copy(zone, **given))
    assert type(caught.value) is kind
    assert "sig=" not in repr(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value


def test_one_call_up_to_the_limit(run: Run, zone: Zone, service: FakeService) -> None:
    """A blob of 256 MiB is copied by one synchronous call, on the condition that source and target are as they were."""
    assert run(copy(zone, Source(SOURCE_URL, MOST_AT_ONCE, MD5, '"source-tag"'))).md5 == MD5
    (call,) = service.calls
    assert call.kind == "copy"
    assert call.headers["x-ms-copy-source"] == SOURCE_URL
    assert call.headers["x-ms-requires-sync"].lower() == "true"
    assert call.headers["x-ms-source-if-match"] == '"source-tag"'
    assert call.headers["if-none-match"] == "*"


@pytest.mark.parametrize("length", [1, MOST_AT_ONCE])
def test_the_service_is_asked_to_compare_what_it_pulls_at_once(
    run: Run, zone: Zone, service: FakeService, length: int
) -> None:
    """The source's MD5 goes with the call, on the wire: the library's own argument for it goes nowhere."""
    assert run(copy(zone, Source(SOURCE_URL, length, MD5))).verified == "service"
    (call,) = service.calls
    assert call.headers["x-ms-source-content-md5"] == base64.b64encode(bytes.fromhex(MD5)).decode()


def test_a_source_without_md5_is_compared_by_length_only(run: Run, zone: Zone, service: FakeService) -> None:
    """Nothing is claimed that was not done."""
    assert run(copy(zone, Source(SOURCE_URL, MOST_AT_ONCE))).verified == "length"
    assert "x-ms-source-content-md5" not in service.calls[0].headers


def test_a_pull_of_other_bytes_is_refused(run: Run, zone: Zone, service: FakeService) -> None:
    """What the service finds to differ may arrive whole with the next try."""
    service.fail("copy", Fault(400, "Md5Mismatch"))
    refused(run, SourceUnavailable, zone, source=Source(SOURCE_URL, MOST_AT_ONCE, MD5))


def test_what_stands_there_is_seen_before_anything_is_staged(run: Run, zone: Zone, service: FakeService) -> None:
    """A large blob that has landed is not pulled once more, only for the service to say so in the end."""
    run(copy(zone))
    service.calls.clear()
    refused(run, AlreadyThere, zone)
    assert [call.kind for call in service.calls] == ["find"]


def test_blocks_above_the_limit(run: Run, zone: Zone, service: FakeService) -> None:
    """A larger blob goes in ranges without gap or overlap, and is committed in their order, with its MD5."""
    copied = run(copy(zone))
    assert (copied.md5, copied.verified) == (MD5, "length")
    assert [call.kind for call in service.calls] == ["find", "staged", *["stage"] * BLOCKS, "commit"]
    assert [call.headers["x-ms-source-range"] for call in service.of("stage")] == RANGES
    assert {call.headers["x-ms-copy-source"] for call in service.of("stage")} == {SOURCE_URL}
    assert service.committed == [call.query["blockid"] for call in service.of("stage")]
    (commit,) = service.of("commit")
    assert commit.headers["x-ms-blob-content-md5"] == base64.b64encode(bytes.fromhex(MD5)).decode()


def test_conditions(run: Run, zone: Zone, service: FakeService) -> None:
    """Every block is pulled from the source as described, and the blob appears only where nothing stands."""
    run(copy(zone))
    assert {call.headers["x-ms-source-if-match"] for call in service.of("stage")} == {'"source-tag"'}
    assert [call.headers["if-none-match"] for call in service.of("commit")] == ["*"]


def test_replacing(run: Run, zone: Zone, service: FakeService) -> None:
    """What was found at the target is replaced only while it is that."""
    run(copy(zone, replacing='"found"'))
    assert [call.headers["if-match"] for call in service.of("commit")] == ['"found"']
    run(copy(zone, Source(SOURCE_URL, 5, MD5, None), replacing='"found"'))
    assert [call.headers["if-match"] for call in service.of("copy")] == ['"found"']
    assert "x-ms-source-if-match" not in service.of("copy")[0].headers


def test_pulling_is_given_time(run: Run, zone: Zone, service: FakeService) -> None:
    """Service and client both wait for a pull longer than the client's usual minute."""
    run(copy(zone))
    run(copy(zone, Source(SOURCE_URL, MOST_AT_ONCE)))
    pulls = service.of("stage") + service.of("copy")
    assert {(call.query["timeout"], call.read_timeout) for call in pulls} == {(str(PULL_SECONDS), PULL_SECONDS)}


def test_block_ids_have_one_length(run: Run, zone: Zone, service: FakeService) -> None:
    """All ids of a blob have the same length and at most 64 bytes, as the service demands."""
    run(copy(zone))
    assert len({len(block) for block in service.staged}) == 1
    assert all(len(base64.b64decode(block)) <= 64 for block in service.staged)


def test_a_crash_costs_one_block(run: Run, zone: Zone, service: FakeService) -> None:
    """After a crash only the blocks that are missing are pulled."""
    service.fail("stage", None, None, ServiceResponseError("cut off"))
    refused(run, LandingUnavailable, zone)
    assert service.committed is None
    service.calls.clear()
    run(copy(zone))
    assert [call.headers["x-ms-source-range"] for call in service.of("stage")] == RANGES[2:]
    assert service.committed is not None
    assert [service.staged[block][0] for block in service.committed] == [n * PULLED_BLOCK for n in range(BLOCKS)]


def test_a_crash_before_the_commit(run: Run, zone: Zone, service: FakeService) -> None:
    """Where all blocks are there, they are only committed."""
    service.fail("commit", ServiceResponseError("cut off"))
    refused(run, LandingUnavailable, zone)
    service.calls.clear()
    run(copy(zone))
    assert [call.kind for call in service.calls] == ["find", "staged", "commit"]


def test_out_of_time_keeps_what_was_staged(run: Run, zone: Zone, service: FakeService) -> None:
    """A slice of time that ends in the middle leaves its blocks to the next, which goes on from there."""
    for slice_blocks in (2, 2):
        with pytest.raises(OutOfTime):
            run(copy(zone, out_of_time=after(slice_blocks)))
        assert service.committed is None
    run(copy(zone, out_of_time=after(1)))
    assert [call.headers["x-ms-source-range"] for call in service.of("stage")] == RANGES
    assert len(service.committed or []) == BLOCKS


def test_a_slice_without_any_time_gets_further(run: Run, zone: Zone, service: FakeService) -> None:
    """However short slices are, each stages a block: else they would follow one another for ever."""
    for staged in range(1, BLOCKS):
        with pytest.raises(OutOfTime):
            run(copy(zone, out_of_time=lambda: True))
        assert len(service.staged) == staged
    run(copy(zone, out_of_time=lambda: True))
    assert len(service.of("stage")) == BLOCKS


@pytest.mark.parametrize(
    "other",
    [
        Source(SOURCE_URL, LENGTH, MD5, '"another"'),
        Source(SOURCE_URL, LENGTH, MD5[::-1], '"source-tag"'),
        Source(SOURCE_URL, LENGTH + 1, MD5, '"source-tag"'),
    ],
)
def test_blocks_of_other_content_are_not_taken(run: Run, zone: Zone, service: FakeService, other: Source) -> None:
    """What was staged from other content is never mixed in."""
    with pytest.raises(OutOfTime):
        run(copy(zone, other, out_of_time=after(3)))
    foreign = set(service.staged)
    run(copy(zone))
    assert foreign.isdisjoint(service.committed or [])
    assert [call.headers["x-ms-source-range"] for call in service.of("stage")[3:]] == RANGES


def test_a_fresh_token_goes_on(run: Run, zone: Zone, service: FakeService, source: FakeSource) -> None:
    """A new SAS token for the same content takes up the blocks that the old one staged."""
    source.faults.append(httpx.Response(403))
    service.fail("stage", None, None, None, Fault(403, "CannotVerifyCopySource"))
    refused(run, SourceExpired, zone)
    run(copy(zone, Source(SOURCE_URL.replace("s1gn", "fresh"), LENGTH, MD5, '"source-tag"')))
    assert [call.headers["x-ms-source-range"] for call in service.of("stage")] == [*RANGES[:3], RANGES[3], *RANGES[3:]]


def test_a_blob_that_is_not_there_has_no_blocks(run: Run, zone: Zone, service: FakeService) -> None:
    """The service's 404 for the list of blocks is where a copy begins."""
    service.fail("staged", Fault(404, "BlobNotFound"))
    run(copy(zone))
    assert len(service.committed or []) == BLOCKS


def test_a_source_that_changes_between_blocks(run: Run, zone: Zone, service: FakeService) -> None:
    """A source that is renewed in the middle is never committed in part."""
    service.fail("stage", None, Fault(412, "SourceConditionNotMet"))
    refused(run, SourceChanged, zone)
    assert service.committed is None


@pytest.mark.parametrize("fault", [Fault(409, "BlobAlreadyExists"), Fault(412, "ConditionNotMet")])
def test_a_target_that_was_taken(run: Run, zone: Zone, service: FakeService, fault: Fault) -> None:
    """A rival that was faster is told apart from failure, whichever code the service has for it."""
    service.fail("commit", fault)
    refused(run, AlreadyThere, zone)


def test_the_largest_blobs(run: Run, zone: Zone, service: FakeService) -> None:
    """No blob needs more blocks than the service allows: they grow with it, and their ids stay apart."""
    length = MOST_BLOCKS * PULLED_BLOCK + 1
    with pytest.raises(OutOfTime):
        run(copy(zone, Source(SOURCE_URL, length, MD5), out_of_time=after(2)))
    (first, second) = (call.headers["x-ms-source-range"] for call in service.of("stage"))
    block = PULLED_BLOCK + 1
    assert (first, second) == (f"bytes=0-{block - 1}", f"bytes={block}-{2 * block - 1}")
    assert -(-length // block) <= MOST_BLOCKS


def test_a_refusal_in_the_middle(run: Run, zone: Zone, service: FakeService) -> None:
    """A landing zone that takes no more is not asked again for the rest."""
    service.fail("stage", None, Fault(409, "AccountIsDisabled"))
    refused(run, LandingRefused, zone)
    assert len(service.of("stage")) == 2
