"""The app against a server that is not the project's emulator: only what is documented is assumed."""

import hashlib
import json
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.running import beside, host, served
from tests.e2e.gates import QUICK

BLOBS = {"daily/part 0+1%.json.gz": b"first", "daily/ünï#?.json.gz": b"", "_hidden.json.gz": b"third" * 1000}
SAMPLES = Path(__file__).parent.parent / "billing" / "samples"


class OtherServer:
    """Answers in the forms that the emulator does not use: relative Location, linked manifest, bare blobs."""

    def __init__(self) -> None:
        self.polls = 0
        self.app = Starlette(
            routes=[
                Route("/v1.0/reports/partners/billing/usage/billed/export", self.export, methods=["POST"]),
                Route("/v1.0/op/1", self.operation),
                Route("/v1.0/manifest/1", self.manifest),
                Route("/data/{name:path}", self.blob),
            ]
        )

    async def export(self, request: Request) -> Response:
        assert request.headers["Authorization"] == "Bearer emulator-token"
        assert await request.json() == {"invoiceId": "G016907411", "attributeSet": "basic"}
        return Response(status_code=202, headers={"Location": "/v1.0/op/1", "Retry-After": "0"})

    async def operation(self, request: Request) -> Response:
        self.polls += 1
        if self.polls < 3:
            return JSONResponse({"id": "1", "status": "Processing", "somethingNew": {}})
        link = f"{request.base_url}v1.0/manifest/1"
        return JSONResponse({"status": "completed", "resourceLocation@odata.navigationLink": link})

    async def manifest(self, request: Request) -> Response:
        return JSONResponse(
            {
                "blobCount": len(BLOBS),
                "blobs": [{"name": name} for name in BLOBS],
                "createdDateTime": "2026-10-08T06:37:40",
                "eTag": 'W/"../x"',
                "rootDirectory": f"{request.base_url}data/",
                "sasToken": "?sig=secret",
            }
        )

    async def blob(self, request: Request) -> Response:
        assert request.query_params["sig"] == "secret"
        assert "Authorization" not in request.headers
        return Response(BLOBS[request.path_params["name"]], media_type="application/gzip")


def test_only_the_documented_api_is_assumed(tmp_path: Path) -> None:
    """Relative Location, an unknown state, a linked manifest without tenant, odd names and bare blobs are all taken."""
    landing = tmp_path / "landing"
    with beside(served(OtherServer().app)) as url:
        settings = QUICK | {"GRAPH_BASE_URL": f"{url}/v1.0", "LANDING_URL": landing.as_uri()}
        with host(settings, tmp_path) as app:
            body = {"invoiceId": "G016907411", "attributeSet": "basic", "dataset": "billedUsage"}
            status = app.ended(app.call("POST", "/api/exports", json=body).headers["Location"])
    assert status["state"] == "succeeded", status["error"]
    folder = next(landing.glob("billed_usage/*/*/*"))
    assert folder.name == "attribute_set=basic"
    version = folder / f"version={status['result']['version']}"
    landed = {path.relative_to(version).as_posix(): path.read_bytes() for path in version.rglob("*.json.gz")}
    assert landed == {name.replace("_hidden", "%5Fhidden"): content for name, content in BLOBS.items()}
    manifest = json.loads((version / "_manifest.json").read_text())
    assert {blob["name"]: blob["md5"] for blob in manifest["blobs"]} == {
        name: hashlib.md5(content).hexdigest() for name, content in BLOBS.items()
    }
    pointer = json.loads((folder / "_latest.json").read_text())
    assert {path.read_bytes() for path in folder.glob(pointer["glob"])} == set(BLOBS.values())
