"""A billing API whose blobs have any number and length: their bytes are made while they are sent, and none are kept."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import NamedTuple

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from local.emulator.services.byte_range import byte_range

MIB = 1 << 20
_PART = bytes(range(256)) * (MIB // 256)


class Size(NamedTuple):
    """How much one invoice has: blobs, and bytes in each."""

    blobs: int
    length: int

    @property
    def bytes(self) -> int:
        """Of all blobs together."""
        return self.blobs * self.length


def blob_name(index: int) -> str:
    """The name of an export's blob."""
    return f"part-{index:05d}-3e108b71-36c6-4100-8e94-f026d35c2add.c000.json.gz"


class BillingApi:
    """Exports of the invoices in `sizes` have so many blobs of that length. Operations have ended when first read."""

    def __init__(self, sizes: dict[str, Size]) -> None:
        self._sizes = sizes
        self.app = Starlette(
            routes=[
                Route("/v1.0/reports/partners/billing/usage/billed/export", self._export, methods=["POST"]),
                Route("/v1.0/operations/{invoice}", self._operation),
                Route("/data/{invoice}/{name}", self._blob),
            ]
        )

    async def _export(self, request: Request) -> Response:
        invoice = (await request.json())["invoiceId"]
        return Response(status_code=HTTPStatus.ACCEPTED, headers={"Location": f"/v1.0/operations/{invoice}"})

    async def _operation(self, request: Request) -> Response:
        invoice = request.path_params["invoice"]
        size = self._sizes[invoice]
        manifest = {
            "eTag": invoice,
            "rootDirectory": f"{request.base_url}data/{invoice}",
            "sasToken": "sig=secret",
            "blobCount": size.blobs,
            "blobs": [{"name": blob_name(index), "partitionValue": "default"} for index in range(size.blobs)],
        }
        return JSONResponse({"id": invoice, "status": "succeeded", "resourceLocation": manifest})

    async def _blob(self, request: Request) -> Response:
        length = self._sizes[request.path_params["invoice"]].length
        part = byte_range(request.headers, length)
        offsets = range(length) if part is None else part
        headers = {"ETag": '"one"', "Content-Length": str(len(offsets))}
        if request.method == "HEAD":
            return Response(headers=headers)
        if part is None:
            return StreamingResponse(_sent(offsets), headers=headers)
        headers["Content-Range"] = f"bytes {offsets.start}-{offsets.stop - 1}/{length}"
        return StreamingResponse(_sent(offsets), HTTPStatus.PARTIAL_CONTENT, headers)


async def _sent(offsets: range) -> AsyncIterator[bytes]:
    """The bytes at these offsets: those of every MiB are the same."""
    while offsets:
        start = offsets.start % MIB
        stop = min(start + len(offsets), MIB)
        yield _PART[start:stop]
        offsets = offsets[stop - start :]
