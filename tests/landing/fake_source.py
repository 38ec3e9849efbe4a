"""Microsoft's storage for tests: serves blobs under a SAS token over an injected httpx transport."""

import base64
import hashlib
import re
from collections import deque
from typing import Any
from urllib.parse import quote, unquote

import httpx

from landing.source import Source

SAS = "sv=2025-11-05&sr=c&sp=rl&sig=s1gn%2Fature%3D"


class FakeSource(httpx.BaseTransport):
    """Serves `blobs`, honours ranges and If-Match, and keeps the requests. What stands in `faults` is answered first.

    The byte at `flipped` arrives as another. On loopback a landing zone in Azure streams from it; elsewhere the service
    would pull.
    """

    def __init__(self, root: str = "http://127.0.0.1:1/exports") -> None:
        self.root = root
        self.blobs: dict[str, bytes] = {}
        self.announced_md5: dict[str, str | None] = {}
        self.cut: int | None = None
        self.flipped: int | None = None
        self.serves_ranges = True
        self.faults: deque[httpx.Response | Exception | None] = deque()
        self.requests: list[httpx.Request] = []

    def put(self, name: str, content: bytes, md5: str | None = "true") -> Source:
        """Stores the blob, announced with its MD5 unless another (hex) or None is given: its description."""
        true = hashlib.md5(content, usedforsecurity=False).hexdigest()
        self.blobs[name] = content
        self.announced_md5[name] = true if md5 == "true" else md5
        return Source(self.url(name), len(content), self.announced_md5[name], e_tag(content))

    def url(self, name: str) -> str:
        """The blob's URL with its SAS token."""
        return f"{self.root}/{quote(name)}?{SAS}"

    @property
    def ranges(self) -> list[str | None]:
        """The range that each GET asked for."""
        return [request.headers.get("Range") for request in self.requests if request.method == "GET"]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        fault = self.faults.popleft() if self.faults else None
        if isinstance(fault, Exception):
            raise fault
        return fault or self._answer(request)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.query.decode() != SAS:
            return httpx.Response(403)
        prefix = httpx.URL(self.root).path + "/"
        name = unquote(request.url.raw_path.decode().partition("?")[0]).removeprefix(prefix)
        if name not in self.blobs:
            return httpx.Response(404)
        content = self.blobs[name]
        if request.headers.get("If-Match", e_tag(content)) != e_tag(content):
            return httpx.Response(412)
        headers: dict[str, Any] = {"ETag": e_tag(content), "Content-Length": str(len(content))}
        md5 = self.announced_md5[name]
        if md5:
            headers["Content-MD5"] = base64.b64encode(bytes.fromhex(md5)).decode()
        if request.method == "HEAD":
            return httpx.Response(200, headers=headers)
        return self._content(request, content, headers)

    def _content(self, request: httpx.Request, content: bytes, headers: dict[str, str]) -> httpx.Response:
        if self.flipped is not None:
            content = content[: self.flipped] + bytes([content[self.flipped] ^ 1]) + content[self.flipped + 1 :]
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("Range", ""))
        if found and self.serves_ranges:
            part = content[int(found[1]) : int(found[2]) + 1]
            headers["Content-Length"] = str(len(part))
            return httpx.Response(206, headers=headers, stream=Chunks(part[: self.cut]))
        return httpx.Response(200, headers=headers, stream=Chunks(content[: self.cut]))


class Chunks(httpx.SyncByteStream):
    """A body that arrives in pieces."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Any:
        for start in range(0, len(self._content), 100_000):
            yield self._content[start : start + 100_000]


def e_tag(content: bytes) -> str:
    """The eTag of this content."""
    return f'"{hashlib.sha256(content).hexdigest()[:16]}"'
