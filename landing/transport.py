"""How source blobs are asked for: by httpx, over connections of aiohttp's.

httpx's own pool looks through all of its connections at every request: measured with `make bench`, 20 ms of CPU a blob
with 48 blobs at once, three quarters of all that copying them into a folder took.
"""

import ssl

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

READ_BUFFER = 512 << 10
"""Bytes read ahead on one connection."""


class SourceTransport(AiohttpTransport):
    """As many connections as there are requests at once, each kept for the next."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__(verify=tls, client=lambda: _session(tls))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer.

        Raises:
            httpx.TransportError: when there is none.
        """
        try:
            return await super().handle_async_request(request)
        except aiohttp.ClientError as fault:
            # What the library does not translate; its text may quote the URL.
            raise httpx.RemoteProtocolError(type(fault).__name__, request=request) from None


def _session(tls: ssl.SSLContext) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=0, ssl=tls)
    return aiohttp.ClientSession(connector=connector, trust_env=True, read_bufsize=READ_BUFFER)
