"""The functions with an HTTP trigger, served under `/api/` as the Functions host does."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import azure.functions as func
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from local.functions import HttpFunction

PREFIX = "/api"

log = logging.getLogger(__name__)


def route(function: HttpFunction, client_binding: str) -> Route:
    """The function's route. `client_binding` is the JSON that its Durable client is made from."""
    return Route(f"{PREFIX}/{function.route}", _endpoint(function, client_binding), methods=list(function.methods))


def _endpoint(function: HttpFunction, client_binding: str) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        bindings: dict[str, Any] = {function.request_parameter: await _request(request)}
        if function.client_parameter:
            bindings[function.client_parameter] = client_binding
        try:
            return _response(await function.call(**bindings))
        except Exception:
            log.exception("The function %s failed.", function.name)
            return PlainTextResponse("", 500)

    return endpoint


async def _request(request: Request) -> func.HttpRequest:
    return func.HttpRequest(
        method=request.method,
        url=str(request.url),
        headers=dict(request.headers),
        params=dict(request.query_params),
        route_params=request.path_params,
        body=await request.body(),
    )


def _response(response: func.HttpResponse) -> Response:
    headers = dict(response.headers) | {"Content-Type": f"{response.mimetype}; charset={response.charset}"}
    return Response(response.get_body(), response.status_code, headers)
