"""Azure Blob Storage for what Azurite cannot do: blocks that the service pulls, and its errors.

Written from the REST reference: Copy Blob From URL, Put Block From URL, Get Block List, Put Block List, List Blobs.
Source: https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

from azure.core.pipeline.transport import AsyncHttpResponse, AsyncHttpTransport
from azure.core.utils import case_insensitive_dict
from azure.storage.blob.aio import ContainerClient

from landing.source import SourceReader
from landing.zones.azure_container import AzureContainer
from landing.zones.azure_patience import PatientRetry


class Answer(AsyncHttpResponse):
    """What the service answered, as azure-core wants it."""

    def __init__(self, request: Any, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        super().__init__(request, None)
        self.status_code = status
        self.headers = case_insensitive_dict(headers)
        self.reason = ""
        self.content_type = self.headers.get("content-type")
        self._body = body

    def body(self) -> bytes:
        return self._body

    async def load_body(self) -> None: ...

    async def read(self) -> bytes:
        return self._body


@dataclass(frozen=True)
class Fault:
    """An error that the service answers: status, code, and what it tells of the source, in header or body."""

    status: int
    code: str
    headers: dict[str, str] = field(default_factory=dict)
    details: str = ""
    quoting: str = "https://source.blob.core.windows.net/x?sig=s3cret"

    def answer(self, request: Any) -> Answer:
        text = f"<Error><Code>{self.code}</Code><Message>Of {self.quoting}</Message>{self.details}</Error>"
        known = {"x-ms-error-code": self.code} if self.code else {}
        return Answer(
            request,
            self.status,
            {"content-type": "application/xml", **known, **self.headers},
            text.encode(errors="replace"),
        )


@dataclass(frozen=True)
class Call:
    """A request that reached the service: its kind, headers, query, and the seconds that the client would wait."""

    kind: str
    headers: dict[str, str]
    query: dict[str, str]
    body: bytes
    read_timeout: float | None


class Silence(Exception):
    """In place of a fault: there is no answer, ever."""


class FakeService(AsyncHttpTransport[Any, Any]):
    """One blob's blocks. What stands in `faults` is answered to the next calls of that kind; None lets one pass."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.staged: dict[str, tuple[int, int]] = {}
        self.committed: list[str] | None = None
        self.tag = '"1"'
        self.listing = ""
        self.faults: dict[str, deque[Fault | Exception | None]] = {}

    def fail(self, kind: str, *faults: Fault | Exception | None) -> None:
        """Answers the next calls of that kind with these faults."""
        self.faults[kind] = deque(faults)

    def of(self, kind: str) -> list[Call]:
        """The calls of that kind."""
        return [call for call in self.calls if call.kind == kind]

    async def send(self, request: Any, **kwargs: Any) -> Answer:
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        headers = {name.lower(): str(value) for name, value in request.headers.items()}
        kind = _kind(request.method, query, headers)
        content = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
        self.calls.append(Call(kind, headers, query, content, kwargs.get("read_timeout")))
        faults = self.faults.get(kind)
        fault = faults.popleft() if faults else None
        if isinstance(fault, Silence):
            await asyncio.Event().wait()
        if isinstance(fault, Exception):
            raise fault
        if fault:
            return fault.answer(request)
        status, more, body = getattr(self, f"_{kind}")(headers, query, content)
        return Answer(request, status, {"content-type": "application/xml", **more}, body)

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...

    def _copy(self, *_: Any) -> tuple[int, dict[str, str], bytes]:
        return 202, {"x-ms-copy-status": "success", "x-ms-copy-id": "1", "etag": self.tag}, b""

    def _stage(self, headers: Any, query: Any, content: bytes) -> tuple[int, dict[str, str], bytes]:
        pulled = headers.get("x-ms-source-range", f"bytes=0-{len(content) - 1}")
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", pulled)
        assert found
        self.staged[query["blockid"]] = int(found[1]), int(found[2])
        return 201, {}, b""

    def _staged(self, *_: Any) -> tuple[int, dict[str, str], bytes]:
        blocks = "".join(
            f"<Block><Name>{block}</Name><Size>{end - start + 1}</Size></Block>"
            for block, (start, end) in self.staged.items()
        )
        return 200, {}, f"<BlockList><UncommittedBlocks>{blocks}</UncommittedBlocks></BlockList>".encode()

    def _commit(self, _headers: Any, _query: Any, body: bytes) -> tuple[int, dict[str, str], bytes]:
        self.committed = [str(block.text) for block in ElementTree.fromstring(body)]  # noqa: S314
        return 201, {"etag": self.tag}, b""

    def _find(self, *_: Any) -> tuple[int, dict[str, str], bytes]:
        return (404 if self.committed is None else 200), {"etag": self.tag, "content-length": "0"}, b""

    def _list(self, *_: Any) -> tuple[int, dict[str, str], bytes]:
        body = f"<EnumerationResults><Blobs>{self.listing}</Blobs><NextMarker/></EnumerationResults>"
        return 200, {}, body.encode()

    def _put(self, *_: Any) -> tuple[int, dict[str, str], bytes]:
        return 201, {"etag": self.tag}, b""

    def _create(self, *_: Any) -> tuple[int, dict[str, str], bytes]:
        return 201, {}, b""


def _kind(method: str, query: dict[str, str], headers: dict[str, str]) -> str:
    if query.get("restype") == "container":
        return "list" if method == "GET" else "create"
    if query.get("comp") == "blocklist":
        return "staged" if method == "GET" else "commit"
    if query.get("comp") == "block":
        return "stage"
    return {"PUT": "copy" if "x-ms-copy-source" in headers else "put", "HEAD": "find", "GET": "read"}[method]


def zone_on(
    service: FakeService,
    sources: SourceReader,
    credential: Any = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> AzureContainer:
    """A landing zone whose requests reach this service; the client's own retries, which wait, are off."""
    key = credential or {"account_name": "acme", "account_key": "a2V5"}
    retries = PatientRetry(getattr(credential, "renew", None), retry_total=0)
    client = ContainerClient(
        "https://acme.blob.core.windows.net", "billing", key, transport=service, retry_policy=retries
    )
    return AzureContainer(client, "pre", sources, now)
