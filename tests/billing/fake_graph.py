"""Microsoft Graph for tests: answers what it is told to, and keeps every request that reached it."""

import json
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx
from azure.core.credentials import AccessToken

from billing.auth import EntraToken
from billing.client import BillingClient
from billing.origins import SourceHosts

BASE_URL = "https://graph.microsoft.com/v1.0"
OPERATION_URL = f"{BASE_URL}/reports/partners/billing/operations/9ab9cb54-d07f-4f52-9ea6-a09d7de52c14"
MANIFEST_URL = f"{BASE_URL}/reports/partners/billing/manifests/8fe347d7-1e0f-4bd6-9091-4672691f32db"
SOURCES = SourceHosts((".blob.core.windows.net",))
NOW = datetime(2026, 10, 8, 6, 12, 53, tzinfo=UTC)

T = TypeVar("T")


def answer(status: int = 200, body: Any = None, **headers: str) -> httpx.Response:
    """An answer with a JSON body; `Retry_After` names the header `Retry-After`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=named, content=b"" if body is None else json.dumps(body).encode())


class FakeGraph(httpx.AsyncBaseTransport):
    """Gives its answers in turn, the last one for good; an exception among them is raised instead."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers = deque(answers)
        self.requests: list[httpx.Request] = []
        self.tokens: list[str | None] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        # A request that is sent again is the same object with another token.
        self.tokens.append(request.headers.get("Authorization"))
        given = self._answers.popleft() if len(self._answers) > 1 else self._answers[0]
        if isinstance(given, Exception):
            raise given
        return httpx.Response(given.status_code, headers=given.headers, content=given.content)


class FakeCredential:
    """An Entra identity whose tokens are numbered; it keeps the claims that were demanded of it.

    `renewed` says how often its tokens were forgotten.
    """

    def __init__(self, fault: Exception | None = None) -> None:
        self.asked: list[dict[str, Any]] = []
        self.renewed = 0
        self._fault = fault

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        self.asked.append({"scopes": scopes, **options})
        if self._fault:
            raise self._fault
        return AccessToken(f"s3cret-token-{len(self.asked)}", 2_000_000_000)

    async def renew(self) -> None:
        self.renewed += 1

    async def close(self) -> None: ...

    async def __aenter__(self) -> "FakeCredential":
        return self

    async def __aexit__(self, *_: object) -> None: ...


async def calling(
    graph: FakeGraph,
    call: Callable[[BillingClient], Awaitable[T]],
    *,
    credential: FakeCredential | None = None,
    sources: SourceHosts = SOURCES,
    now: Callable[[], datetime] = lambda: NOW,
) -> T:
    """What the call on a client of this Graph returns or raises."""
    auth = EntraToken(credential or FakeCredential(), "https://graph.microsoft.com/.default", BASE_URL)
    async with httpx.AsyncClient(transport=graph, auth=auth) as http:
        return await call(BillingClient(BASE_URL, http, sources, now))
