"""The way to the source over a real network: against servers on this machine that say what they are told to."""

import asyncio
import gzip
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from landing.buffers import BUFFER
from landing.errors import SourceUnavailable
from landing.transport import AiohttpTransport
from tests.landing.conftest import Run
from tests.landing.scripted_server import Server, answering

PATH = "/exports/a%2Bb%20c.gz?sv=1&sig=s1gn%2Fat%2Bure%3D"


def play(run: Run, server: Server, scenario: Callable[[AiohttpTransport], Awaitable[Any]]) -> Any:
    """What the scenario answers, played while the server runs."""

    async def playing() -> Any:
        async with server.running():
            transport = AiohttpTransport(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), 5.0, read_seconds=0.2)
            try:
                return await scenario(transport)
            finally:
                await transport.close()

    return run(playing())


async def body(transport: AiohttpTransport, url: str) -> bytes:
    async with transport.ask("GET", url, {}) as answer:
        return b"".join([bytes(piece) async for piece in answer.pieces()])


def test_a_connection_is_kept_for_the_next_request(run: Run) -> None:
    """Requests one after the other go over one connection, whether they have a body or not."""
    server = answering(b"content")

    async def scenario(transport: AiohttpTransport) -> None:
        for _ in range(3):
            assert await body(transport, server.url + PATH) == b"content"

    play(run, server, scenario)
    assert (len(server.requests), server.connections) == (3, 1)


def test_requests_at_once_do_not_wait_for_each_other(run: Run) -> None:
    """However many there are, each has a connection."""
    server = answering(b"content")

    async def scenario(transport: AiohttpTransport) -> None:
        await asyncio.gather(*(body(transport, server.url + PATH) for _ in range(150)))

    play(run, server, scenario)
    assert server.connections == 150


def test_a_url_is_sent_as_it_is_written(run: Run) -> None:
    """A SAS token is signed over its very characters."""
    server = answering()
    play(run, server, lambda transport: body(transport, server.url + PATH))
    assert server.requests == [f"GET {PATH} HTTP/1.1"]


def test_what_no_url_may_hold_is_encoded(run: Run) -> None:
    """A root folder with a blank or a letter beyond ASCII does not break the request."""
    server = answering()
    play(run, server, lambda transport: body(transport, f"{server.url}/my exports/é%20.gz?sig=a%2Bb"))
    assert server.requests == ["GET /my%20exports/%C3%A9%20.gz?sig=a%2Bb HTTP/1.1"]


def test_a_host_that_cannot_be(run: Run) -> None:
    """A name that no host can have is a source that does not answer."""
    server = answering()
    with pytest.raises(SourceUnavailable):
        play(run, server, lambda transport: body(transport, f"http://{'x' * 64}.example{PATH}"))


def test_bytes_arrive_as_they_are_stored(run: Run) -> None:
    """A body is not unpacked, whatever its Content-Encoding says."""
    packed = gzip.compress(b"content")
    server = answering(packed, "Content-Encoding: gzip")
    assert play(run, server, lambda transport: body(transport, server.url + PATH)) == packed


def test_a_body_of_unknown_length_arrives_whole(run: Run) -> None:
    """However long it turns out to be."""
    part = bytes(BUFFER)
    chunk = f"{len(part):x}\r\n".encode() + part + b"\r\n"
    server = Server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + 3 * chunk + b"0\r\n\r\n")
    assert play(run, server, lambda transport: body(transport, server.url + PATH)) == 3 * part


def test_a_body_of_two_lengths(run: Run) -> None:
    """An answer that tells a length and comes in chunks as well is none (RFC 9112, 6.3)."""
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {3 * BUFFER}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    server = Server(head + bytes(3 * BUFFER), then_close=True)
    with pytest.raises(SourceUnavailable):
        play(run, server, lambda transport: body(transport, server.url + PATH))


def test_a_redirect_is_not_followed(run: Run) -> None:
    """It is an answer like any other; headers are found whatever their case."""
    server = answering(b"", "Location: https://example.com/", status="302 Found")

    async def scenario(transport: AiohttpTransport) -> None:
        async with transport.ask("HEAD", server.url + PATH, {}) as answer:
            assert (answer.status, answer.headers["location"]) == (302, "https://example.com/")

    play(run, server, scenario)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "server",
    [
        Server(b"", then_close=True),
        Server(b"not HTTP\r\n\r\n", then_close=True),
        Server(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", then_close=True),
        Server(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"),
        Server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nZZ\r\n"),
        Server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nZZ\r\n", then_close=True),
        Server(b""),
    ],
    ids=["no answer", "no HTTP", "cut off", "stuck in the middle", "no chunk", "no chunk and closed", "silent"],
)
def test_a_source_that_does_not_answer(run: Run, server: Server) -> None:
    """Whatever goes wrong is told as one thing, which can be tried again, and without the URL."""
    with pytest.raises(SourceUnavailable) as caught:
        play(run, server, lambda transport: body(transport, server.url + PATH))
    assert "sig=" not in repr(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("length", [9, 3 * BUFFER])
def test_a_source_that_is_gone_before_anybody_reads(run: Run, length: int) -> None:
    """A body that broke off while its reader was busy elsewhere is told as one that breaks off under way."""
    server = Server(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\nhalf".encode(), then_close=True)

    async def scenario(transport: AiohttpTransport) -> None:
        async with transport.ask("GET", server.url + PATH, {}) as answer:
            for _ in range(100):
                await asyncio.sleep(0)
            async with asyncio.timeout(10):
                async for _ in answer.pieces():
                    pass

    with pytest.raises(SourceUnavailable, match="ClientPayloadError"):
        play(run, server, scenario)


def test_a_source_that_cannot_be_reached(run: Run) -> None:
    """A refused connection is told like an answer that does not come."""
    gone = answering()
    play(run, gone, lambda transport: body(transport, gone.url + PATH))
    with pytest.raises(SourceUnavailable, match="ClientConnectorError"):
        play(run, answering(), lambda transport: body(transport, gone.url + PATH))


def test_a_proxy_of_the_environment_is_used(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source is asked for through the proxy that the environment names, unless its host is spared."""
    proxy = answering(b"by the proxy")
    proxied, spared = f"http://127.0.0.8:1{PATH}", f"http://127.0.0.9:1{PATH}"

    async def scenario(transport: AiohttpTransport) -> None:
        monkeypatch.setenv("http_proxy", proxy.url.removeprefix("http://"))
        monkeypatch.setenv("no_proxy", "127.0.0.9")
        assert await body(transport, proxied) == b"by the proxy"
        with pytest.raises(SourceUnavailable, match="ClientConnectorError"):
            await body(transport, spared)

    play(run, proxy, scenario)
    assert proxy.requests == [f"GET {proxied} HTTP/1.1"]
