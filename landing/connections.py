"""Blocking HTTP to the sources, over connections that are kept for the next request and that another thread can cut.

Source: https://www.rfc-editor.org/rfc/rfc9112 (messages, kept connections), https://www.rfc-editor.org/rfc/rfc9110
#section-9.3.6 (CONNECT)
"""

import base64
import http.client
import socket
import ssl
import string
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Lock
from urllib.parse import SplitResult, quote, unquote, urlsplit

from failures import SourceUnavailable
from landing.hosts import proxy_for


class Interrupt:
    """Lets another thread cut the connections that a piece of work waits for, now and from now on.

    `progress` counts what has come of it: requests that were begun, heads of answers, pieces of their bodies.
    """

    def __init__(self) -> None:
        self.progress = 0
        self._lock = Lock()
        self._requested = False
        self._connections: set[Connection] = set()

    def request(self) -> None:
        """Cuts them."""
        with self._lock:
            self._requested = True
            for connection in self._connections:
                connection.cut()

    def add(self, connection: "Connection") -> None:
        """The work waits for this connection.

        Raises:
            ConnectionAbortedError: when it was interrupted before.
        """
        with self._lock:
            if self._requested:
                raise ConnectionAbortedError
            self._connections.add(connection)
            self.progress += 1

    def remove(self, connection: "Connection") -> None:
        """The work does not wait for it any more: other work may have it."""
        with self._lock:
            self._connections.discard(connection)


class Connection(http.client.HTTPConnection):
    """A connection to a URL's server, through the proxy that the environment names for it."""

    def __init__(self, url: SplitResult, tls: ssl.SSLContext, connect_seconds: float, read_seconds: float) -> None:
        secure = url.scheme == "https"
        self.default_port = http.client.HTTPS_PORT if secure else http.client.HTTP_PORT
        port = url.port or self.default_port
        self._server = url.hostname or ""
        self._tls = tls if secure else None
        self._read_seconds = read_seconds
        self._cut = False
        # As it stays when `sock` is taken away: with an answer after which the server hangs up.
        self._own: socket.socket | None = None
        proxy = urlsplit(proxy_for(url.geturl()) or "")
        self._to_proxy = _authorization(proxy)
        self._asks_proxy = bool(proxy.hostname) and not secure
        super().__init__(proxy.hostname or self._server, proxy.port or port, timeout=connect_seconds)
        if proxy.hostname and secure:
            self.set_tunnel(self._server, port, self._to_proxy)

    def ask(self, method: str, url: SplitResult, headers: Mapping[str, str]) -> http.client.HTTPResponse:
        """The answer to one request, as soon as its head is there."""
        if self._asks_proxy:
            self.request(method, url.geturl(), headers={**headers, **self._to_proxy})
        else:
            self.request(method, url._replace(scheme="", netloc="").geturl(), headers=dict(headers))
        return self.getresponse()

    def connect(self) -> None:
        """Connects; a TLS handshake can be cut too."""
        super().connect()
        if self._tls:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._server, do_handshake_on_connect=False)
        self._own = self.sock
        if self._cut:
            raise ConnectionAbortedError
        if isinstance(self._own, ssl.SSLSocket):
            self._own.do_handshake()
        self._own.settimeout(self._read_seconds)

    def cut(self) -> None:
        """Ends what another thread waits for on this connection; that thread closes it."""
        self._cut = True
        for one in (self._own, self.sock):
            if one:
                with suppress(OSError):
                    # Not the method of a TLS socket, which would have the other thread go on without decrypting.
                    socket.socket.shutdown(one, socket.SHUT_RDWR)


class Connections:
    """Asks sources, each thread over a connection of its own. Redirects are not followed, bodies not unpacked."""

    def __init__(self, tls: ssl.SSLContext, connect_seconds: float, read_seconds: float) -> None:
        self._tls = tls
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds
        self._kept: dict[tuple[str, str], list[Connection]] = defaultdict(list)

    def open(self, method: str, url: str, headers: Mapping[str, str], interrupt: Interrupt) -> "OpenResponse":
        """The response to one request, whose body is read as the caller asks for it.

        Raises:
            SourceUnavailable: when there is none, or the work was interrupted.
        """
        with _network_faults():
            # The SAS token is signed as it is written; only what no URL may hold is encoded.
            where = urlsplit(quote(url, safe=string.punctuation))._replace(fragment="")
            kept = self._kept[where.scheme, where.netloc]
            with suppress(IndexError, ConnectionError):
                # The server may have closed it; no method used here does harm when it is sent twice.
                return self._ask(kept.pop(), method, where, headers, interrupt, kept)
            connection = Connection(where, self._tls, self._connect_seconds, self._read_seconds)
            return self._ask(connection, method, where, headers, interrupt, kept)

    async def close(self) -> None:
        """Closes the connections that nobody uses."""
        for kept in self._kept.values():
            while kept:
                kept.pop().close()

    def _ask(
        self,
        connection: Connection,
        method: str,
        where: SplitResult,
        headers: Mapping[str, str],
        interrupt: Interrupt,
        kept: list[Connection],
    ) -> "OpenResponse":
        try:
            interrupt.add(connection)
            return OpenResponse(connection.ask(method, where, headers), connection, interrupt, kept)
        except BaseException:
            interrupt.remove(connection)
            connection.close()
            raise


class OpenResponse:
    """A response whose body is still to be read. `header` finds a header by its name in any case."""

    def __init__(
        self, response: http.client.HTTPResponse, connection: Connection, interrupt: Interrupt, kept: list[Connection]
    ) -> None:
        self._response = response
        self._connection = connection
        self._interrupt = interrupt
        self._kept = kept
        self.status = response.status
        interrupt.progress += 1

    def header(self, name: str) -> str | None:
        """The header's value."""
        return self._response.getheader(name)

    def readinto(self, buffer: memoryview) -> int:
        """Fills the buffer with what comes next: the number of bytes, fewer at the end, then 0.

        Raises:
            SourceUnavailable: when it breaks off.
        """
        with _network_faults():
            length = self._response.readinto(buffer)
        self._interrupt.progress += 1
        return length

    def close(self) -> None:
        """Keeps the connection for the next request if the body has been read, else closes it."""
        self._interrupt.remove(self._connection)
        if self._response.length == 0:
            self._response.read()
        if self._response.isclosed() and not self._response.will_close:
            self._kept.append(self._connection)
        else:
            self._response.close()
            self._connection.close()


def _authorization(proxy: SplitResult) -> Mapping[str, str]:
    """The header that gives the proxy the credentials in its URL."""
    if proxy.username is None:
        return {}
    credentials = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}"}


@contextmanager
def _network_faults() -> Iterator[None]:
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError) as fault:
        # Its own text may quote the URL.
        raise SourceUnavailable(f"The source did not answer ({type(fault).__name__}).") from None
