"""How source blobs are asked for: over connections of aiohttp's, on which Azure's own client runs too.

httpx, which asks the APIs, looks through all of its connections at every request: measured with `make bench`, 17 ms of
CPU a blob with 96 blobs at once, where aiohttp takes 2.
"""

import ssl
import string
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import quote

import aiohttp
from yarl import URL

from landing.errors import SourceUnavailable
from landing.proxies import environment_proxy
from landing.source import Answer

READ_BUFFER = 1 << 20
"""Bytes read ahead on one connection. Measured with `make bench`: 64 KiB take a quarter longer, 512 KiB a little."""


class AiohttpTransport:
    """As many connections as there are requests at once, each kept for the next. Redirects are not followed."""

    def __init__(self, tls: ssl.SSLContext, connect_seconds: float, read_seconds: float) -> None:
        self._tls = tls
        self._timeout = aiohttp.ClientTimeout(sock_connect=connect_seconds, sock_read=read_seconds)
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def ask(self, method: str, url: str, headers: Mapping[str, str]) -> AsyncIterator[Answer]:
        """The answer, whose body is read as the caller goes on.

        Raises:
            SourceUnavailable: when there is none.
        """
        with _network_faults():
            # The SAS token is signed as it is written; what no URL may hold is all that is encoded.
            where = URL(quote(url, safe=string.punctuation), encoded=True)
            answer = await self._opened().request(
                method, where, headers=headers, allow_redirects=False, proxy=environment_proxy(where.scheme, where.host)
            )
        async with answer:
            yield _Answer(answer)

    async def close(self) -> None:
        """Closes all connections."""
        if self._session:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        # A session belongs to the event loop that it is made on.
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ssl=self._tls),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=self._timeout,
                auto_decompress=False,
                read_bufsize=READ_BUFFER,
            )
        return self._session


class _Answer:
    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self._content = answer.content

    async def pieces(self) -> AsyncIterator[bytes]:
        """What there is of the body, as soon as it is there."""
        with _network_faults():
            async for piece in self._content.iter_any():
                yield piece


@contextmanager
def _network_faults() -> Iterator[None]:
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, ValueError) as fault:
        # Its own text may quote the URL.
        raise SourceUnavailable(f"The source did not answer ({type(fault).__name__}).") from None
