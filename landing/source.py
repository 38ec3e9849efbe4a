"""Source blobs, read over HTTP by their SAS URL.

Source: https://learn.microsoft.com/rest/api/storageservices/get-blob
"""

import asyncio
import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import local
from types import MappingProxyType
from typing import Protocol, TypeVar

from failures import LandingFailure, SourceChanged, SourceExpired, SourceMissing, SourceUnavailable
from failures.request_ids import request_id_in
from landing.connections import Interrupt

BUFFER = 1 << 20
"""Bytes that a thread receives, hashes and writes at once.

Measured once with 16 blobs of 64 MiB, on two cores: a quarter of it took 18 % longer, four times as much 2 % less.
"""

PIECE_SECONDS = 300.0
"""Seconds in which something has to come: the head of an answer, or as many bytes. A source that sends a byte now and
then would hold a thread for ever; over a line of 64 KB/s, sixteen at once take that long."""

T = TypeVar("T")

_ERRORS: dict[int, tuple[type[LandingFailure], str]] = {
    401: (SourceExpired, "The source refused the SAS token (401)."),
    403: (SourceExpired, "The source refused the SAS token (403)."),
    404: (SourceMissing, "The source blob is not there (404)."),
    412: (SourceChanged, "The source blob changed while it was copied (412)."),
}


@dataclass(frozen=True)
class Source:
    """A source blob as it stands now. `url` is a secret; `length` in bytes, `md5` as hex where the source has one."""

    url: str = field(repr=False)
    length: int
    md5: str | None = None
    e_tag: str | None = None

    def require_md5(self, md5: str) -> None:
        """Returns only if bytes with this MD5 can be the blob's.

        Raises:
            SourceUnavailable: if they are not what it announced.
        """
        if self.md5 not in (None, md5):
            raise SourceUnavailable("The source's bytes do not have the MD5 that it announced.")


class Response(Protocol):
    """The source's response, its body still to be read."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    def header(self, name: str) -> str | None:
        """The header of this name, in any case; None where there is none."""

    def readinto(self, buffer: memoryview) -> int:
        """Fills the buffer with what comes next of the body: the number of bytes, 0 only at the end.

        Raises:
            SourceUnavailable: when it breaks off.
        """

    def close(self) -> None:
        """Lets go of it, read to its end or not."""


Open = Callable[[str, str, Mapping[str, str], Interrupt], Response]
"""How a source is asked, by method, URL and headers. It blocks until the head of the response is there.

It must not authenticate, since the SAS token in the URL does, nor follow redirects. It raises `SourceUnavailable` when
there is no answer, or when the work was interrupted.
"""


class SourceReader:
    """Reads source blobs, in threads. A cancelled caller waits until no thread works for it any more."""

    def __init__(self, opening: Open, threads: Executor) -> None:
        self._open = opening
        self._threads = threads
        self._buffers = local()
        self._working: set[Interrupt] = set()

    async def describe(self, url: str) -> Source:
        """The blob's length, MD5 and eTag.

        Raises:
            SourceFault: one of its kinds, when the blob cannot be read now.
        """
        return await self._in_thread(lambda asking: asking.describe(url))

    async def read(self, url: str, store: Callable[[Source, Iterator[memoryview]], T]) -> T:
        """What `store` returns, which is called in a thread with what the blob is, and its bytes as they arrive.

        A piece is valid until the next is asked for. One request is enough if its response gives the MD5.

        Raises:
            SourceFault: one of its kinds, when the blob changed, cannot be read now, or ends too early.
        """

        def work(asking: _Asking) -> T:
            with asking.read(url) as (source, response):
                return store(source, _pieces(response, source.length, self._buffer()))

        return await self._in_thread(work)

    async def fetch(self, source: Source, start: int = 0, length: int | None = None) -> bytes:
        """The bytes of the blob from `start` on, `length` of them (else all), if it still is the one described.

        Raises:
            SourceFault: one of its kinds, when the blob changed, cannot be read now, or ends too early.
        """
        expected = source.length - start if length is None else length

        def work(asking: _Asking) -> bytes:
            with asking.part(source, start, expected) as response:
                return b"".join(bytes(piece) for piece in _pieces(response, expected, self._buffer()))

        return await self._in_thread(work)

    async def close(self) -> None:
        """Interrupts what is being read, and ends the threads."""
        for interrupt in self._working:
            interrupt.request()
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)

    async def _in_thread(self, work: "Callable[[_Asking], T]") -> T:
        interrupt = Interrupt()
        working = self._threads.submit(work, _Asking(self._open, interrupt))
        self._working.add(interrupt)
        watching = _Watching(interrupt)
        try:
            return await asyncio.wrap_future(working)
        except asyncio.CancelledError:
            interrupt.request()
            while not (working.cancel() or working.done()):
                with suppress(Exception, asyncio.CancelledError):
                    await asyncio.wrap_future(working)
            raise
        finally:
            watching.end()
            self._working.discard(interrupt)

    def _buffer(self) -> memoryview:
        """The thread's own, again and again: memory from the system for each blob would cost long ones a seventh."""
        if not hasattr(self._buffers, "own"):
            self._buffers.own = memoryview(bytearray(BUFFER))
        buffer: memoryview = self._buffers.own
        return buffer


class _Watching:
    """Interrupts work of which nothing more has come between two looks."""

    def __init__(self, interrupt: Interrupt) -> None:
        self._interrupt = interrupt
        self._look_later()

    def end(self) -> None:
        """Looks no more."""
        self._next.cancel()

    def _look_later(self) -> None:
        seen = self._interrupt.progress
        self._next = asyncio.get_running_loop().call_later(PIECE_SECONDS, self._look, seen)

    def _look(self, seen: int) -> None:
        # Before anything was asked for, no thread was free.
        if seen and seen == self._interrupt.progress:
            self._interrupt.request()
        self._look_later()


@dataclass(frozen=True)
class _Asking:
    """The requests of one piece of work, in a thread."""

    open: Open
    interrupt: Interrupt

    def describe(self, url: str) -> Source:
        with self._response("HEAD", url) as response:
            return _described(url, response)

    @contextmanager
    def read(self, url: str) -> Iterator[tuple[Source, Response]]:
        with self._response("GET", url) as response:
            # Otherwise it could come from anybody, such as a proxy: a second response must confirm it.
            whole = response.status == HTTPStatus.OK and response.header("Content-Length") is not None
            source = _described(url, response) if whole and _md5(response) else self.describe(url)
            e_tag = response.header("ETag")
            if e_tag and source.e_tag and e_tag != source.e_tag:
                raise source_error(HTTPStatus.PRECONDITION_FAILED)
            yield source, response

    @contextmanager
    def part(self, source: Source, start: int, length: int) -> Iterator[Response]:
        whole = length == source.length
        headers = {"If-Match": source.e_tag} if source.e_tag else {}
        if not whole:
            headers["Range"] = f"bytes={start}-{start + length - 1}"
        with self._response("GET", source.url, headers) as response:
            if not whole and response.status != HTTPStatus.PARTIAL_CONTENT:
                raise SourceUnavailable("The source does not serve ranges.")
            yield response

    @contextmanager
    def _response(self, method: str, url: str, headers: Mapping[str, str] = MappingProxyType({})) -> Iterator[Response]:
        # What is hashed and stored must be the blob's own bytes.
        response = self.open(method, url, {"Accept-Encoding": "identity", **headers}, self.interrupt)
        with closing(response):
            if not 200 <= response.status < 300:
                raise source_error(response.status, request_id_in(response.header))
            yield response


def _pieces(response: Response, expected: int, buffer: memoryview) -> Iterator[memoryview]:
    got = 0
    while length := response.readinto(buffer):
        got += length
        yield buffer[:length]
    if got != expected:
        raise SourceUnavailable(f"The source ended after {got} of {expected} bytes.")


def source_error(status: int, request_id: str | None = None) -> LandingFailure:
    """The error that the source's HTTP status stands for."""
    kind, message = _ERRORS.get(status, (SourceUnavailable, f"The source answered {status}."))
    return kind(message, request_id=request_id)


def _described(url: str, response: Response) -> Source:
    length = response.header("Content-Length") or ""
    if not re.fullmatch("[0-9]{1,18}", length):
        raise SourceUnavailable("The source does not give the blob's length.")
    return Source(url, int(length), _md5(response), response.header("ETag"))


def _md5(response: Response) -> str | None:
    try:
        digest = base64.b64decode(response.header("Content-MD5") or "", validate=True)
    except binascii.Error:
        return None
    return digest.hex() if len(digest) == 16 else None
