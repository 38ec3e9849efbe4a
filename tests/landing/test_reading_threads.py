"""The threads that read sources: who waits for them, what ends them, and what a silent source costs the others."""

import asyncio
import os
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from failures import SourceUnavailable
from landing.connections import Connections, Interrupt
from landing.source import PIECE_SECONDS, Source, SourceReader
from landing.zones.local_folder import LocalFolder
from tests.landing.conftest import Run
from tests.landing.fake_source import FakeSource
from tests.landing.scripted_server import Server, answer_of
from tests.skipping_loop import SkippingLoop, play
from tests.source_transport import HttpxSource

THREADS = 2
AT_ONCE = 2.0
"""Seconds in which whoever gives up is done."""

SILENT = {"before it answers": b"", "in the middle": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"}

CTRL_C = """
import asyncio, signal, ssl, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from landing.connections import Connections
from landing.source import SourceReader
from landing.zones.local_folder import LocalFolder

# A shell's job in the background inherits that the signal is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)

async def main():
    connections = Connections(ssl.create_default_context(), 60.0, 60.0)
    sources = SourceReader(connections.open, ThreadPoolExecutor(2))
    zone = LocalFolder(Path(sys.argv[2]), sources)
    try:
        await asyncio.gather(*(zone.copy(sys.argv[1], f"v=1/{n}", out_of_time=lambda: False) for n in range(5)))
    finally:
        await sources.close()

asyncio.run(main())
"""


class Gate:
    """A way to the source that holds each request until it may go on, or is interrupted."""

    def __init__(self, source: FakeSource) -> None:
        self._open = HttpxSource(source).open
        self.begun = threading.Semaphore(0)
        self.opened = threading.Event()

    def open(self, method: str, url: str, headers: Any, interrupt: Interrupt) -> Any:
        connection: Any = self
        interrupt.add(connection)
        self.begun.release()
        self.opened.wait()
        return self._open(method, url, headers, interrupt)

    def cut(self) -> None:
        self.opened.set()


@pytest.fixture
def gate(source: FakeSource) -> Gate:
    return Gate(source)


@pytest.fixture
def reader(run: Run, gate: Gate) -> Iterator[SourceReader]:
    reader = SourceReader(gate.open, ThreadPoolExecutor(THREADS))
    yield reader
    gate.opened.set()
    run(reader.close())


def store(_: Source, pieces: Iterator[memoryview]) -> bytes:
    return b"".join(map(bytes, pieces))


@pytest.mark.parametrize("cancellations", [1, 3])
def test_whoever_is_cancelled_waits_for_the_thread(
    run: Run, reader: SourceReader, gate: Gate, source: FakeSource, cancellations: int
) -> None:
    """It is interrupted, and when the cancelled one goes on, no thread is at its work any more."""
    source.put("x", b"content")
    over = threading.Event()

    def slow(_: Source, pieces: Iterator[memoryview]) -> None:
        list(pieces)
        over.set()

    async def scenario() -> None:
        reading = asyncio.create_task(reader.read(source.url("x"), slow))
        await asyncio.to_thread(gate.begun.acquire)
        for _ in range(cancellations):
            reading.cancel()
            await asyncio.sleep(0)
        await asyncio.wait([reading], timeout=AT_ONCE)
        assert reading.cancelled()
        assert over.is_set()

    run(scenario())


def test_what_no_thread_has_begun_is_never_begun(
    run: Run, reader: SourceReader, gate: Gate, source: FakeSource
) -> None:
    """Who is cancelled before a thread is free does not wait for one."""
    source.put("x", b"content")

    async def scenario() -> None:
        before = [asyncio.create_task(reader.read(source.url("x"), store)) for _ in range(THREADS)]
        for _ in range(THREADS):
            await asyncio.to_thread(gate.begun.acquire)
        waiting = asyncio.create_task(reader.read(source.url("x"), store))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting], timeout=AT_ONCE)
        assert waiting.cancelled()
        gate.opened.set()
        assert await asyncio.gather(*before) == [b"content"] * THREADS

    run(scenario())
    assert len(source.requests) == THREADS


@pytest.mark.parametrize("answer", SILENT.values(), ids=SILENT)
def test_closing_ends_all_that_is_read(run: Run, answer: bytes, tmp_path: Path) -> None:
    """However long their sources would have been waited for; no thread is left, and nothing of their blobs."""

    async def scenario() -> None:
        server = Server(answer)
        async with server.running():
            connections = Connections(ssl.create_default_context(), 60.0, 60.0)
            threads = ThreadPoolExecutor(THREADS, "of this test")
            reader = SourceReader(connections.open, threads)
            zone = LocalFolder(tmp_path, reader)
            copies = [zone.copy(f"{server.url}/x", f"v=1/{n}", out_of_time=lambda: False) for n in range(THREADS)]
            copying = [asyncio.create_task(copy) for copy in copies]
            await server.asked.wait()
            async with asyncio.timeout(AT_ONCE):
                await reader.close()
                outcomes = await asyncio.gather(*copying, return_exceptions=True)
            assert {type(outcome) for outcome in outcomes} == {SourceUnavailable}
            assert not [thread for thread in threading.enumerate() if thread.name.startswith("of this test")]
            await connections.close()

    run(scenario())
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("answer", SILENT.values(), ids=SILENT)
def test_a_silent_source_holds_up_one_thread(run: Run, answer: bytes) -> None:
    """It is given up after the read time-out; meanwhile the others go on."""

    async def scenario() -> None:
        server = Server(lambda line: answer if "/silent" in line else answer_of(b"content", "ETag: 1"))
        async with server.running():
            connections = Connections(ssl.create_default_context(), 5.0, read_seconds=1.0)
            reader = SourceReader(connections.open, ThreadPoolExecutor(THREADS))
            silent = asyncio.create_task(reader.read(f"{server.url}/silent", store))
            await server.asked.wait()
            for _ in range(50):
                source = Source(f"{server.url}/x", 7)
                assert await reader.fetch(source) == b"content"
            assert not silent.done()
            with pytest.raises(SourceUnavailable, match="TimeoutError"):
                await silent
            await reader.close()
            await connections.close()

    run(scenario())


TRICKLING = {"a head": b"HTTP/1.1 200 OK\r\nX-Long: ", "a body": b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"}


@pytest.mark.parametrize("begun", TRICKLING.values(), ids=TRICKLING)
def test_a_source_that_sends_a_byte_now_and_then_is_given_up(begun: bytes) -> None:
    """Each byte comes in time, and the blob would never be there."""

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(begun)
        with suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(PIECE_SECONDS / 20)
        writer.close()

    async def scenario(loop: SkippingLoop) -> float:
        connections = Connections(ssl.create_default_context(), 60.0, 60.0)
        reader = SourceReader(connections.open, ThreadPoolExecutor(THREADS))
        async with await asyncio.start_server(trickle, "127.0.0.1") as server:
            began = loop.time()
            port = server.sockets[0].getsockname()[1]
            fetching = asyncio.create_task(reader.fetch(Source(f"http://127.0.0.1:{port}/x", 9999)))
            while not fetching.done():
                await asyncio.sleep(0.01)
                loop.skip(PIECE_SECONDS / 10)
            with pytest.raises(SourceUnavailable):
                await fetching
            await reader.close()
            await connections.close()
            return loop.time() - began

    assert PIECE_SECONDS <= play(scenario) < 4 * PIECE_SECONDS


def test_work_that_waits_for_a_thread_is_not_given_up(gate: Gate, source: FakeSource) -> None:
    """However long those before it take."""
    source.put("x", b"content")

    async def scenario(loop: SkippingLoop) -> list[bytes]:
        reader = SourceReader(gate.open, ThreadPoolExecutor(1))
        reading = [asyncio.create_task(reader.read(source.url("x"), store)) for _ in range(2)]
        await asyncio.to_thread(gate.begun.acquire)
        for _ in range(3):
            loop.skip(PIECE_SECONDS)
            await asyncio.sleep(0)
        gate.opened.set()
        read = await asyncio.gather(*reading)
        await reader.close()
        return read

    assert play(scenario) == [b"content"] * 2


@pytest.mark.skipif(sys.platform == "win32", reason="There is no such signal.")
@pytest.mark.parametrize("answer", SILENT.values(), ids=SILENT)
def test_ctrl_c_ends_the_process_while_sources_are_silent(run: Run, answer: bytes, tmp_path: Path) -> None:
    """At once, also with copies that no thread has begun."""

    async def scenario() -> int:
        server = Server(answer)
        async with server.running():
            command = [sys.executable, "-c", CTRL_C, f"{server.url}/x", str(tmp_path)]
            process = await asyncio.create_subprocess_exec(
                *command, cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL
            )
            await server.asked.wait()
            os.kill(process.pid, signal.SIGINT)
            async with asyncio.timeout(AT_ONCE):
                return await process.wait()

    assert run(scenario()) != 0
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
