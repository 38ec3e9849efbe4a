"""How does Azure Storage refuse?

Source: https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response


@dataclass
class BlobError(Exception):
    """A refusal that becomes Azure Storage's XML error body."""

    status: HTTPStatus
    code: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)


async def answer_blob_error(request: Request, error: Exception) -> Response:
    """The answer for a `BlobError`; a HEAD request reads the code from `x-ms-error-code` alone."""
    assert isinstance(error, BlobError)
    headers = {"x-ms-error-code": error.code, "x-ms-request-id": str(uuid.uuid4()), **error.headers}
    if request.method == "HEAD":
        return Response(status_code=error.status, headers=headers)
    body = f"<Error><Code>{error.code}</Code><Message>{error.message}</Message></Error>"
    xml = f'<?xml version="1.0" encoding="utf-8"?>\n{body}'
    return Response(xml, error.status, headers, media_type="application/xml")
