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

from landing.buffers import Buffers
from landing.errors import SourceUnavailable
from landing.long_body import LongBody, is_long
from landing.proxies import environment_proxy
from landing.source import Answer, Piece


class AiohttpTransport:
    """As many connections as there are requests at once, each kept for the next. Redirects are not followed."""

    def __init__(self, tls: ssl.SSLContext, connect_seconds: float, read_seconds: float) -> None:
        self._tls = tls
        self._read_seconds = read_seconds
        self._timeout = aiohttp.ClientTimeout(sock_connect=connect_seconds, sock_read=read_seconds)
        self._buffers = Buffers()
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
            long = self._long_body(answer)
            try:
                yield _Answer(answer, long.pieces() if long else self._pieces(answer))
            finally:
                if long:
                    long.close()

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
                read_bufsize=self._buffers.size,
            )
        return self._session

    def _long_body(self, answer: aiohttp.ClientResponse) -> LongBody | None:
        with _network_faults():
            if is_long(answer, self._buffers.size):
                return LongBody(answer, self._buffers, self._read_seconds)
        return None

    async def _pieces(self, answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        if answer.content_length is not None and answer.content_length <= self._buffers.size:
            # As one piece: each costs whoever stores it a way to a thread.
            yield await answer.content.read()
        else:
            async for piece in answer.content.iter_any():
                yield piece


class _Answer:
    def __init__(self, answer: aiohttp.ClientResponse, pieces: AsyncIterator[Piece]) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self._pieces = pieces

    async def pieces(self) -> AsyncIterator[Piece]:
        """The body as it arrives, but a short one as one piece."""
        with _network_faults():
            async for piece in self._pieces:
                yield piece


@contextmanager
def _network_faults() -> Iterator[None]:
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, ValueError) as fault:
        # Its own text may quote the URL.
        raise SourceUnavailable(f"The source did not answer ({type(fault).__name__}).") from None
