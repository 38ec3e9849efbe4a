"""Lets source blobs be asked for through any transport of httpx's: fakes, and apps in this process."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import cast

import httpx

from landing.errors import SourceUnavailable
from landing.source import Answer


class HttpxTransport:
    """What the landing zones' real transport is to a network, this is to a transport of httpx's."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    @asynccontextmanager
    async def ask(self, method: str, url: str, headers: Mapping[str, str]) -> AsyncIterator[Answer]:
        """The transport's answer; its errors are told as the real transport tells its own."""
        try:
            response = await self._transport.handle_async_request(httpx.Request(method, url, headers=headers))
        except httpx.TransportError as fault:
            raise _unanswered(fault) from None
        try:
            yield _Answer(response)
        finally:
            await response.aclose()


class _Answer:
    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self._body = cast("httpx.AsyncByteStream", response.stream)

    async def pieces(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._body:
                yield piece
        except httpx.TransportError as fault:
            raise _unanswered(fault) from None


def _unanswered(fault: httpx.TransportError) -> SourceUnavailable:
    return SourceUnavailable(f"The source did not answer ({type(fault).__name__}).")
