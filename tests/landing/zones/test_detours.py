"""Blobs that the landing account cannot pull, because its own network does not reach the source."""

from collections.abc import Callable

import httpx
import pytest

from failures import LandingRefused, LandingUnavailable, SourceExpired, SourceMissing, SourceUnavailable
from landing.detours import KNOWN
from landing.source import SourceReader
from landing.zones.azure_container import AzureContainer
from landing.zones.azure_copying import MOST_AT_ONCE, STREAMED_BLOCK
from landing.zones.protocol import Copy, OutOfTime
from tests.clock import Clock
from tests.landing.conftest import Remembering, Run
from tests.landing.fake_source import FakeSource
from tests.landing.zones.fake_service import FakeService, Fault, zone_on

SOURCE_STATUS = "x-ms-copy-source-status-code"
UNREACHABLE = [
    Fault(403, "CannotVerifyCopySource"),
    Fault(409, "CannotVerifyCopySource"),
    Fault(409, "CannotVerifyCopySource", {SOURCE_STATUS: "403"}),
    Fault(404, "CannotVerifyCopySource", {SOURCE_STATUS: "404"}),
    Fault(403, "AuthorizationFailure"),
    Fault(403, "SomePerimeterOfTheNetwork"),
]
SIZES = {"small": b"content", "several blocks": b"0123456789" * (STREAMED_BLOCK // 4) + b"end"}


@pytest.fixture
def source(source: FakeSource) -> FakeSource:
    """Another account's, that the service would pull from."""
    source.root = "https://source.blob.core.windows.net/exports"
    return source


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def zone(service: FakeService, sources: SourceReader, clock: Clock) -> AzureContainer:
    return zone_on(service, sources, now=clock)


Do = Callable[..., Copy]


@pytest.fixture
def copy(run: Run, zone: AzureContainer) -> Do:
    """Copies the blob at a URL."""

    def copying(url: str, out_of_time: Callable[[], bool] = lambda: False) -> Copy:
        copied: Copy = run(zone.copy(url, "v=1/blob", out_of_time=out_of_time))
        return copied

    return copying


def kinds(service: FakeService) -> list[str]:
    return [call.kind for call in service.calls]


@pytest.mark.parametrize("content", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("fault", UNREACHABLE, ids=lambda fault: f"{fault.status} {fault.code}")
def test_what_the_account_cannot_reach_passes_through_the_app(
    copy: Do, service: FakeService, source: FakeSource, fault: Fault, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Once the source has answered the app with the token of that copy; the copy says so, and the log."""
    described = source.put("x", content)
    service.fail("copy", fault)
    copied = copy(described.url)
    assert copied == Copy(described, described.md5, "md5", detour=True)
    assert kinds(service)[0] == "copy"
    assert kinds(service)[-1] in {"put", "commit"}
    assert [request.method for request in source.requests][:2] == ["HEAD", "HEAD"]
    assert "cannot reach source.blob.core.windows.net" in caplog.text
    assert "sig" not in caplog.text


@pytest.mark.parametrize("content", SIZES.values(), ids=SIZES)
def test_on_its_way_through_the_app_a_blob_is_compared(
    copy: Do, service: FakeService, source: FakeSource, content: bytes
) -> None:
    """Bytes that do not have the announced MD5 are not committed, of whatever size the blob is."""
    described = source.put("x", content, md5="00" * 16)
    service.fail("copy", Fault(403, "CannotVerifyCopySource"))
    with pytest.raises(SourceUnavailable, match="MD5"):
        copy(described.url)
    assert not service.of("put") + service.of("commit")


def test_a_blob_in_blocks_takes_the_way_too(
    copy: Do, service: FakeService, source: FakeSource, sources: Remembering
) -> None:
    """The first block that cannot be pulled tells; what is staged by then is no obstacle."""
    described = source.put("x", b"c" * STREAMED_BLOCK)
    great = sources.tell(type(described)(described.url, MOST_AT_ONCE + 1, None, described.e_tag))
    service.fail("stage", Fault(403, "CannotVerifyCopySource"))
    with pytest.raises(OutOfTime):
        copy(great, lambda: True)
    assert kinds(service)[-3:] == ["find", "staged", "stage"]
    assert "x-ms-copy-source" not in service.calls[-1].headers


@pytest.mark.parametrize(("status", "kind"), [(403, SourceExpired), (404, SourceMissing), (503, SourceUnavailable)])
def test_a_source_that_refuses_the_app_too_is_at_fault_itself(
    copy: Do, service: FakeService, source: FakeSource, status: int, kind: type[Exception]
) -> None:
    """A token that has run out looks the same to the service; nothing passes through the app for it."""
    described = source.put("x", b"content")
    service.fail("copy", Fault(403, "CannotVerifyCopySource"))
    source.faults.extend([None, httpx.Response(status)])
    with pytest.raises(kind):
        copy(described.url)
    assert kinds(service) == ["copy"]
    assert not copy(described.url).detour


def test_a_role_that_is_missing_is_no_network(copy: Do, service: FakeService, source: FakeSource) -> None:
    """Where the app may not write either, that is told, and no way is remembered."""
    described = source.put("x", b"content")
    service.fail("copy", Fault(403, "AuthorizationPermissionMismatch"))
    service.fail("put", Fault(403, "AuthorizationPermissionMismatch"))
    with pytest.raises(LandingRefused, match="AuthorizationPermissionMismatch"):
        copy(described.url)
    assert not copy(described.url).detour


def test_the_account_is_not_asked_again_for_an_hour(
    copy: Do, service: FakeService, source: FakeSource, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Else every blob would cost a refusal; other accounts are asked, and later this one is, too."""
    first, second = source.put("x", b"content"), source.put("y", b"content")
    service.fail("copy", Fault(403, "CannotVerifyCopySource"))
    assert copy(first.url).detour
    assert copy(second.url).detour
    assert kinds(service) == ["copy", "put", "put"]
    assert caplog.text.count("cannot reach") == 1
    source.root = "https://other.blob.core.windows.net/exports"
    assert not copy(source.put("z", b"content").url).detour
    source.root = "https://source.blob.core.windows.net/exports"
    clock.move(KNOWN)
    assert not copy(second.url).detour


def test_a_blob_that_takes_several_slices_of_time_asks_once(
    copy: Do, service: FakeService, source: FakeSource, caplog: pytest.LogCaptureFixture
) -> None:
    """What its first slice has found out holds for the next, and for other blobs, though none has landed yet."""
    described = source.put("x", SIZES["several blocks"])
    service.fail("copy", Fault(403, "CannotVerifyCopySource"))
    slices = 0
    while slices < 10:
        slices += 1
        try:
            copied = copy(described.url, lambda: True)
            break
        except OutOfTime:
            assert caplog.text.count("cannot reach") == 1
    assert slices > 2
    assert copied == Copy(described, described.md5, "md5", detour=True)
    assert kinds(service).count("copy") == 1
    assert [request.method for request in source.requests].count("HEAD") == slices + 1


@pytest.mark.parametrize(
    "fault", [Fault(500, "InternalError"), Fault(409, "CannotVerifyCopySource", {SOURCE_STATUS: "503"})]
)
def test_a_passing_fault_sends_nothing_through_the_app(
    copy: Do, service: FakeService, source: FakeSource, fault: Fault
) -> None:
    """What may be pulled a moment later is."""
    described = source.put("x", b"content")
    service.fail("copy", fault)
    with pytest.raises((LandingUnavailable, SourceUnavailable)):
        copy(described.url)
    assert not copy(described.url).detour
