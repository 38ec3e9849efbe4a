"""Plays the storage that Microsoft's blobs are read from, by their SAS URL."""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from urllib.parse import quote, unquote

import httpx

from landing.source import Source, SourceReader
from tests.simulation.chance import Chance
from tests.simulation.circumstances import Circumstances
from tests.simulation.ledger import Ledger, Release
from tests.simulation.virtual_time import now
from tests.source_transport import HttpxSource, NoThreads

SECRET = "s3cr3t"
_HOST = "https://exports.blob.core.windows.net"


class SourceBlobs:
    """The blobs of all releases. `gets` counts the reads of each blob by its name."""

    def __init__(self, ledger: Ledger, chance: Chance, circumstances: Circumstances) -> None:
        self._ledger = ledger
        self._chance = chance
        self._circumstances = circumstances
        self._folders: dict[str, Release] = {}
        self.gets: Counter[str] = Counter()
        self.complaints: list[str] = []

    def grant(self, release: Release) -> Mapping[str, str]:
        """Where the release's blobs are, and a token that reads them for a while."""
        folder = release.invoice_id if self._circumstances.in_place else f"{release.invoice_id}-{_digest(release)}"
        self._folders[folder] = release
        expiry = now() + timedelta(seconds=self._circumstances.token_seconds)
        token = f"se={quote(expiry.strftime('%Y-%m-%dT%H:%M:%SZ'))}&sig={SECRET}{self._chance.text()}%3D"
        return {"rootDirectory": f"{_HOST}/{folder}", "sasToken": token}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if "Authorization" in request.headers:
            self.complaints.append(f"{request.url} was sent a bearer token")
        if self._chance.strikes(0.06):
            return self._fault(request)
        return self._answer(request)

    def _fault(self, request: httpx.Request) -> httpx.Response:
        if self._chance.is_so(0.3):
            raise self._chance.pick([httpx.ConnectError, httpx.ReadTimeout])(str(request.url), request=request)
        return httpx.Response(self._chance.pick([403, 404, 429, 500, 503]))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        folder, _, name = unquote(request.url.path).removeprefix("/").partition("/")
        if datetime.fromisoformat(request.url.params["se"]) <= now():
            return httpx.Response(403)
        content = self._content(self._folders[folder], name)
        if content is None:
            return httpx.Response(404)
        if request.headers.get("If-Match", _e_tag(content)) != _e_tag(content):
            return httpx.Response(412)
        return self._head(content) if request.method == "HEAD" else self._get(name, content)

    def _content(self, release: Release, name: str) -> bytes | None:
        current = self._ledger.now[release.invoice_id]
        if self._circumstances.in_place:
            return current.blobs.get(name)
        return release.blobs[name] if self._circumstances.kept or release is current else None

    def _head(self, content: bytes) -> httpx.Response:
        return httpx.Response(200, headers=self._properties(content) | {"Content-Length": str(len(content))})

    def _get(self, name: str, content: bytes) -> httpx.Response:
        self.gets[name] += 1
        return httpx.Response(200, headers=self._properties(content), stream=_Body(content, self._chance))

    def _properties(self, content: bytes) -> dict[str, str]:
        md5 = base64.b64encode(hashlib.md5(content).digest()).decode()
        return {"ETag": _e_tag(content), **({"Content-MD5": md5} if self._circumstances.has_md5 else {})}


class _Body(httpx.SyncByteStream):
    """A blob's bytes in two pieces, unless the connection breaks, or ends too early without a word."""

    def __init__(self, content: bytes, chance: Chance) -> None:
        self._content = content
        self._chance = chance

    def __iter__(self) -> Iterator[bytes]:
        middle = len(self._content) // 2
        yield self._content[:middle]
        if self._chance.strikes(0.03):
            return
        if self._chance.strikes(0.03):
            raise httpx.ReadError(f"cut off at {SECRET}")
        yield self._content[middle:]


class SimulatedReader(SourceReader):
    """Reads those blobs without threads; before and after each request time passes."""

    def __init__(self, blobs: SourceBlobs, chance: Chance) -> None:
        super().__init__(HttpxSource(httpx.MockTransport(blobs)).open, NoThreads())
        self._chance = chance

    async def describe(self, url: str) -> Source:
        await self._chance.pass_time(2)
        return await super().describe(url)

    async def fetch(self, source: Source, start: int = 0, length: int | None = None) -> bytes:
        await self._chance.pass_time(2)
        content = await super().fetch(source, start, length)
        await self._chance.pass_time(2)
        return content


def _digest(release: Release) -> str:
    return hashlib.sha256(repr(release.identity).encode()).hexdigest()[:16]


def _e_tag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:16]}"'
