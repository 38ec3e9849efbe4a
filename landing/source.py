"""Source blobs, read over HTTP by their SAS URL.

Source: https://learn.microsoft.com/rest/api/storageservices/get-blob
"""

import base64
import binascii
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from landing.errors import LandingError, SourceChanged, SourceExpired, SourceMissing, SourceUnavailable

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

CHUNK_BYTES = 1 << 20
"""Bytes handed on at once while streaming."""

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


class SourceReader:
    """Reads source blobs. `http` must not authenticate: the SAS token in the URL does."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def describe(self, url: str) -> Source:
        """The blob's length, MD5 and eTag.

        Raises:
            TryAgain: one of its kinds, when the blob cannot be read now.
        """
        try:
            response = await self._http.head(url)
        except httpx.TransportError as fault:
            raise _unanswered(fault) from None
        if not response.is_success:
            raise source_error(response.status_code)
        return Source(url, _length(response), _md5(response), response.headers.get("ETag"))

    async def stream(self, source: Source, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """The bytes of the blob from `start` on, `length` of them (else all), if it still is the one described.

        Raises:
            TryAgain: one of its kinds, when the blob changed, cannot be read now, or ends too early.
        """
        expected = source.length - start if length is None else length
        async with self._open(source, start, expected) as response:
            got = 0
            try:
                async for chunk in response.aiter_raw(CHUNK_BYTES):
                    got += len(chunk)
                    yield chunk
            except httpx.TransportError as fault:
                raise _unanswered(fault) from None
        if got != expected:
            raise SourceUnavailable(f"The source ended after {got} of {expected} bytes.")

    @asynccontextmanager
    async def _open(self, source: Source, start: int, length: int) -> AsyncIterator[httpx.Response]:
        # "identity": what is hashed and stored must be the blob's own bytes.
        headers = {"Accept-Encoding": "identity"}
        if source.e_tag:
            headers["If-Match"] = source.e_tag
        whole = length == source.length
        if not whole:
            headers["Range"] = f"bytes={start}-{start + length - 1}"
        try:
            async with self._http.stream("GET", source.url, headers=headers) as response:
                if not response.is_success:
                    raise source_error(response.status_code)
                if not whole and response.status_code != httpx.codes.PARTIAL_CONTENT:
                    raise SourceUnavailable("The source does not serve ranges.")
                yield response
        except httpx.TransportError as fault:
            raise _unanswered(fault) from None


def source_error(status: int) -> LandingError:
    """The error that the source's HTTP status stands for."""
    kind, message = _ERRORS.get(status, (SourceUnavailable, f"The source answered {status}."))
    return kind(message)


def _unanswered(fault: httpx.TransportError) -> SourceUnavailable:
    # The fault's own text may quote the URL.
    return SourceUnavailable(f"The source did not answer ({type(fault).__name__}).")


def _length(response: httpx.Response) -> int:
    text = response.headers.get("Content-Length", "")
    if not text.isdigit():
        raise SourceUnavailable("The source does not tell the blob's length.")
    return int(text)


def _md5(response: httpx.Response) -> str | None:
    try:
        digest = base64.b64decode(response.headers.get("Content-MD5", ""), validate=True)
    except binascii.Error:
        return None
    return digest.hex() if len(digest) == 16 else None
