"""The floor: the fewest requests that copy the blobs, sent by a bare HTTP client, with nothing checked or kept.

By two clients: aiohttp, on which Microsoft's SDK runs, and httpx, which asks the APIs.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import httpx
from yarl import URL

from bench.work import Container, Copy, Work, side_by_side

STORAGE_VERSION = "2021-12-02"
CHUNK_BYTES = 1 << 20
SECONDS = 300.0
_AS_IT_IS = {"Accept-Encoding": "identity"}


class Floor:
    """To a container: HEAD the source, then have it copied. To a folder: GET into a file."""

    name = "floor (bare aiohttp)"

    @asynccontextmanager
    async def prepared(self, work: Work) -> AsyncIterator[Copy]:
        """A loop over the requests."""
        timeout = aiohttp.ClientTimeout(SECONDS)
        connector = aiohttp.TCPConnector(limit=work.concurrency)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, raise_for_status=True) as http:
            yield lambda: side_by_side(work, lambda name: _copy(http, work, name))


async def _copy(http: aiohttp.ClientSession, work: Work, name: str) -> None:
    # The SAS token is signed as it is written.
    source = URL(work.source.url_of(name), encoded=True)
    if isinstance(work.target, Container):
        async with http.head(source):
            pass
        async with http.put(URL(work.target.url_of(name), encoded=True), headers=_pulling(str(source))):
            pass
    else:
        await _download(http, source, work.target / name)


async def _download(http: aiohttp.ClientSession, source: URL, target: Path) -> None:
    async with http.get(source, headers=_AS_IT_IS) as response:
        with target.open("wb") as file:
            async for chunk in response.content.iter_any():
                file.write(chunk)


def _pulling(source: str) -> dict[str, str]:
    return {"x-ms-version": STORAGE_VERSION, "x-ms-copy-source": source, "x-ms-requires-sync": "true"}


class BareHttpx:
    """The same requests by httpx."""

    name = "bare httpx"

    @asynccontextmanager
    async def prepared(self, work: Work) -> AsyncIterator[Copy]:
        """A loop over the requests."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=work.concurrency)
        async with httpx.AsyncClient(timeout=SECONDS, limits=limits, verify=False) as http:  # noqa: S501 - no TLS here
            yield lambda: side_by_side(work, lambda name: _copy_by_httpx(http, work, name))


async def _copy_by_httpx(http: httpx.AsyncClient, work: Work, name: str) -> None:
    source = work.source.url_of(name)
    if isinstance(work.target, Container):
        (await http.head(source)).raise_for_status()
        (await http.put(work.target.url_of(name), headers=_pulling(source))).raise_for_status()
    else:
        await _download_by_httpx(http, source, work.target / name)


async def _download_by_httpx(http: httpx.AsyncClient, source: str, target: Path) -> None:
    async with http.stream("GET", source, headers=_AS_IT_IS) as response:
        response.raise_for_status()
        with target.open("wb") as file:
            async for chunk in response.aiter_raw(CHUNK_BYTES):
                file.write(chunk)
