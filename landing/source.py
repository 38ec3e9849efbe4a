"""Source blobs, read over HTTP by their SAS URL.

Source: https://learn.microsoft.com/rest/api/storageservices/get-blob
"""

import base64
import binascii
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

from landing.errors import LandingError, SourceChanged, SourceExpired, SourceMissing, SourceUnavailable

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

# What is hashed and stored must be the blob's own bytes.
_AS_IT_IS = {"Accept-Encoding": "identity"}

_ERRORS: dict[int, tuple[type[LandingError], str]] = {
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


Piece = bytes | memoryview
"""A part of a body."""


class Answer(Protocol):
    """What the source answers. `headers` are found by their names in any case."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers."""

    def pieces(self) -> AsyncIterator[Piece]:
        """The body, as it arrives. A piece is good until the next is asked for, the last one until the answer is left.

        Raises:
            SourceUnavailable: when it breaks off.
        """


class SourceTransport(Protocol):
    """How the source is reached. It must not authenticate: the SAS token in the URL does."""

    def ask(self, method: str, url: str, headers: Mapping[str, str]) -> AbstractAsyncContextManager[Answer]:
        """The answer to one request, redirects not followed.

        Raises:
            SourceUnavailable: when there is none.
        """


class SourceReader:
    """Reads source blobs."""

    def __init__(self, transport: SourceTransport) -> None:
        self._transport = transport

    async def describe(self, url: str) -> Source:
        """The blob's length, MD5 and eTag.

        Raises:
            TryAgain: one of its kinds, when the blob cannot be read now.
        """
        async with self._transport.ask("HEAD", url, _AS_IT_IS) as answer:
            _require_success(answer)
            return _described(url, answer.headers)

    @asynccontextmanager
    async def read(self, url: str) -> AsyncIterator[tuple[Source, AsyncIterator[Piece]]]:
        """The whole blob: what it is, and its bytes as they arrive, by one request where that tells their MD5.

        Raises:
            TryAgain: one of its kinds, when the blob changed, cannot be read now, or ends too early.
        """
        async with self._transport.ask("GET", url, _AS_IT_IS) as answer:
            _require_success(answer)
            # Else it could be anybody's answer, a proxy's say: a second one must vouch for it.
            whole = answer.status == HTTPStatus.OK and "Content-Length" in answer.headers
            source = _described(url, answer.headers) if whole and _md5(answer.headers) else await self.describe(url)
            e_tag = answer.headers.get("ETag")
            if e_tag and source.e_tag and e_tag != source.e_tag:
                raise source_error(HTTPStatus.PRECONDITION_FAILED)
            yield source, _all(source.length, answer)

    async def fetch(self, source: Source, start: int = 0, length: int | None = None) -> bytes:
        """The bytes of the blob from `start` on, `length` of them (else all), if it still is the one described.

        Raises:
            TryAgain: one of its kinds, when the blob changed, cannot be read now, or ends too early.
        """
        expected = source.length - start if length is None else length
        whole = expected == source.length
        headers = dict(_AS_IT_IS)
        if source.e_tag:
            headers["If-Match"] = source.e_tag
        if not whole:
            headers["Range"] = f"bytes={start}-{start + expected - 1}"
        async with self._transport.ask("GET", source.url, headers) as answer:
            _require_success(answer)
            if not whole and answer.status != HTTPStatus.PARTIAL_CONTENT:
                raise SourceUnavailable("The source does not serve ranges.")
            return b"".join([bytes(piece) async for piece in _all(expected, answer)])


async def _all(expected: int, answer: Answer) -> AsyncIterator[Piece]:
    got = 0
    async for piece in answer.pieces():
        got += len(piece)
        yield piece
    if got != expected:
        raise SourceUnavailable(f"The source ended after {got} of {expected} bytes.")


def _require_success(answer: Answer) -> None:
    if not 200 <= answer.status < 300:
        raise source_error(answer.status)


def source_error(status: int) -> LandingError:
    """The error that the source's HTTP status stands for."""
    kind, message = _ERRORS.get(status, (SourceUnavailable, f"The source answered {status}."))
    return kind(message)


def _described(url: str, headers: Mapping[str, str]) -> Source:
    length = headers.get("Content-Length", "")
    if not length.isdigit():
        raise SourceUnavailable("The source does not tell the blob's length.")
    return Source(url, int(length), _md5(headers), headers.get("ETag"))


def _md5(headers: Mapping[str, str]) -> str | None:
    try:
        digest = base64.b64decode(headers.get("Content-MD5", ""), validate=True)
    except binascii.Error:
        return None
    return digest.hex() if len(digest) == 16 else None
