"""The door through which the extension's program asks for the app's functions, and calls them.

Source: tests/extension/README.md, which has the program and what it asks.
"""

import asyncio
import traceback
from collections.abc import Awaitable
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.functions import ActivityFunction, Functions
from local.worker import call_activity, call_orchestrator

CLIENT_HEADER = "X-Durable-Client"
"""Has the JSON that an activity's Durable client is made from."""


class Door:
    """The app to serve on loopback. `client_binding` is set once the extension is ready."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self.client_binding: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.app = Starlette(
            routes=[
                Route("/_functions", self._list, methods=["GET"]),
                Route("/_client", self._take_client, methods=["POST"]),
                Route("/_invoke/{name}", self._invoke, methods=["POST"]),
            ]
        )

    async def _list(self, _: Request) -> Response:
        orchestrators = [_described(name, "orchestrationTrigger", "context") for name in self._functions.orchestrators]
        activities = [
            _described(name, "activityTrigger", activity.input_parameter, activity.client_parameter)
            for name, activity in self._functions.activities.items()
        ]
        return JSONResponse(orchestrators + activities)

    async def _take_client(self, request: Request) -> Response:
        self.client_binding.set_result((await request.body()).decode())
        return Response()

    async def _invoke(self, request: Request) -> Response:
        name, body = request.path_params["name"], (await request.body()).decode()
        if orchestrator := self._functions.orchestrators.get(name):
            # As in the worker, orchestrators do not hold up the event loop that activities run on.
            return await _answer(asyncio.to_thread(call_orchestrator, orchestrator, body))
        if activity := self._functions.activities.get(name):
            return await _answer(_call(activity, body, request))
        return Response(status_code=HTTPStatus.NOT_FOUND)


def _call(activity: ActivityFunction, body: str, request: Request) -> Awaitable[str]:
    return call_activity(activity, body, request.headers.get(CLIENT_HEADER, ""))


def _described(name: str, trigger: str, binding: str, client: str | None = None) -> dict[str, Any]:
    return {"name": name, "trigger": trigger, "binding": binding, "client": client}


async def _answer(result: Awaitable[str]) -> Response:
    try:
        return Response(await result, media_type="application/json")
    except Exception as fault:
        # As the worker writes it; the SDK's part of an orchestrator's message passes through untouched.
        failure = {
            "message": f"{type(fault).__name__}: {fault}",
            "stack": "".join(traceback.format_tb(fault.__traceback__)),
        }
        return JSONResponse(failure, HTTPStatus.INTERNAL_SERVER_ERROR)
