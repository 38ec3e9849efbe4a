"""What is answered instead of the real answer?"""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from local.emulator.clock import Now
from local.emulator.faults.fault import Answer, RequestKind
from local.emulator.services import partner_center
from local.emulator.services.blob_errors import BlobError, answer_blob_error
from local.emulator.services.graph_errors import ErrorBodies, GraphError, RequestIds

_MESSAGE = "A fault script answered this."


class FaultAnswers:
    """Makes the apps that give the answers of fault scripts. `now` dates Graph's error bodies."""

    def __init__(self, now: Now) -> None:
        self._graph = ErrorBodies(now)

    def app(self, answer: Answer, kind: RequestKind) -> ASGIApp:
        """An app that gives this answer to requests of this kind, with request ids where Graph gives them."""

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            response = await self._response(answer, kind, Request(scope))
            response.headers.update(answer.headers)
            await response(scope, receive, send)

        return app if kind in {"blob", "blob-head", "invoices"} else RequestIds(app)

    async def _response(self, answer: Answer, kind: RequestKind, request: Request) -> Response:
        if answer.json is not None:
            return JSONResponse(answer.json, answer.status)
        if answer.text is not None or answer.status < HTTPStatus.BAD_REQUEST:
            return Response(answer.text, answer.status)
        return await self._refusal(HTTPStatus(answer.status), kind, request)

    async def _refusal(self, status: HTTPStatus, kind: RequestKind, request: Request) -> Response:
        code = status.phrase.replace(" ", "")
        match kind:
            case "blob" | "blob-head":
                return await answer_blob_error(request, BlobError(status, code, _MESSAGE))
            case "invoices":
                return partner_center.refusal(request, status, _MESSAGE)
            case _:
                return await self._graph.from_graph_error(request, GraphError(status, code, _MESSAGE))
