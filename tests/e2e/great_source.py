"""A billing API whose one blob has any length: its bytes are made while they are sent, and nothing holds them all."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from local.emulator.services.byte_range import byte_range

MIB = 1 << 20
NAME = "part-00000.json.gz"


class GreatSource:
    """Exports of an invoice have one blob of the length that `lengths` has for it (bytes, of whole MiB).

    `served` is how many bytes of blobs were sent.
    """

    def __init__(self, lengths: dict[str, int]) -> None:
        self.served = 0
        self._lengths = lengths
        self.app = Starlette(
            routes=[
                Route("/v1.0/reports/partners/billing/usage/billed/export", self._export, methods=["POST"]),
                Route("/v1.0/operations/{invoice}", self._operation),
                Route(f"/data/{{invoice}}/{NAME}", self._blob),
            ]
        )

    def md5(self, invoice: str) -> str:
        """The MD5 (hex) of the invoice's blob."""
        md5 = hashlib.md5()
        for part in parts(range(self._lengths[invoice])):
            md5.update(part)
        return md5.hexdigest()

    async def _export(self, request: Request) -> Response:
        invoice = (await request.json())["invoiceId"]
        return Response(status_code=HTTPStatus.ACCEPTED, headers={"Location": f"/v1.0/operations/{invoice}"})

    async def _operation(self, request: Request) -> Response:
        invoice = request.path_params["invoice"]
        manifest = {
            "eTag": invoice,
            "rootDirectory": f"{request.base_url}data/{invoice}",
            "sasToken": "sig=secret",
            "blobCount": 1,
            "blobs": [{"name": NAME}],
        }
        return JSONResponse({"id": invoice, "status": "succeeded", "resourceLocation": manifest})

    async def _blob(self, request: Request) -> Response:
        invoice = request.path_params["invoice"]
        length, e_tag = self._lengths[invoice], f'"{invoice}"'
        if request.headers.get("If-Match", e_tag) != e_tag:
            return Response(status_code=HTTPStatus.PRECONDITION_FAILED)
        asked = byte_range(request.headers, length)
        offsets = range(length) if asked is None else asked
        headers = {"ETag": e_tag, "Content-Length": str(len(offsets))}
        if request.method == "HEAD":
            return Response(headers=headers)
        if asked is None:
            return StreamingResponse(self._sent(offsets), headers=headers)
        headers["Content-Range"] = f"bytes {offsets.start}-{offsets.stop - 1}/{length}"
        return StreamingResponse(self._sent(offsets), HTTPStatus.PARTIAL_CONTENT, headers)

    async def _sent(self, offsets: range) -> AsyncIterator[bytes]:
        for part in parts(offsets):
            yield part
            self.served += len(part)


def parts(offsets: range) -> Iterator[bytes]:
    """The bytes at these offsets: every 8 of them are the number of their MiB."""
    while offsets:
        number, start = divmod(offsets.start, MIB)
        stop = min(start + len(offsets), MIB)
        yield (number.to_bytes(8, "big") * (MIB // 8))[start:stop]
        offsets = offsets[stop - start :]
