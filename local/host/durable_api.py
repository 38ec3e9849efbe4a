"""The Durable extension's HTTP API, as far as the SDK's client calls it: start, read, list, tell, end, purge.

Source: https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-http-api
"""

import json
from collections.abc import Callable, Collection
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.engine import DurableEngine, Instance, InstanceActive

PREFIX = "/durabletask"

PAGE = 100
"""Instances that the extension lists at once, where it is not asked for more."""

CONTINUATION = "x-ms-continuation-token"
"""Header of a page, where more are to come, and of the question for the next page."""


class DurableApi:
    """The API over one engine."""

    def __init__(self, engine: DurableEngine) -> None:
        self._engine = engine
        self.routes = [
            Route(f"{PREFIX}/orchestrators/{{name}}/{{id}}", self._start, methods=["POST"]),
            Route(f"{PREFIX}/instances/", self._list, methods=["GET"]),
            Route(f"{PREFIX}/instances/", self._purge_all, methods=["DELETE"]),
            Route(f"{PREFIX}/instances/{{id}}", self._read, methods=["GET"]),
            Route(f"{PREFIX}/instances/{{id}}", self._purge, methods=["DELETE"]),
            Route(f"{PREFIX}/instances/{{id}}/terminate", self._terminate, methods=["POST"]),
            Route(f"{PREFIX}/instances/{{id}}/raiseEvent/{{name}}", self._raise_event, methods=["POST"]),
        ]

    async def _start(self, request: Request) -> Response:
        name, id_ = request.path_params["name"], request.path_params["id"]
        # The SDK's client encodes the input twice.
        body = await request.body()
        input_json = json.loads(body) if body else None
        try:
            self._engine.start(name, id_, input_json, request.query_params.get("version"))
        except InstanceActive as fault:
            # What the extension answers; the client knows nothing better than a bare exception of it.
            return JSONResponse({"ExceptionMessage": str(fault)}, 409)
        return JSONResponse({"id": id_}, 202)

    async def _read(self, request: Request) -> Response:
        instance = self._engine.store.find(request.path_params["id"])
        if instance is None:
            return JSONResponse("No such instance.", 404)
        return JSONResponse(_status(instance), 202 if instance.is_active else 200)

    async def _list(self, request: Request) -> Response:
        wanted = _filter(request)
        after, most = request.headers.get(CONTINUATION, ""), int(request.query_params.get("top", PAGE))
        # In no order that anybody could rely on.
        found = sorted(filter(wanted, self._engine.store.instances()), key=lambda instance: instance.execution)
        page = [instance for instance in found if instance.execution > after][: most + 1]
        headers = {CONTINUATION: page[most - 1].execution} if len(page) > most else {}
        return JSONResponse([_status(instance) for instance in page[:most]], headers=headers)

    async def _terminate(self, request: Request) -> Response:
        id_ = request.path_params["id"]
        if self._engine.store.find(id_) is None:
            return JSONResponse("No such instance.", 404)
        ended = self._engine.terminate(id_, request.query_params.get("reason", ""))
        return Response(status_code=202 if ended else 410)

    async def _raise_event(self, request: Request) -> Response:
        id_, name = request.path_params["id"], request.path_params["name"]
        try:
            # The SDK's client encodes the payload twice; once decoded, it reaches the orchestration as a JSON string.
            payload = json.dumps(json.loads(await request.body()))
        except ValueError:
            return JSONResponse("Only application/json request content is supported", 400)
        if self._engine.store.find(id_) is None:
            return JSONResponse("No such instance.", 404)
        return Response(status_code=202 if self._engine.raise_event(id_, name, payload) else 410)

    async def _purge(self, request: Request) -> Response:
        with self._engine.store.transaction():
            instance = self._engine.store.find(request.path_params["id"])
            if instance is None:
                return JSONResponse("No such instance.", 404)
            if instance.is_active:
                return JSONResponse(f"The instance is {instance.status}.", 412)
            self._engine.store.remove(instance.id)
        return JSONResponse({"instancesDeleted": 1})

    async def _purge_all(self, request: Request) -> Response:
        if "createdTimeFrom" not in request.query_params:
            return JSONResponse("Please provide value for 'createdTimeFrom' parameter.", 400)
        wanted = _filter(request)
        with self._engine.store.transaction():
            found = [instance for instance in self._engine.store.instances() if wanted(instance)]
            ended = [instance.id for instance in found if not instance.is_active]
            for id_ in ended:
                self._engine.store.remove(id_)
        return JSONResponse({"instancesDeleted": len(ended)}, 200 if ended else 404)


def _filter(request: Request) -> Callable[[Instance], bool]:
    query = request.query_params
    created_from, created_to = query.get("createdTimeFrom", ""), query.get("createdTimeTo", "9")
    prefix = query.get("instanceIdPrefix", "")
    statuses: Collection[str] = query["runtimeStatus"].split(",") if "runtimeStatus" in query else ()

    def wanted(instance: Instance) -> bool:
        return (
            created_from <= instance.created <= created_to
            and instance.id.startswith(prefix)
            and (not statuses or instance.status in statuses)
        )

    return wanted


def _status(instance: Instance) -> dict[str, Any]:
    parent = {"parentInstanceId": instance.parent.instance_id} if instance.parent else {}
    return parent | {
        "name": instance.name,
        "instanceId": instance.id,
        "runtimeStatus": instance.status,
        # Of another process's orchestrations the extension knows it as text only.
        "input": instance.input_json,
        "customStatus": _value(instance.custom_status_json),
        "output": _value(instance.output_json),
        "createdTime": _in_whole_seconds(instance.created),
        "lastUpdatedTime": _in_whole_seconds(instance.updated),
    }


def _in_whole_seconds(moment: str) -> str:
    return moment.partition(".")[0] + "Z"


def _value(text: str | None) -> Any:
    return None if text is None else json.loads(text)
