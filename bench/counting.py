"""Stands between clients and a service, and counts the requests of those clients that are ours."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

_OF_THE_CONNECTION = frozenset({b"connection", b"keep-alive", b"transfer-encoding"})


@dataclass(frozen=True)
class Seen:
    """A request: its path is decoded, `listing` says whether it lists a container."""

    method: str
    path: str
    listing: bool


@dataclass
class Counted:
    """An ASGI app, and the requests that came to it from clients whose `User-Agent` does not begin with `not_ours`."""

    app: ASGIApp
    not_ours: str = "\0"
    seen: list[Seen] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Counts the request and lets it pass."""
        if scope["type"] == "http" and not _agent(scope).startswith(self.not_ours):
            self.seen.append(Seen(scope["method"], scope["path"], b"comp=list" in scope["query_string"]))
        await self.app(scope, receive, send)


@asynccontextmanager
async def forwarding(to: str) -> AsyncIterator[ASGIApp]:
    """An app that passes each request on to the service at this base URL, as it came, and its answer back."""
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(timeout=60, limits=limits) as http:

        async def forward(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                return
            target = httpx.URL(to).copy_with(raw_path=scope["raw_path"] + b"?" + scope["query_string"])
            request = httpx.Request(scope["method"], target, headers=scope["headers"], content=await _body(receive))
            response = await http.send(request, stream=True)
            content = b"".join([chunk async for chunk in response.aiter_raw()])
            headers = [(name, value) for name, value in response.headers.raw if _is_lasting(name)]
            await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
            await send({"type": "http.response.body", "body": content})
            await response.aclose()

        yield forward


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body", False):
            return body


def _is_lasting(name: bytes) -> bool:
    return name.lower() not in _OF_THE_CONNECTION


def _agent(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"user-agent"), "")
