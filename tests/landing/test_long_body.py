"""Long bodies: over a real network, and at the hand of tests that say what arrives when."""

import asyncio
import random
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, cast

import aiohttp
import pytest
import trustme

from landing.buffers import BUFFER, KEPT, Buffers
from landing.errors import SourceUnavailable
from landing.long_body import AT_ONCE, LongBody
from landing.transport import AiohttpTransport
from tests.landing.conftest import Run
from tests.landing.scripted_server import Server, answer_of
from tests.simulation.virtual_time import play

Scenario = Callable[[AiohttpTransport, str], Awaitable[None]]
Serving = Callable[..., Server]

LONG = 3 * BUFFER + 7
SECONDS = 60.0


def content(seed: object, length: int = LONG) -> bytes:
    """So many bytes, which no other seed has."""
    return random.Random(str(seed)).randbytes(length)


async def body(transport: AiohttpTransport, url: str) -> bytes:
    async with transport.ask("GET", url, {}) as answer:
        return b"".join([bytes(piece) async for piece in answer.pieces()])


@pytest.fixture(params=["http", "https"])
def serving(request: pytest.FixtureRequest, run: Run) -> Serving:
    """Plays a scenario against a server with these answers, which it returns when all is over."""
    trusting, certified = _tls() if request.param == "https" else (ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), None)

    async def playing(server: Server, scenario: Scenario) -> None:
        async with server.running():
            transport = AiohttpTransport(trusting, 5.0, read_seconds=0.2)
            try:
                await scenario(transport, f"{server.url}/exports/blob?sig=secret")
            finally:
                await transport.close()

    def serve(answer: bytes | Callable[[str], bytes], scenario: Scenario, then_close: bool = False) -> Server:
        server = Server(answer, then_close, certified)
        run(playing(server, scenario))
        return server

    return serve


def _tls() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a client trusts, and what a server shows."""
    authority = trustme.CA()
    trusting, certified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.configure_trust(trusting)
    authority.issue_cert("127.0.0.1").configure_cert(certified)
    return trusting, certified


@pytest.mark.parametrize("length", [BUFFER - 1, BUFFER, BUFFER + 1, 2 * BUFFER, 2 * BUFFER + 1, 5 * BUFFER - 1])
def test_a_body_arrives_whole_and_its_connection_is_kept(serving: Serving, length: int) -> None:
    """Whatever its length it comes in pieces of a buffer but for the last, the next one over the same connection."""
    sent = content(length, length)

    async def scenario(transport: AiohttpTransport, url: str) -> None:
        for _ in range(3):
            async with transport.ask("GET", url, {}) as answer:
                pieces = [bytes(piece) async for piece in answer.pieces()]
            assert b"".join(pieces) == sent
            assert {len(piece) for piece in pieces[:-1]} <= {BUFFER}

    server = serving(answer_of(sent), scenario)
    assert (len(server.requests), server.connections) == (3, 1)


def test_bodies_at_once_do_not_mix(serving: Serving) -> None:
    """Each has its own bytes, however many share the buffers, and whoever had them before."""

    async def read(transport: AiohttpTransport, url: str, name: str) -> None:
        assert await body(transport, url.replace("/blob?", f"/{name}?")) == content(f"/exports/{name}?sig=secret")

    async def scenario(transport: AiohttpTransport, url: str) -> None:
        for turn in range(3):
            await asyncio.gather(*(read(transport, url, f"{turn}-{which}") for which in range(10)))

    server = serving(lambda request: answer_of(content(request.split()[1])), scenario)
    assert (len(server.requests), server.connections) == (30, 10)


@pytest.mark.parametrize("then_close", [True, False], ids=["cut off", "stuck"])
@pytest.mark.parametrize("sent", [0, 5, BUFFER, 2 * BUFFER + 5])
def test_a_body_that_does_not_arrive(serving: Serving, sent: int, then_close: bool) -> None:
    """However much of it did, the source is told not to have answered, and the URL is not."""
    head = answer_of(content("half"))
    cut = len(head) - LONG + sent

    async def scenario(transport: AiohttpTransport, url: str) -> None:
        with pytest.raises(SourceUnavailable) as caught:
            await body(transport, url)
        assert "sig=" not in repr(caught.value)

    serving(head[:cut], scenario, then_close)


def test_a_body_that_nobody_reads_to_its_end(serving: Serving) -> None:
    """Its connection is ended, whether it was begun, passed over or cancelled; the next request has one of its own."""
    sent = content("long", 20 * BUFFER)

    async def begin(transport: AiohttpTransport, url: str) -> None:
        async with transport.ask("GET", url, {}) as answer:
            async for piece in answer.pieces():
                assert piece == sent[:BUFFER]
                break

    async def scenario(transport: AiohttpTransport, url: str) -> None:
        await begin(transport, url)
        async with transport.ask("GET", url, {}):
            pass
        reading = asyncio.create_task(body(transport, url))
        await begin(transport, url)
        reading.cancel()
        await asyncio.wait([reading])
        assert await body(transport, url) == sent

    server = serving(answer_of(sent), scenario)
    assert server.connections == len(server.requests)


class FakeConnection:
    """A connection of aiohttp's and what it is made of, which notes who reads from it."""

    def __init__(self, length: int, begun: bytes = b"") -> None:
        self.connection = self.protocol = self.transport = self.content = self
        self.content_length = length
        self.begun = begun
        self.reader: Any = self
        self.reading = True
        self.aborted = False
        self.ended = False

    def read_nowait(self) -> bytes:
        return self.begun

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def set_protocol(self, protocol: Any) -> None:
        self.reader = protocol

    def feed_eof(self) -> None:
        self.ended = True

    def abort(self) -> None:
        self.aborted = True

    def body(self, buffers: Buffers | None = None) -> LongBody:
        """The body that takes it over."""
        return LongBody(cast("aiohttp.ClientResponse", self), buffers or Buffers(), SECONDS)

    def arrive(self, sent: bytes) -> None:
        """Lets the bytes arrive as fast as there is room for them."""
        while sent:
            room = self.reader.get_buffer(-1)[: len(sent)]
            room[:] = sent[: len(room)]
            self.reader.buffer_updated(len(room))
            sent = sent[len(room) :]


def test_who_is_slow_holds_up_the_source() -> None:
    """No more is read ahead than the buffers hold, and reading goes on when one is free."""
    sent = content("slow", 5 * BUFFER)

    async def scenario() -> None:
        connection = FakeConnection(len(sent), sent[:10])
        pieces = connection.body().pieces()
        connection.arrive(sent[10 : AT_ONCE * BUFFER])
        assert not connection.reading
        assert await anext(pieces) == sent[:BUFFER]
        assert not connection.reading
        assert await anext(pieces) == sent[BUFFER : 2 * BUFFER]
        assert connection.reading

    play(scenario())


def test_aiohttp_has_the_connection_back_when_the_body_has_arrived() -> None:
    """As soon as it has, and before anybody has read it."""
    sent = content("all")

    async def scenario() -> None:
        connection = FakeConnection(len(sent))
        long_body = connection.body()
        connection.arrive(sent[:-1])
        assert (connection.reader, connection.ended) == (long_body, False)
        connection.arrive(sent[-1:])
        assert (connection.reader, connection.ended) == (connection, True)
        assert b"".join([bytes(piece) async for piece in long_body.pieces()]) == sent
        long_body.close()
        assert not connection.aborted

    play(scenario())


def test_a_source_that_is_slow_is_waited_for() -> None:
    """As long as bytes arrive, however few, and however long it takes until a buffer is full."""
    sent = content("slow", BUFFER + 100)

    async def trickle(connection: FakeConnection) -> None:
        for start in range(0, len(sent), BUFFER // 50):
            await asyncio.sleep(0.9 * SECONDS)
            connection.arrive(sent[start : start + BUFFER // 50])

    async def scenario() -> None:
        connection = FakeConnection(len(sent))
        trickling = asyncio.create_task(trickle(connection))
        assert b"".join([bytes(piece) async for piece in connection.body().pieces()]) == sent
        await trickling

    play(scenario())


def test_a_source_that_is_silent_is_given_up() -> None:
    """Once so many seconds have passed without a byte, and before twice as many have."""

    async def scenario() -> None:
        connection = FakeConnection(LONG)
        long_body = connection.body()
        loop = asyncio.get_running_loop()
        loop.call_later(SECONDS / 2, connection.arrive, b"x")
        with pytest.raises(TimeoutError):
            await anext(long_body.pieces())
        assert 1.5 * SECONDS <= loop.time() <= 2.5 * SECONDS

    play(scenario())


class Watched(Buffers):
    """Buffers that remember which of them were taken."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: set[int] = set()

    def take(self) -> memoryview:
        buffer = super().take()
        self.taken.add(id(buffer))
        return buffer


@pytest.mark.parametrize("arriving", [content("long"), content("long")[:-1], b""], ids=["whole", "half", "nothing"])
def test_the_buffers_of_a_body_that_is_over_are_used_again(arriving: bytes) -> None:
    """By the next one, whatever became of the body."""

    async def scenario() -> int:
        buffers = Watched()
        for _ in range(5):
            connection = FakeConnection(LONG)
            long_body = connection.body(buffers)
            connection.arrive(arriving)
            long_body.close()
        return len(buffers.taken)

    assert play(scenario()) == max(1, -(-len(arriving) // BUFFER))


def test_more_buffers_than_are_kept() -> None:
    """Their memory goes back to the system."""
    buffers = Buffers()
    given = [buffers.take() for _ in range(KEPT + 1)]
    buffers.give_back(given)
    again = [buffers.take() for _ in range(KEPT + 1)]
    assert len({id(buffer) for buffer in given} & {id(buffer) for buffer in again}) == KEPT
