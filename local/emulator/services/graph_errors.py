"""How does Graph refuse, and how does it name a request?

Source: https://learn.microsoft.com/graph/errors
"""

import uuid
from dataclasses import dataclass
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.emulator.clock import Now, without_zone


@dataclass
class GraphError(Exception):
    """A refusal that becomes Graph's error body."""

    status: HTTPStatus
    code: str
    message: str


class RequestIds:
    """Middleware that names each request: every answer has a `request-id`, and the caller's `client-request-id`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs the app with the ids at hand as `request.state.ids`."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = str(uuid.uuid4())
        client_id = Headers(scope=scope).get("client-request-id", request_id)
        ids = {"request-id": request_id, "client-request-id": client_id}

        async def send_with_ids(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(ids)
            await send(message)

        Request(scope).state.ids = ids
        await self._app(scope, receive, send_with_ids)


class ErrorBodies:
    """Exception handlers that answer with Graph's error body. `now` dates it."""

    def __init__(self, now: Now) -> None:
        self._now = now

    async def from_graph_error(self, request: Request, error: Exception) -> JSONResponse:
        """The answer for a `GraphError`."""
        assert isinstance(error, GraphError)
        return self._answer(request, error)

    async def from_http_exception(self, request: Request, error: Exception) -> JSONResponse:
        """The answer where the routes have none: an unknown path, a wrong method."""
        assert isinstance(error, HTTPException)
        status = HTTPStatus(error.status_code)
        return self._answer(request, GraphError(status, status.phrase.replace(" ", ""), error.detail))

    def _answer(self, request: Request, error: GraphError) -> JSONResponse:
        inner = {"date": without_zone(self._now()), **request.state.ids}
        body = {"error": {"code": error.code, "message": error.message, "innerError": inner}}
        headers = {"WWW-Authenticate": "Bearer"} if error.status == HTTPStatus.UNAUTHORIZED else None
        return JSONResponse(body, error.status, headers)
