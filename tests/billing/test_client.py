"""The partner billing API over HTTP."""

import asyncio
import json
import traceback
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
import stamina

from billing.answers import Failed, Manifest, Running, StartedExport
from billing.client import BillingClient
from billing.http import PATIENCE, TRIES
from billing.origins import SourceHosts
from catalog.export_request import ExportRequest
from failures import (
    FINAL,
    LATER,
    BillingFailure,
    Forbidden,
    ForeignOrigin,
    ForeignSource,
    NoAnswer,
    NotServed,
    OperationGone,
    RequestRefused,
    ServiceUnavailable,
    Unauthorized,
    UnusableAnswer,
)
from failures.doubts import DOUBTED
from tests.billing.fake_graph import (
    BASE_URL,
    MANIFEST_URL,
    NOW,
    OPERATION_URL,
    FakeCredential,
    FakeGraph,
    answer,
    calling,
)
from tests.billing.samples import SIGNATURE, manifest, sample, succeeded

REQUEST = ExportRequest.parse({"invoiceId": "G016907411", "attributeSet": "basic"})
EXPORT_URL = f"{BASE_URL}/reports/partners/billing/usage/billed/export"

Call = Callable[[BillingClient], Awaitable[Any]]


def start(client: BillingClient) -> Awaitable[StartedExport]:
    return client.start_export(REQUEST)


def read_operation(client: BillingClient) -> Awaitable[Running | Failed | Manifest]:
    return client.read_operation(OPERATION_URL)


def read_manifest(client: BillingClient) -> Awaitable[Manifest]:
    return client.read_manifest(MANIFEST_URL)


CALLS = [start, read_operation, read_manifest]


def result(graph: FakeGraph, call: Call, **given: Any) -> Any:
    """What the call returns."""
    return asyncio.run(calling(graph, call, **given))


def error(kind: type[BillingFailure], graph: FakeGraph, call: Call, **given: Any) -> Any:
    """What the call raises: exactly this kind, with a remedy, and nowhere a secret."""
    with pytest.raises(kind) as caught:
        result(graph, call, **given)
    assert type(caught.value) is kind
    assert caught.value.remedy
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert SIGNATURE not in shown
    assert "s3cret" not in shown
    return caught.value


def test_an_export_is_started() -> None:
    """The documented request is posted, and its operation's URL comes back with the wait that Microsoft asks for."""
    graph = FakeGraph(answer(202, Location=OPERATION_URL, Retry_After="10"))
    assert result(graph, start) == StartedExport(OPERATION_URL, 10.0)
    (request,) = graph.requests
    assert (request.method, str(request.url)) == ("POST", EXPORT_URL)
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.content) == {"invoiceId": "G016907411", "attributeSet": "basic"}


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/v1.0/reports/partners/billing/operations/1", f"{BASE_URL}/reports/partners/billing/operations/1"),
        ("https://graph.microsoft.com:443/beta/x", "https://graph.microsoft.com:443/beta/x"),
        ("//graph.microsoft.com/v1.0/x", "https://graph.microsoft.com/v1.0/x"),
    ],
)
def test_locations_are_resolved(location: str, url: str) -> None:
    """A Location may be relative, as RFC 9110 allows."""
    assert result(FakeGraph(answer(202, Location=location)), start) == StartedExport(url)


@pytest.mark.parametrize(
    "location",
    [
        "https://example.com/v1.0/x?sig=s3cret",
        "//example.com/x",
        "http://graph.microsoft.com/x",
    ],
)
def test_foreign_locations_are_refused(location: str) -> None:
    """An operation elsewhere is refused, and nothing is sent there."""
    graph = FakeGraph(answer(202, Location=location))
    error(ForeignOrigin, graph, start)
    assert [request.url.host for request in graph.requests] == ["graph.microsoft.com"]


NO_URLS = ["https://[example", "//[", "https://:port/", "mailto:a@b.c", "see the portal", "x" * 5000]


@pytest.mark.parametrize("location", ["", *NO_URLS], ids=lambda text: text[:15])
def test_a_location_that_is_no_url_is_told_as_that(location: str) -> None:
    """It points nowhere: neither has Microsoft moved, nor is it an attack."""
    graph = FakeGraph(answer(202, Location=location, request_id="b1b4a0e6"))
    found = error(UnusableAnswer, graph, start)
    assert (found.code, found.request_id) == ("BadUrl", "b1b4a0e6")
    assert len(graph.requests) == 1


@pytest.mark.parametrize("given", [answer(202), answer(200, {}, Location=OPERATION_URL)])
def test_a_start_without_operation(given: httpx.Response) -> None:
    """An answer that leads to no operation cannot be used."""
    given.headers["request-id"] = "b1b4a0e6"
    assert error(UnusableAnswer, FakeGraph(given), start).request_id == "b1b4a0e6"


@pytest.mark.parametrize("call", CALLS)
def test_requests_can_be_traced(call: Call) -> None:
    """Each request has an id of its own, by which Microsoft's support finds it."""
    graph = FakeGraph(answer(503))
    error(ServiceUnavailable, graph, call)
    ids = {uuid.UUID(request.headers["client-request-id"]) for request in graph.requests}
    assert len(ids) == len(graph.requests) > 1


@pytest.mark.parametrize(
    ("body", "state"),
    [
        (sample("operation-running"), Running(60.0)),
        (sample("operation-failed"), Failed("5000", "No data available")),
        (succeeded(), Manifest.from_json(manifest(), OPERATION_URL)),
    ],
)
def test_operations_are_read(body: Any, state: object) -> None:
    """Each state is told as it is, with the wait that Microsoft asks for."""
    given = answer(200, body, Retry_After="Thu, 08 Oct 2026 06:13:53 GMT")
    assert result(FakeGraph(given), read_operation) == state


@pytest.mark.parametrize(
    "link",
    [MANIFEST_URL, MANIFEST_URL.removeprefix("https://graph.microsoft.com"), MANIFEST_URL.removeprefix("https:")],
)
def test_a_linked_manifest_is_fetched(link: str) -> None:
    """A manifest that is only linked is read from there, and can be read there again."""
    operation = sample("operation-succeeded-linked", **{"resourceLocation@odata.navigationLink": link})
    graph = FakeGraph(answer(200, operation), answer(200, manifest()))
    assert result(graph, read_operation) == Manifest.from_json(manifest(), MANIFEST_URL)
    assert [str(request.url) for request in graph.requests] == [OPERATION_URL, MANIFEST_URL]


@pytest.mark.parametrize("link", ["https://example.com/manifests/1", "http://graph.microsoft.com/manifests/1"])
def test_a_manifest_linked_elsewhere_is_refused(link: str) -> None:
    """A link away from Graph is refused, and no token is sent there."""
    operation = sample("operation-succeeded-linked", **{"resourceLocation@odata.navigationLink": link})
    graph = FakeGraph(answer(200, operation), answer(200, manifest()))
    error(ForeignOrigin, graph, read_operation)
    assert [request.url.host for request in graph.requests] == ["graph.microsoft.com"]


@pytest.mark.parametrize("link", [*NO_URLS, 5, ["x"]], ids=lambda link: str(link)[:15])
def test_a_link_to_the_manifest_that_is_no_url_is_told_as_that(link: object) -> None:
    """With the id of the request whose answer has it."""
    operation = sample("operation-succeeded-linked", **{"resourceLocation@odata.navigationLink": link})
    graph = FakeGraph(answer(200, operation, request_id="b1b4a0e6"), answer(200, manifest()))
    found = error(UnusableAnswer, graph, read_operation)
    assert (found.code, found.request_id) == ("BadUrl", "b1b4a0e6")
    assert len(graph.requests) == 1


@pytest.mark.parametrize("root", ["https://[example.blob.core.windows.net/exports", "exports/1", "file:///exports"])
def test_a_root_of_blobs_that_is_no_url_is_told_as_that(root: str) -> None:
    """However the manifest was read."""
    linked = FakeGraph(answer(200, sample("operation-succeeded-linked")), answer(200, manifest(rootDirectory=root)))
    for graph in (FakeGraph(answer(200, succeeded(rootDirectory=root))), linked):
        assert error(UnusableAnswer, graph, read_operation).code == "BadUrl"


def test_a_manifest_is_read_again() -> None:
    """A manifest's own URL gives it with a fresh token."""
    fresh = result(FakeGraph(answer(200, manifest(sasToken="sig=fresh"))), read_manifest)
    assert fresh == Manifest.from_json(manifest(sasToken="sig=fresh"), MANIFEST_URL)


def test_an_embedded_manifest_is_read_again() -> None:
    """The URL of an operation that embeds its manifest does as well."""
    again = result(FakeGraph(answer(200, succeeded())), lambda client: client.read_manifest(OPERATION_URL))
    assert again == Manifest.from_json(manifest(), OPERATION_URL)


def test_a_manifest_linked_by_its_operation_is_read_again() -> None:
    """So does the URL of an operation that only links to it."""
    graph = FakeGraph(answer(200, sample("operation-succeeded-linked")), answer(200, manifest()))
    again = result(graph, lambda client: client.read_manifest(OPERATION_URL))
    assert again == Manifest.from_json(manifest(), MANIFEST_URL)


@pytest.mark.parametrize("name", ["operation-running", "operation-failed"])
def test_a_manifest_that_is_no_longer_there(name: str) -> None:
    """An operation that no longer shows its manifest cannot be used."""
    assert error(UnusableAnswer, FakeGraph(answer(200, sample(name))), read_manifest).code == "NoManifest"


SOURCES = [
    "https://example.com/exports",
    "http://example.blob.core.windows.net/exports",
    "http://127.0.0.1:10000/source/exports",
]


@pytest.mark.parametrize("root", SOURCES)
def test_sources_elsewhere_are_refused(root: str) -> None:
    """A manifest whose blobs are not on an allowed host over https is refused, however it was read."""
    linked = answer(200, sample("operation-succeeded-linked"))
    foreign = manifest(rootDirectory=root)
    error(ForeignSource, FakeGraph(answer(200, succeeded(rootDirectory=root))), read_operation)
    error(ForeignSource, FakeGraph(linked, answer(200, foreign)), read_operation)
    error(ForeignSource, FakeGraph(answer(200, foreign)), read_manifest)
    error(ForeignSource, FakeGraph(answer(200, succeeded(rootDirectory=root))), read_manifest)


def test_an_emulators_sources_are_allowed() -> None:
    """Beside an emulator, blobs on this machine may be read over http."""
    graph = FakeGraph(answer(200, manifest(rootDirectory=SOURCES[2])))
    assert result(graph, read_manifest, sources=SourceHosts((".x.y",), loopback=True)).root == SOURCES[2]


@pytest.mark.parametrize("fault", [answer(429), answer(408), answer(500), answer(502), answer(503), answer(504)])
@pytest.mark.parametrize("call", CALLS)
def test_short_faults_are_outlasted(fault: httpx.Response, call: Call) -> None:
    """A call that is throttled or fails for a moment is sent again, and succeeds."""
    good = answer(202, Location=OPERATION_URL) if call is start else answer(200, succeeded())
    graph = FakeGraph(fault, fault, good)
    result(graph, call)
    assert len(graph.requests) == 3


@pytest.mark.parametrize(
    "fault", [httpx.ConnectError("to s3cret"), httpx.ReadTimeout("of s3cret"), httpx.RemoteProtocolError("s3cret")]
)
def test_a_network_that_fails(fault: Exception) -> None:
    """A network that fails for a moment is outlasted; one that keeps failing makes the service unavailable."""
    assert result(FakeGraph(fault, answer(200, sample("operation-running"))), read_operation) == Running()
    found = error(NoAnswer, FakeGraph(fault), read_operation)
    assert (found.code, found.wait) == ("NoAnswer", None)
    assert found.message == f"https://graph.microsoft.com did not answer ({type(fault).__name__})."


def test_an_answer_that_cannot_be_decoded() -> None:
    """An answer that was garbled on its way counts as none."""

    class Garbling(FakeGraph):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"not gzip"))

    assert error(NoAnswer, Garbling(), read_operation).code == "NoAnswer"


@pytest.mark.parametrize("status", [429, 503])
def test_the_wait_asked_for_is_told(status: int) -> None:
    """A service that stays throttled is unavailable for as long as it says."""
    graph = FakeGraph(answer(status, sample("graph-error"), Retry_After=str(int(PATIENCE))))
    assert error(ServiceUnavailable, graph, read_operation).wait == PATIENCE
    assert len(graph.requests) > 1


def test_long_waits_are_left_to_the_caller() -> None:
    """A service that asks for more patience than a running function has is left alone at once."""
    graph = FakeGraph(answer(429, Retry_After=str(int(PATIENCE) + 1)), answer(202, Location=OPERATION_URL))
    assert error(ServiceUnavailable, graph, start).wait == PATIENCE + 1
    assert len(graph.requests) == 1


def test_tries_are_few() -> None:
    """One call sends no more than the documented number of requests."""
    graph = FakeGraph(answer(503))
    with stamina.set_testing(True, attempts=TRIES + 5, cap=True):
        error(ServiceUnavailable, graph, read_operation)
    assert len(graph.requests) == TRIES


def test_a_401_is_met_with_a_fresh_token() -> None:
    """A token that was revoked costs one more request, not the export."""
    graph = FakeGraph(answer(401), answer(202, Location=OPERATION_URL))
    assert result(graph, start) == StartedExport(OPERATION_URL)
    assert graph.tokens == ["Bearer s3cret-token-1", "Bearer s3cret-token-2"]
    assert graph.requests[0].content == graph.requests[1].content


@pytest.mark.parametrize(
    ("status", "kind", "requests"),
    [
        (401, Unauthorized, 2),
        (403, Forbidden, 1),
        (404, OperationGone, 1),
        (410, OperationGone, 1),
        (400, RequestRefused, 1),
        (409, RequestRefused, 1),
        (302, RequestRefused, 1),
    ],
)
@pytest.mark.parametrize("call", CALLS)
def test_refusals(status: int, kind: type[BillingFailure], requests: int, call: Call) -> None:
    """What asking again would not change is not asked again, and is told as what it is."""
    graph = FakeGraph(answer(status, sample("graph-error"), Location="https://example.com/"))
    found = error(NotServed if call is start and status in {400, 404, 410} else kind, graph, call)
    assert len(graph.requests) == requests
    assert (found.code, found.message) == ("TooManyRequests", "Too many requests")


async def _kind_of(call: Awaitable[Any]) -> str:
    with pytest.raises((Unauthorized, Forbidden)) as caught:
        await call
    return caught.value.kind


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_is_believed_at_once_where_nothing_was_allowed_before(status: int) -> None:
    """An identity without the role is told so with the first answer, a run's later questions only once it lasted."""
    time = NOW

    async def kinds(client: BillingClient) -> list[str]:
        nonlocal time
        found = [await _kind_of(call(client)) for call in CALLS]
        time += DOUBTED
        return found + [await _kind_of(call(client)) for call in CALLS]

    found = asyncio.run(calling(FakeGraph(answer(status)), kinds, now=lambda: time))
    assert found == [FINAL, LATER, LATER, FINAL, FINAL, FINAL]


def test_an_export_that_was_allowed_once_may_be_posted_later() -> None:
    """What another attempt of a run is refused, it was allowed a while ago."""

    async def post_twice(client: BillingClient) -> str:
        await start(client)
        return await _kind_of(start(client))

    graph = FakeGraph(answer(202, Location=OPERATION_URL), answer(403))
    assert asyncio.run(calling(graph, post_twice)) == LATER


@pytest.mark.parametrize("status", [400, 404, 405, 410])
def test_an_export_that_cannot_be_posted_points_at_the_setting(status: int) -> None:
    """The URL is made of the base URL: a wrong one is the first thing to look at, not the invoice."""
    found = error(NotServed, FakeGraph(answer(status)), start)
    assert found.kind == "final"
    assert found.remedy.startswith("Check GRAPH_BASE_URL")


@pytest.mark.parametrize("spelling", ["innerError", "innererror"])
def test_microsofts_request_id_is_kept(spelling: str) -> None:
    """The id that Microsoft's support asks for is found in the header, else in either spelling of the body."""
    graph_error = sample("graph-error")["error"]
    graph_error[spelling] = graph_error.pop("innerError")
    body = {"error": graph_error}
    found = error(NotServed, FakeGraph(answer(400, body)), start)
    assert found.request_id == "b1b4a0e6-2f1c-4d55-9d2e-0d7c8f0b6c11"
    assert error(NotServed, FakeGraph(answer(400, body, request_id="header")), start).request_id == "header"


@pytest.mark.parametrize(
    "body", [succeeded(blobCount=99), succeeded(rootDirectory="https://evil.example/x"), {"status": "succeeded"}]
)
@pytest.mark.parametrize("call", [read_operation, read_manifest])
def test_what_cannot_be_used_is_told_with_its_request_id(body: object, call: Call) -> None:
    """Only by it can Microsoft's support find the answer that breaks its rules."""
    with pytest.raises(RequestRefused) as caught:
        asyncio.run(calling(FakeGraph(answer(200, body, request_id="b1b4a0e6")), call))
    assert caught.value.request_id == "b1b4a0e6"


def test_an_operation_that_failed_is_told_with_its_request_id() -> None:
    """Microsoft's support asks for it."""
    given = answer(200, sample("operation-failed"), request_id="b1b4a0e6")
    assert result(FakeGraph(given), read_operation) == Failed("5000", "No data available", "b1b4a0e6")


@pytest.mark.parametrize("body", [None, [], "text", {"error": "text"}, {"error": {"innerError": [], "code": ""}}])
def test_errors_without_graphs_body(body: object) -> None:
    """A refusal by something in between, that does not speak Graph, still has a code and a message."""
    found = error(NotServed, FakeGraph(answer(400, body)), start)
    assert (found.code, found.message, found.request_id) == ("HTTP400", "The service answered 400 Bad Request.", None)


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b"null", b"\xff\xfe\xfa", b'{"status": '])
@pytest.mark.parametrize("call", [read_operation, read_manifest])
def test_answers_that_are_no_json_object(content: bytes, call: Call) -> None:
    """A success that is not a JSON object cannot be used."""
    given = httpx.Response(200, content=content, headers={"request-id": "b1b4a0e6"})
    assert error(UnusableAnswer, FakeGraph(given), call).request_id == "b1b4a0e6"


def test_a_byte_order_mark_is_skipped() -> None:
    """JSON that begins with a byte order mark, as Microsoft's sometimes does, is read."""
    given = httpx.Response(200, content=b"\xef\xbb\xbf" + json.dumps(sample("operation-running")).encode())
    assert result(FakeGraph(given), read_operation) == Running()


@pytest.mark.parametrize("body", [succeeded(eTag=None), succeeded(blobCount=9)])
def test_bad_manifests_show_no_secret(body: Any) -> None:
    """A manifest that cannot be used is refused without quoting its token."""
    assert error(UnusableAnswer, FakeGraph(answer(200, body)), read_operation).code == "BadManifest"


@pytest.mark.parametrize(
    ("url", "kind"),
    [("https://example.com/x", ForeignOrigin), ("relative", UnusableAnswer), ("https://[", UnusableAnswer)],
)
def test_nothing_is_sent_elsewhere(url: str, kind: type[BillingFailure]) -> None:
    """An operation or manifest URL from an older message is checked again before anything is sent."""
    graph, credential = FakeGraph(answer(200, succeeded())), FakeCredential()
    error(kind, graph, lambda client: client.read_operation(url), credential=credential)
    error(kind, graph, lambda client: client.read_manifest(url), credential=credential)
    assert graph.requests == []
    assert credential.asked == []


def test_the_client_checks_origins_itself() -> None:
    """The check does not depend on how requests are authenticated."""
    graph = FakeGraph(answer(200, succeeded()))

    async def read() -> None:
        async with httpx.AsyncClient(transport=graph) as http:
            await BillingClient(BASE_URL, http, SourceHosts((".x.y",))).read_manifest("https://example.com/x")

    with pytest.raises(ForeignOrigin):
        asyncio.run(read())
    assert graph.requests == []


UNFIT_FOR_A_URL = ["\x01", "\x85", "\u202e", "x" * 5000]


@pytest.mark.parametrize("unfit", [*UNFIT_FOR_A_URL, "\ud800"], ids=ascii)
def test_a_link_that_is_no_plain_text_is_refused(unfit: str) -> None:
    """It would be stored as part of the plan, where nothing can write half a surrogate pair."""
    operation = sample("operation-succeeded-linked", **{"resourceLocation@odata.navigationLink": MANIFEST_URL + unfit})
    graph = FakeGraph(httpx.Response(200, text=json.dumps(operation)))
    assert error(UnusableAnswer, graph, read_operation).message.isprintable()
    assert len(graph.requests) == 1


@pytest.mark.parametrize("unfit", UNFIT_FOR_A_URL, ids=ascii)
def test_a_location_that_is_no_plain_text_is_refused(unfit: str) -> None:
    """It would be stored as the operation's URL, and asked for again and again."""
    given = httpx.Response(202, headers=[(b"Location", f"{OPERATION_URL}{unfit}".encode())])
    assert error(UnusableAnswer, FakeGraph(given), start).message.isprintable()


@pytest.mark.parametrize("call", CALLS)
def test_the_token_goes_to_graph_only(call: Call) -> None:
    """Whatever is answered, each request that leaves goes to Graph, and to Graph only."""
    operation = sample("operation-succeeded-linked")
    graph = FakeGraph(answer(401), answer(503), answer(200, operation, Location=OPERATION_URL), answer(200, manifest()))
    if call is start:
        error(UnusableAnswer, graph, call)
    else:
        result(graph, call)
    assert {request.url.host for request in graph.requests} == {"graph.microsoft.com"}
    assert {request.url.scheme for request in graph.requests} == {"https"}
    assert all(token and token.startswith("Bearer s3cret-token-") for token in graph.tokens)
