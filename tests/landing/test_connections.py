"""The way to the source over a real network: against servers on this machine that say what they are told to."""

import asyncio
import base64
import gzip
import random
import ssl
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import trustme

from failures import SourceUnavailable
from landing.connections import Connections, Interrupt
from tests.landing.conftest import Run
from tests.landing.scripted_server import Server, TunnelProxy, answer_of, answering

PATH = "/exports/a%2Bb%20c.gz?sv=1&sig=s1gn%2Fat%2Bure%3D"
NAMED = "source.example"
MIB = 1 << 20

Scenario = Callable[[Connections], Any]


def tls_for(name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a client trusts, and what the server of this name shows."""
    authority = trustme.CA()
    trusting, certified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.configure_trust(trusting)
    authority.issue_cert(name).configure_cert(certified)
    return trusting, certified


def play(
    run: Run, server: Server, scenario: Scenario, trusting: ssl.SSLContext | None = None, read_seconds: float = 60.0
) -> Any:
    """What the scenario returns, played in a thread while the server runs."""

    async def playing() -> Any:
        async with server.running(), connecting(trusting, read_seconds) as connections:
            return await asyncio.to_thread(scenario, connections)

    return run(playing())


@asynccontextmanager
async def connecting(trusting: ssl.SSLContext | None, read_seconds: float = 60.0) -> AsyncIterator[Connections]:
    """Connections that are closed."""
    connections = Connections(trusting or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), 60.0, read_seconds)
    try:
        yield connections
    finally:
        await connections.close()


def body(connections: Connections, url: str, interrupt: Interrupt | None = None) -> bytes:
    answer = connections.open("GET", url, {}, interrupt or Interrupt())
    try:
        buffer, content = memoryview(bytearray(MIB)), b""
        while length := answer.readinto(buffer):
            content += buffer[:length]
        return content
    finally:
        answer.close()


@pytest.fixture(params=["http", "https"])
def serve(request: pytest.FixtureRequest, run: Run) -> Callable[..., Server]:
    """Plays a scenario against a server that gives this answer, with and without TLS; the server."""
    trusting, certified = tls_for("127.0.0.1") if request.param == "https" else (None, None)

    def serve(answer: bytes | Callable[[str], bytes], scenario: Callable[[Connections, str], Any]) -> Server:
        server = Server(answer, tls=certified)
        play(run, server, lambda connections: scenario(connections, server.url + PATH), trusting)
        return server

    return serve


@pytest.mark.parametrize("length", [0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB + 7])
def test_a_body_arrives_whole_and_its_connection_is_kept(serve: Callable[..., Server], length: int) -> None:
    """Whatever its length, the next one comes over the same connection."""
    content = random.Random(length).randbytes(length)

    def scenario(connections: Connections, url: str) -> None:
        for _ in range(3):
            assert body(connections, url) == content

    server = serve(answer_of(content), scenario)
    assert (len(server.requests), server.connections) == (3, 1)


def test_a_connection_is_kept_after_a_head(serve: Callable[..., Server]) -> None:
    """It has no body, though it tells a length."""

    def scenario(connections: Connections, url: str) -> None:
        for _ in range(3):
            answer = connections.open("HEAD", url, {}, Interrupt())
            assert answer.header("content-length") == "9"
            answer.close()

    assert serve(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", scenario).connections == 1


def test_a_connection_of_which_not_all_was_read_is_closed(serve: Callable[..., Server]) -> None:
    """What is left in it would be taken for the next answer."""

    def scenario(connections: Connections, url: str) -> None:
        connections.open("GET", url, {}, Interrupt()).close()
        assert body(connections, url) == bytes(9)

    assert serve(answer_of(bytes(9)), scenario).connections == 2


def test_bodies_at_once_do_not_mix(serve: Callable[..., Server]) -> None:
    """Each thread has a connection of its own, and gets its own bytes."""
    contents = {str(number): random.Random(number).randbytes(2 * MIB) for number in range(10, 26)}

    def scenario(connections: Connections, url: str) -> None:
        with ThreadPoolExecutor(8) as threads:
            bodies = threads.map(lambda number: body(connections, f"{url}&n={number}"), contents)
            assert list(bodies) == list(contents.values())

    server = serve(lambda line: answer_of(contents[line.split()[1][-2:]]), scenario)
    assert server.connections <= 8


def test_a_connection_that_the_server_has_closed_is_replaced(run: Run) -> None:
    """Servers close what nobody has used for a while; the request is sent again, and nobody notices."""
    server = Server(answer_of(b"content"), then_close=True)

    def scenario(connections: Connections) -> None:
        for _ in range(3):
            assert body(connections, server.url + PATH) == b"content"

    play(run, server, scenario)
    assert server.connections == 3


def test_a_server_that_says_that_it_hangs_up(run: Run) -> None:
    """Its answer is read to the end."""
    server = Server(answer_of(bytes(MIB), "Connection: close"), then_close=True)
    assert play(run, server, lambda connections: body(connections, server.url + PATH)) == bytes(MIB)


def test_a_url_is_sent_as_it_is_written(run: Run) -> None:
    """A SAS token is signed over its very characters."""
    server = answering()
    play(run, server, lambda connections: body(connections, server.url + PATH))
    assert server.requests == [f"GET {PATH} HTTP/1.1"]


def test_what_no_url_may_hold_is_encoded(run: Run) -> None:
    """A root folder with a blank or a letter beyond ASCII does not break the request."""
    server = answering()
    play(run, server, lambda connections: body(connections, f"{server.url}/my exports/é%20.gz?sig=a%2Bb"))
    assert server.requests == ["GET /my%20exports/%C3%A9%20.gz?sig=a%2Bb HTTP/1.1"]


@pytest.mark.parametrize("host", [f"{'x' * 64}.example", "é.example", "[", "127.0.0.1:port"])
def test_a_host_that_cannot_be(run: Run, host: str) -> None:
    """A name that no host can have is a source that does not answer."""
    with pytest.raises(SourceUnavailable):
        play(run, answering(), lambda connections: body(connections, f"http://{host}{PATH}"))


def test_bytes_arrive_as_they_are_stored(run: Run) -> None:
    """A body is not unpacked, whatever its Content-Encoding says."""
    packed = gzip.compress(b"content")
    server = answering(packed, "Content-Encoding: gzip")
    assert play(run, server, lambda connections: body(connections, server.url + PATH)) == packed


def test_a_body_of_unknown_length_arrives_whole(run: Run) -> None:
    """However long it turns out to be."""
    part = bytes(MIB)
    chunk = f"{len(part):x}\r\n".encode() + part + b"\r\n"
    server = Server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + 3 * chunk + b"0\r\n\r\n")
    assert play(run, server, lambda connections: body(connections, server.url + PATH)) == 3 * part


def test_a_body_of_two_lengths(run: Run) -> None:
    """An answer that tells a length and comes in chunks as well is read as chunks (RFC 9112, 6.3)."""
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {MIB}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    server = Server(head + bytes(MIB), then_close=True)
    with pytest.raises(SourceUnavailable):
        play(run, server, lambda connections: body(connections, server.url + PATH))


def test_a_redirect_is_not_followed(run: Run) -> None:
    """It is an answer like any other; headers are found whatever their case."""
    server = answering(b"", "Location: https://example.com/", status="302 Found")

    def scenario(connections: Connections) -> None:
        answer = connections.open("HEAD", server.url + PATH, {}, Interrupt())
        assert (answer.status, answer.header("location")) == (302, "https://example.com/")
        answer.close()

    play(run, server, scenario)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "server",
    [
        Server(b"", then_close=True),
        Server(b"not HTTP\r\n\r\n", then_close=True),
        Server(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"),
        Server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nZZ\r\n"),
        Server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nZZ\r\n", then_close=True),
        Server(b""),
    ],
    ids=["no answer", "no HTTP", "stuck in the middle", "no chunk", "no chunk and closed", "silent"],
)
def test_a_source_that_does_not_answer(run: Run, server: Server) -> None:
    """Whatever goes wrong is told as one thing, which can be tried again, and without the URL."""
    with pytest.raises(SourceUnavailable) as caught:
        play(run, server, lambda connections: body(connections, server.url + PATH), read_seconds=0.2)
    assert "sig=" not in repr(caught.value)
    assert caught.value.__suppress_context__


def test_a_source_that_cannot_be_reached(run: Run) -> None:
    """A refused connection is told like an answer that does not come."""
    gone = answering()
    play(run, gone, lambda connections: body(connections, gone.url + PATH))
    with pytest.raises(SourceUnavailable, match="ConnectionRefusedError"):
        play(run, answering(), lambda connections: body(connections, gone.url + PATH))


def test_a_certificate_that_nobody_vouches_for(run: Run) -> None:
    """It is no source, and is sent no request."""
    server = Server(answer_of(b"content"), tls=tls_for("127.0.0.1")[1])
    with pytest.raises(SourceUnavailable, match="SSLCertVerificationError"):
        play(run, server, lambda connections: body(connections, server.url + PATH), tls_for("127.0.0.1")[0])
    assert server.requests == []


@pytest.mark.parametrize("credentials", ["", "user:p%40ss@"])
def test_a_proxy_of_the_environment_is_used(run: Run, monkeypatch: pytest.MonkeyPatch, credentials: str) -> None:
    """A source is asked for through the proxy that the environment names, with the credentials in the proxy's URL."""
    proxy = answering(b"by the proxy")

    def scenario(connections: Connections) -> bytes:
        monkeypatch.setenv("http_proxy", proxy.url.replace("http://", f"http://{credentials}"))
        return body(connections, f"http://{NAMED}{PATH}")

    assert play(run, proxy, scenario) == b"by the proxy"
    assert proxy.requests == [f"GET http://{NAMED}{PATH} HTTP/1.1"]
    expected = f"Basic {base64.b64encode(b'user:p@ss').decode()}" if credentials else None
    assert proxy.header("Proxy-Authorization") == expected
    assert proxy.header("Host") == NAMED


@pytest.mark.parametrize("spared", [f"http://{NAMED}.invalid:1", "http://127.0.0.1:1", "http://localhost:1"])
def test_a_proxy_is_not_used_for_everything(run: Run, monkeypatch: pytest.MonkeyPatch, spared: str) -> None:
    """What NO_PROXY names is reached directly, and so is this machine, which no proxy could reach."""
    proxy = answering(b"by the proxy")

    def scenario(connections: Connections) -> None:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", ".invalid")
        with pytest.raises(SourceUnavailable):
            body(connections, spared + PATH)

    play(run, proxy, scenario)
    assert proxy.requests == []


@pytest.mark.parametrize("credentials", ["", "user:p%40ss@"])
def test_https_goes_through_a_proxys_tunnel(run: Run, monkeypatch: pytest.MonkeyPatch, credentials: str) -> None:
    """The proxy learns the host and its own credentials, and neither path nor token."""
    trusting, certified = tls_for(NAMED)
    server = Server(answer_of(b"content"), tls=certified)

    async def playing() -> None:
        async with server.running(), TunnelProxy(server).running() as proxy, connecting(trusting) as connections:
            monkeypatch.setenv("https_proxy", proxy.url.replace("http://", f"http://{credentials}"))
            for _ in range(2):
                assert await asyncio.to_thread(body, connections, f"https://{NAMED}{PATH}") == b"content"
            (head,) = proxy.heads
            assert head.startswith(f"CONNECT {NAMED}:443 HTTP/1.")
            assert ("Proxy-Authorization: Basic dXNlcjpwQHNz" in head) == bool(credentials)
            assert "sig=" not in head

    run(playing())
    assert server.requests == 2 * [f"GET {PATH} HTTP/1.1"]
    assert (server.header("Host"), server.header("Proxy-Authorization")) == (NAMED, None)


def test_a_proxy_that_refuses(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told like a source that does not answer."""
    proxy = answering(status="407 Proxy Authentication Required")

    def scenario(connections: Connections) -> None:
        monkeypatch.setenv("https_proxy", proxy.url)
        body(connections, f"https://{NAMED}{PATH}")

    with pytest.raises(SourceUnavailable, match="OSError"):
        play(run, proxy, scenario)


HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"


@pytest.mark.parametrize("answer", [b"", HALF, HALF.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")])
@pytest.mark.parametrize("tls", ["none", "silent", "established"])
def test_whoever_waits_for_a_source_can_be_interrupted(run: Run, answer: bytes, tls: str) -> None:
    """Before an answer, in its middle, or while TLS is agreed on: the wait is over at once, and nothing else begins."""
    trusting, certified = tls_for("127.0.0.1")
    server = Server(answer, tls=certified if tls == "established" else None)

    async def playing() -> None:
        async with server.running():
            connections = Connections(trusting, connect_seconds=60.0, read_seconds=60.0)
            url = server.url.replace("http:", "https:") if tls == "silent" else server.url
            interrupt = Interrupt()
            reading = asyncio.create_task(asyncio.to_thread(body, connections, url + PATH, interrupt))
            await (server.connected if tls == "silent" else server.asked).wait()
            interrupt.request()
            async with asyncio.timeout(2):
                with suppress(SourceUnavailable):
                    assert await reading == b"half"
            with pytest.raises(SourceUnavailable, match="ConnectionAbortedError"):
                body(connections, url + PATH, interrupt)
            await connections.close()

    run(playing())


def test_an_interruption_leaves_the_connections_of_others_alone(run: Run) -> None:
    """What one has given back is the next one's."""
    server = answering(b"content")

    def scenario(connections: Connections) -> None:
        first = Interrupt()
        assert body(connections, server.url + PATH, first) == b"content"
        first.request()
        assert body(connections, server.url + PATH) == b"content"

    play(run, server, scenario)
    assert server.connections == 1
