"""Lets source blobs be asked for through any transport of httpx's: fakes, and apps in this process."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from typing import Any, TypeVar, cast

import httpx

from failures import SourceUnavailable
from landing.connections import Interrupt

T = TypeVar("T")


class HttpxSource:
    """What the landing zones' connections are to a network, this is to a transport of httpx's."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport

    def open(self, method: str, url: str, headers: Mapping[str, str], _: Interrupt) -> "_Answer":
        """The transport's answer; its errors are told as those of a network are."""
        try:
            return _Answer(self._transport.handle_request(httpx.Request(method, url, headers=headers)))
        except httpx.TransportError as fault:
            raise _unanswered(fault) from None


class _Answer:
    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self._response = response
        self._pieces = iter(cast("httpx.SyncByteStream", response.stream))
        self._left = b""

    def header(self, name: str) -> str | None:
        value: str | None = self._response.headers.get(name)
        return value

    def readinto(self, buffer: memoryview) -> int:
        try:
            self._left = self._left or next((piece for piece in self._pieces if piece), b"")
        except httpx.TransportError as fault:
            raise _unanswered(fault) from None
        taken, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)

    def close(self) -> None:
        self._response.close()


class OnLoop(httpx.BaseTransport):
    """Has threads ask what answers on the running event loop."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run_coroutine_threadsafe(self._answer(request), self._loop).result()

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._transport.handle_async_request(request)
        body = b"".join([piece async for piece in cast("httpx.AsyncByteStream", answer.stream)])
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(body))


class NoThreads(Executor):
    """Does everything at once, where it is asked for."""

    def submit(self, call: Callable[..., T], /, *values: Any, **named: Any) -> Future[T]:
        done: Future[T] = Future()
        try:
            done.set_result(call(*values, **named))
        except Exception as fault:
            done.set_exception(fault)
        return done


def _unanswered(fault: httpx.TransportError) -> SourceUnavailable:
    return SourceUnavailable(f"The source did not answer ({type(fault).__name__}).")
