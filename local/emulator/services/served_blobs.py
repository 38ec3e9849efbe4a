"""How does the emulator itself serve blobs, as Azure Storage would?

Source: https://learn.microsoft.com/rest/api/storageservices/get-blob
"""

import base64
import secrets
import uuid
from collections.abc import AsyncIterator
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from local.emulator.clock import Now
from local.emulator.data.exports import Blob, Export
from local.emulator.services.blob_errors import BlobError
from local.emulator.services.byte_range import byte_range
from local.emulator.services.sas import Signer
from local.emulator.services.storage import Grant


class ServedBlobs:
    """Holds blobs and serves them to callers with a SAS token for their folder."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self._signer = Signer(secrets.token_bytes(32))
        self._stored: dict[str, tuple[Export, datetime]] = {}

    @property
    def route(self) -> Route:
        """The route that serves the blobs."""
        return Route("/exports/{dataset}/{folder}/{name:path}", self._serve)

    async def grant(self, export: Export, expires: datetime, base_url: str) -> Grant:
        """Has the export's blobs readable until `expires`. `base_url`, ending in `/`, is the emulator's own."""
        self._stored.setdefault(export.folder, (export, self._now()))
        root = _root(export.folder)
        return Grant(base_url.rstrip("/") + root, self._signer.token(root, expires))

    async def _serve(self, request: Request) -> Response:
        blob, modified = self._find(request)
        _require_match(request.headers, blob)
        headers = _properties(blob) | {"Last-Modified": format_datetime(modified, usegmt=True)}
        if request.method == "HEAD":
            return Response(headers=headers | {"Content-MD5": _md5(blob), "Content-Length": str(blob.size)})
        return _content(blob, request.headers, headers)

    def _find(self, request: Request) -> tuple[Blob, datetime]:
        dataset, folder, name = (request.path_params[part] for part in ("dataset", "folder", "name"))
        folder = f"{dataset}/{folder}"
        # Callers without a token must not learn what exists.
        if not self._signer.admits(request.query_params, _root(folder), self._now()):
            raise BlobError(HTTPStatus.FORBIDDEN, "AuthenticationFailed", "Server failed to authenticate the request.")
        export, modified = self._stored[folder]
        if name not in export.blobs:
            raise BlobError(HTTPStatus.NOT_FOUND, "BlobNotFound", "The specified blob does not exist.")
        return export.blobs[name], modified


def _root(folder: str) -> str:
    return f"/exports/{folder}"


def _require_match(headers: Headers, blob: Blob) -> None:
    if headers.get("If-Match", "*") not in ("*", _e_tag(blob)):
        message = "The condition specified using HTTP conditional header(s) is not met."
        raise BlobError(HTTPStatus.PRECONDITION_FAILED, "ConditionNotMet", message)


def _content(blob: Blob, asked: Headers, headers: dict[str, str]) -> Response:
    length = blob.size
    part = byte_range(asked, length)
    if part is None:
        return _streamed(blob, range(length), headers | {"Content-MD5": _md5(blob)})
    if not part:
        message = "The range specified is invalid for the current size of the resource."
        not_there = {"Content-Range": f"bytes */{length}"}
        raise BlobError(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "InvalidRange", message, not_there)
    # Content-MD5 would speak of the part alone, so Azure Storage gives the whole blob's under another name.
    described = {"Content-Range": f"bytes {part.start}-{part.stop - 1}/{length}", "x-ms-blob-content-md5": _md5(blob)}
    return _streamed(blob, part, headers | described, HTTPStatus.PARTIAL_CONTENT)


def _streamed(blob: Blob, part: range, headers: dict[str, str], status: HTTPStatus = HTTPStatus.OK) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in blob.pieces(part):
            yield piece

    return StreamingResponse(pieces(), status, headers | {"Content-Length": str(len(part))})


def _properties(blob: Blob) -> dict[str, str]:
    return {
        "ETag": _e_tag(blob),
        "Accept-Ranges": "bytes",
        "Content-Type": "application/octet-stream",
        "x-ms-blob-type": "BlockBlob",
        "x-ms-request-id": str(uuid.uuid4()),
    }


def _e_tag(blob: Blob) -> str:
    return f'"0x{blob.md5.hex()[:15].upper()}"'


def _md5(blob: Blob) -> str:
    return base64.b64encode(blob.md5).decode()
