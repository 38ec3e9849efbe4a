"""What does Microsoft Graph answer: to an export, to a poll, to a read of the manifest?

Source: https://learn.microsoft.com/graph/api/resources/partners-billing-api-overview
"""

import functools
import json
import math
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.emulator.clock import Now
from local.emulator.data.customers import partner_tenant_id
from local.emulator.data.datasets import DATASETS
from local.emulator.data.exports import Export
from local.emulator.data.subjects import Subject
from local.emulator.options import EmulatorOptions
from local.emulator.services.bearer import has_token
from local.emulator.services.graph_documents import Json, failure_document, manifest_document, operation_document
from local.emulator.services.graph_errors import ErrorBodies, GraphError, RequestIds
from local.emulator.services.operations import Operation
from local.emulator.services.statements import Statements
from local.emulator.services.storage import Grant

_OPERATIONS = "/reports/partners/billing/operations"
_MANIFESTS = "/reports/partners/billing/manifests"

GrantAccess = Callable[[Export, str], Awaitable[Grant]]
"""Has an export's blobs readable for a while; the text is the emulator's own base URL."""


class Graph:
    """The partner billing API. Its versions share their operations."""

    def __init__(self, options: EmulatorOptions, statements: Statements, grant: GrantAccess, now: Now) -> None:
        self._options = options
        self._statements = statements
        self._grant = grant
        self._now = now
        self._operations: dict[str, Operation] = {}
        self._manifests: dict[str, Operation] = {}

    def app(self, version: str) -> Starlette:
        """One version as an app of its own, so that Graph's error body also answers what no route knows."""
        bodies = ErrorBodies(self._now)
        return Starlette(
            routes=[
                *(self._export_route(name) for name, dataset in DATASETS.items() if version in dataset.versions),
                Route(_OPERATIONS + "/{id}", self._read_operation),
                Route(_MANIFESTS + "/{id}", self._read_manifest),
            ],
            middleware=[Middleware(RequestIds)],
            exception_handlers={GraphError: bodies.from_graph_error, HTTPException: bodies.from_http_exception},
        )

    def _export_route(self, dataset: str) -> Route:
        return Route(DATASETS[dataset].path, functools.partial(self._start, dataset), methods=["POST"])

    async def _start(self, dataset: str, request: Request) -> Response:
        self._require_token(request)
        body = await _valid_body(request, dataset)
        subject = Subject.asked(dataset, body, self._now)
        operation = Operation(subject, body.get("attributeSet", "full"), self._now(), self._options.running_polls)
        self._operations[operation.id] = operation
        location = _service_url(request, f"{_OPERATIONS}/{operation.id}")
        return Response(status_code=HTTPStatus.ACCEPTED, headers={"Location": location, **self._wait()})

    async def _read_operation(self, request: Request) -> Response:
        self._require_token(request)
        operation = _find(self._operations, request)
        failure = self._statements.failure(operation.subject)
        if failure or operation.is_early or self._statements.is_made(operation.subject, operation.attribute_set):
            operation.poll(self._now(), failure)
        document = operation_document(operation, await self._outcome(request, operation))
        return JSONResponse(document, headers=self._wait() if operation.status == "running" else None)

    async def _read_manifest(self, request: Request) -> Response:
        self._require_token(request)
        return JSONResponse(await self._manifest(request, _find(self._manifests, request)))

    async def _outcome(self, request: Request, operation: Operation) -> Json:
        if operation.status == "running":
            return {}
        if operation.failure:
            return failure_document(operation.failure)
        self._manifests[operation.manifest_id] = operation
        if self._options.linked_manifest:
            link = _service_url(request, f"{_MANIFESTS}/{operation.manifest_id}")
            return {"resourceLocation@odata.navigationLink": link}
        return {"resourceLocation": await self._manifest(request, operation)}

    async def _manifest(self, request: Request, operation: Operation) -> Json:
        """The manifest of the data as it is now, which need not be what it was when the operation ended."""
        export = self._statements.export(operation.subject, operation.attribute_set)
        grant = await self._grant(export, str(request.base_url))
        created = max(operation.last_action, self._statements.since(operation.subject))
        return manifest_document(operation.manifest_id, created, partner_tenant_id(self._options.seed), export, grant)

    def _require_token(self, request: Request) -> None:
        if not has_token(request, self._options.token):
            message = "Access token is empty, expired or not valid."
            raise GraphError(HTTPStatus.UNAUTHORIZED, "InvalidAuthenticationToken", message)

    def _wait(self) -> dict[str, str]:
        seconds = self._options.retry_after
        return {} if seconds is None else {"Retry-After": str(math.ceil(seconds))}


async def _valid_body(request: Request, dataset: str) -> dict[str, str]:
    try:
        body = json.loads(await request.body())
    except ValueError:
        raise _bad_request("The body is not JSON.") from None
    if not isinstance(body, dict):
        raise _bad_request("The body is not a JSON object.")
    if faults := " ".join(DATASETS[dataset].faults(body)):
        raise _bad_request(faults)
    return body


def _bad_request(message: str) -> GraphError:
    return GraphError(HTTPStatus.BAD_REQUEST, "BadRequest", message)


def _find(operations: dict[str, Operation], request: Request) -> Operation:
    try:
        return operations[request.path_params["id"]]
    except KeyError:
        raise GraphError(HTTPStatus.NOT_FOUND, "ResourceNotFound", "The resource could not be found.") from None


def _service_url(request: Request, path: str) -> str:
    """The URL of a path below the root, `/v1.0` or `/beta`, that the request came in on."""
    return str(request.url.replace(path=request.scope["root_path"] + path, query=""))
