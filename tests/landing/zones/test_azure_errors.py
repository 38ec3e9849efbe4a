"""What the service's errors mean, told from their codes: against a fake service, which can have any of them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from azure.core.exceptions import IncompleteReadError, ServiceRequestError

from failures import (
    FINAL,
    LATER,
    IdentityFailure,
    LandingFailure,
    LandingRefused,
    LandingUnavailable,
    NoToken,
    SourceChanged,
    SourceExpired,
    SourceMissing,
    SourceUnavailable,
    TokenUnavailable,
)
from failures.doubts import DOUBTED
from landing.source import SourceReader
from landing.zones.opening import open_zone
from landing.zones.protocol import AlreadyThere, Landed
from tests.landing.conftest import Run
from tests.landing.fake_source import SAS, FakeSource
from tests.landing.scripted_server import Server, answer_of
from tests.landing.zones.fake_service import FakeService, Fault, zone_on

ROOT = "https://source.blob.core.windows.net/x"
SOURCE_URL = f"{ROOT}/part.gz?{SAS}"

THROTTLED = [Fault(503, "ServerBusy"), Fault(429, "TooManyRequests"), Fault(500, "InternalError"), Fault(408, "")]
REFUSED = [
    Fault(403, "AuthorizationPermissionMismatch"),
    Fault(403, "AuthenticationFailed"),
    Fault(403, "AuthorizationFailure"),
    Fault(404, "ContainerNotFound"),
    Fault(400, ""),
]
UNREACHABLE = [ServiceRequestError("to ?sig=s3cret"), IncompleteReadError("of ?sig=s3cret")]


async def listed(zone: Any) -> list[Landed]:
    return [landed async for landed in zone.list("v=1")]


KINDS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "write": ("put", lambda zone: zone.write("a/file", b"x")),
    "swap": ("put", lambda zone: zone.swap("a/file", b"x", None)),
    "copy": ("copy", lambda zone: zone.copy(SOURCE_URL, "a/file", out_of_time=lambda: False)),
    "list": ("list", listed),
}


@pytest.fixture
def source(source: FakeSource) -> FakeSource:
    """Another account, which has the blob."""
    source.root = ROOT
    source.put("part.gz", b"12345")
    return source


def refuse(service: FakeService, operation: str, fault: Fault) -> None:
    """Has the service refuse that operation once, in whichever way it is done."""
    kind, _ = KINDS[operation]
    service.fail(kind, fault)
    if operation == "copy":
        service.fail("put", fault)


def refused(run: Run, kind: type[Exception], call: Any) -> Any:
    """What the call raises: exactly this kind, and without any secret in its text."""
    with pytest.raises(kind) as caught:
        run(call)
    assert type(caught.value) is kind
    assert "sig=" not in repr(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value


@pytest.mark.parametrize("operation", KINDS)
@pytest.mark.parametrize("fault", THROTTLED, ids=lambda fault: f"{fault.status}")
def test_throttling(run: Run, sources: SourceReader, operation: str, fault: Fault) -> None:
    """A landing zone that is busy or failing may take the same call later."""
    service = FakeService()
    kind, call = KINDS[operation]
    service.fail(kind, fault)
    found = refused(run, LandingUnavailable, call(zone_on(service, sources)))
    assert str(fault.status) in found.message


@pytest.mark.parametrize("operation", KINDS)
@pytest.mark.parametrize("fault", REFUSED, ids=lambda fault: f"{fault.status} {fault.code}")
def test_refusals(run: Run, sources: SourceReader, operation: str, fault: Fault) -> None:
    """A landing zone that refuses would refuse again; the message names the service's code."""
    service = FakeService()
    refuse(service, operation, fault)
    _, call = KINDS[operation]
    assert (fault.code or "HTTP400") in refused(run, LandingRefused, call(zone_on(service, sources))).message


@pytest.mark.parametrize("fault", [Fault(503, "ServerBusy"), Fault(403, "AuthenticationFailed"), Fault(404, "Gone")])
def test_a_fault_is_told_with_its_request_id(run: Run, sources: SourceReader, fault: Fault) -> None:
    """By it Microsoft's support finds what the landing account logged."""
    service = FakeService()
    service.fail("put", replace(fault, headers={"x-ms-request-id": "b1b4a0e6"}))
    with pytest.raises(LandingFailure) as caught:
        run(zone_on(service, sources).write("a/file", b"x"))
    assert caught.value.request_id == "b1b4a0e6"


@pytest.mark.parametrize("operation", KINDS)
@pytest.mark.parametrize(
    "code",
    ["\x1b[31mRed", "Bad\u202eedoC", "Two\r\nERROR forged", "Two\u2028Lines", "half\udcff", "x" * 100_000],
    ids=lambda code: ascii(code[:9]),
)
def test_a_code_that_is_no_plain_text(run: Run, sources: SourceReader, operation: str, code: str) -> None:
    """A proxy's code becomes part of a message, and so of log lines and statuses: on one line, and not long."""
    service = FakeService()
    kind, call = KINDS[operation]
    service.fail(kind, Fault(400, code))
    message = refused(run, LandingRefused, call(zone_on(service, sources))).message
    assert message.isprintable()
    assert len(message) < 200


@pytest.mark.parametrize("operation", KINDS)
@pytest.mark.parametrize("fault", UNREACHABLE, ids=lambda fault: type(fault).__name__)
def test_a_landing_zone_out_of_reach(run: Run, sources: SourceReader, operation: str, fault: Exception) -> None:
    """A landing zone that cannot be reached may be reached later."""
    service = FakeService()
    kind, call = KINDS[operation]
    service.fail(kind, fault)
    assert type(fault).__name__ in refused(run, LandingUnavailable, call(zone_on(service, sources))).message


@pytest.mark.parametrize("fault", [Fault(403, "AuthorizationFailure"), Fault(409, "ContainerAlreadyExists")])
def test_a_container_that_need_not_be_created(run: Run, sources: SourceReader, fault: Fault) -> None:
    """An identity that may not create the container, or finds it there, goes on."""
    service = FakeService()
    service.fail("create", fault)
    run(zone_on(service, sources).prepare())


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(503, "ServerBusy"), LandingUnavailable),
        (Fault(400, "InvalidResourceName"), LandingRefused),
        (ServiceRequestError("?sig=s3cret"), LandingUnavailable),
    ],
)
def test_a_container_that_cannot_be_created(
    run: Run, sources: SourceReader, fault: Fault | Exception, kind: type[LandingFailure]
) -> None:
    """Other faults of preparing are told like those of any other call."""
    service = FakeService()
    service.fail("create", fault)
    refused(run, kind, zone_on(service, sources).prepare())


@pytest.mark.parametrize("operation", KINDS)
@pytest.mark.parametrize("code", ["AuthorizationPermissionMismatch", "AuthorizationFailure"])
def test_a_refusal_may_pass_for_a_quarter_of_an_hour(
    run: Run, sources: SourceReader, operation: str, code: str
) -> None:
    """A role or a firewall's rule that was only just made does not count yet; one that lasts is final."""
    time = datetime(2026, 10, 8, tzinfo=UTC)
    service = FakeService()
    zone = zone_on(service, sources, now=lambda: time)
    _, call = KINDS[operation]

    def found() -> Any:
        refuse(service, operation, Fault(403, code))
        return refused(run, LandingRefused, call(zone)).kind

    assert found() == LATER
    time += DOUBTED
    assert found() == FINAL
    run(zone.write("_rights", b""))
    assert found() == LATER


@pytest.mark.parametrize(
    ("fault", "remedy"),
    [
        (Fault(403, "AuthorizationFailure"), "firewall"),
        (Fault(403, "AuthorizationPermissionMismatch"), "role Storage Blob Data Contributor"),
        (Fault(403, "AuthenticationFailed"), "LANDING_CONNECTION_STRING"),
        (Fault(409, "BlobImmutableDueToPolicy"), "_latest.json"),
        (Fault(404, "ContainerNotFound"), "Create the container"),
        (Fault(400, "InvalidHeaderValue"), "--skipApiVersionCheck"),
        (Fault(400, "SomethingElse"), "Fix what the message names"),
    ],
    ids=lambda given: getattr(given, "code", None),
)
def test_a_remedy_fits_its_refusal(run: Run, sources: SourceReader, fault: Fault, remedy: str) -> None:
    """The service's code tells the reason, and the reason what helps."""
    service = FakeService()
    service.fail("put", fault)
    assert remedy in refused(run, LandingRefused, zone_on(service, sources).write("a/file", b"x")).remedy


class Tokenless:
    """An identity that gets no token, for this reason."""

    def __init__(self, failure: IdentityFailure) -> None:
        self._failure = failure

    async def get_token(self, *_scopes: str, **_options: Any) -> Any:
        raise self._failure

    async def close(self) -> None: ...


@pytest.mark.parametrize("operation", KINDS)
@pytest.mark.parametrize("failure", [NoToken("No credential."), TokenUnavailable("The endpoint is away.")])
def test_an_identity_without_token(run: Run, sources: SourceReader, operation: str, failure: IdentityFailure) -> None:
    """What keeps the identity from its token is told as that, and not as a fault of the landing zone."""
    service = FakeService()
    _, call = KINDS[operation]
    with pytest.raises(IdentityFailure) as caught:
        run(call(zone_on(service, sources, Tokenless(failure))))
    assert caught.value is failure
    assert service.calls == []


SOURCE_STATUS = "x-ms-copy-source-status-code"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(403, "CannotVerifyCopySource"), SourceExpired),
        (Fault(401, "CannotVerifyCopySource"), SourceExpired),
        (Fault(404, "CannotVerifyCopySource"), SourceMissing),
        (Fault(409, "CannotVerifyCopySource"), SourceUnavailable),
        (Fault(500, "CannotVerifyCopySource"), SourceUnavailable),
        (Fault(409, "CannotVerifyCopySource", {SOURCE_STATUS: "403"}), SourceExpired),
        (Fault(400, "CannotVerifyCopySource", {SOURCE_STATUS: "404"}), SourceMissing),
        (
            Fault(400, "CannotVerifyCopySource", details="<CopySourceStatusCode>403</CopySourceStatusCode>"),
            SourceExpired,
        ),
        (Fault(403, "CannotVerifyCopySource", {SOURCE_STATUS: "²"}), SourceExpired),
        (Fault(403, "CannotVerifyCopySource", {SOURCE_STATUS: "9" * 5000}), SourceExpired),
        (Fault(412, "SourceConditionNotMet"), SourceChanged),
        (Fault(412, "TargetConditionNotMet"), AlreadyThere),
        (Fault(412, "ConditionNotMet"), AlreadyThere),
        (Fault(409, "BlobAlreadyExists"), AlreadyThere),
        (Fault(409, "UnauthorizedBlobOverwrite"), AlreadyThere),
        (Fault(403, "UnauthorizedBlobOverwrite"), AlreadyThere),
        (Fault(409, "PendingCopyOperation"), LandingRefused),
    ],
    ids=lambda given: f"{given.status} {given.code}" if isinstance(given, Fault) else given.__name__,
)
def test_a_copy_that_fails(
    run: Run, sources: SourceReader, source: FakeSource, fault: Fault, kind: type[Exception]
) -> None:
    """Faults of the source, which it answers the app too, are told apart from those of the landing zone, by code."""
    service = FakeService()
    service.fail("copy", fault)
    statuses: dict[type[Exception], int] = {SourceExpired: 403, SourceMissing: 404}
    source.faults.extend([None, httpx.Response(statuses.get(kind, 500))])
    refused(run, kind, KINDS["copy"][1](zone_on(service, sources)))


@pytest.mark.parametrize("fault", [Fault(412, "ConditionNotMet"), Fault(409, "BlobAlreadyExists")])
@pytest.mark.parametrize("seen", [None, '"seen"'])
def test_a_swap_that_lost(run: Run, sources: SourceReader, fault: Fault, seen: str | None) -> None:
    """A swap that somebody else won answers False, whichever code the service has for it."""
    service = FakeService()
    service.fail("put", fault)
    assert run(zone_on(service, sources).swap("a/file", b"x", seen)) is False


@pytest.mark.parametrize("operation", ["read", "find"])
def test_what_is_not_there(run: Run, sources: SourceReader, operation: str) -> None:
    """A missing blob is nothing, a missing permission is an error."""
    service = FakeService()
    zone = zone_on(service, sources)
    service.fail(operation, Fault(404, "BlobNotFound"), Fault(403, "AuthorizationFailure"))
    assert run(getattr(zone, operation)("a/file")) is None
    refused(run, LandingRefused, getattr(zone, operation)("a/file"))


def blob(name: str, length: int, metadata: str = "") -> str:
    properties = f"<Etag>0x1</Etag><Content-Length>{length}</Content-Length><BlobType>BlockBlob</BlobType>"
    return f"<Blob><Name>{name}</Name><Properties>{properties}</Properties><Metadata>{metadata}</Metadata></Blob>"


def test_folders_of_a_data_lake_are_not_blobs(run: Run, sources: SourceReader) -> None:
    """With a hierarchical namespace the service lists folders as empty blobs; they are left out."""
    service = FakeService()
    service.listing = blob("pre/v=1/sub", 0, "<hdi_isfolder>true</hdi_isfolder>") + blob("pre/v=1/sub/part.gz", 5)
    assert [landed.path for landed in run(listed(zone_on(service, sources)))] == ["v=1/sub/part.gz"]
    (call,) = service.calls
    assert call.query["prefix"] == "pre/v=1/"
    assert "metadata" in call.query["include"]


def test_the_service_pulls_what_it_can_reach(run: Run, sources: SourceReader, source: FakeSource) -> None:
    """No byte of a blob in Azure passes through this process."""
    service = FakeService()
    run(KINDS["copy"][1](zone_on(service, sources)))
    assert [call.kind for call in service.calls] == ["copy"]
    assert [request.method for request in source.requests] == ["HEAD"]


def test_empty_blobs_are_put(run: Run, sources: SourceReader, source: FakeSource) -> None:
    """An empty blob, which the service refuses to pull, is read and put."""
    service = FakeService()
    run(zone_on(service, sources).copy(source.put("empty.gz", b"").url, "v=1/empty.gz", out_of_time=lambda: False))
    (call,) = service.calls
    assert (call.kind, call.body) == ("put", b"")
    assert call.headers["if-none-match"] == "*"
    assert [request.method for request in source.requests] == ["HEAD", "GET"]


@pytest.mark.parametrize("ask", [lambda zone: zone.prepare(), lambda zone: zone.read("a/file"), listed])
def test_another_server_in_the_accounts_place_is_told_as_that(
    run: Run, sources: SourceReader, ask: Callable[[Any], Any]
) -> None:
    """A proxy or a sign-in page, which welcomes whoever asks for anything: it may be gone later."""

    async def scenario() -> LandingUnavailable:
        async with Server(answer_of(b"<html>hi!", "Content-Type: text/html")).running() as server:
            key = "AccountName=landing;AccountKey=a2V5"
            zone = open_zone(f"{server.url}/landing/billing", key, lambda: None, sources)
            with pytest.raises(LandingUnavailable) as caught:
                await ask(zone)
            await zone.close()
            return caught.value

    found = run(scenario())
    assert found.message == "Something other than Azure Storage answers for the landing zone."
    assert "LANDING_URL" in found.remedy
