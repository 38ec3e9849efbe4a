"""Graph's part: exports, operations and manifests."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from local.emulator import Emulator

if TYPE_CHECKING:
    from tests.local.emulator.conftest import Call

EXPORT = "/v1.0/reports/partners/billing/usage/billed/export"
REQUEST = {"invoiceId": "G016907411"}
OPERATION = re.compile(r"http://127\.0\.0\.1:7072/v1\.0/reports/partners/billing/operations/[0-9a-f-]{36}")
PRECISE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z")


def test_an_export_is_accepted_with_the_url_of_its_operation(call: Call) -> None:
    """An export answers 202 without a body, and an absolute Location."""
    response = call().send("POST", EXPORT, json=REQUEST)
    assert response.status_code == 202
    assert response.content == b""
    assert OPERATION.fullmatch(response.headers["Location"])


def test_beta_stays_beta(call: Call) -> None:
    """Whoever starts below /beta polls below /beta."""
    caller = call(running_polls=0)
    location = caller.send("POST", EXPORT.replace("v1.0", "beta"), json=REQUEST).headers["Location"]
    assert location.startswith("http://127.0.0.1:7072/beta/reports/")
    assert caller.finished(location)["status"] == "succeeded"


def test_every_url_is_below_the_base_url_of_the_request() -> None:
    """The emulator hands out URLs of the host and the path it was called under."""

    async def location_and_root() -> tuple[str, str]:
        transport = httpx.ASGITransport(Emulator().app, root_path="/emulated")
        bearer = {"Authorization": "Bearer emulator-token"}
        async with httpx.AsyncClient(transport=transport, base_url="https://billing.test", headers=bearer) as client:
            location = (await client.post("/emulated" + EXPORT, json=REQUEST)).headers["Location"]
            polls = [await client.get(location) for _ in range(3)]
            return location, polls[-1].json()["resourceLocation"]["rootDirectory"]

    location, root = asyncio.run(location_and_root())
    assert location.startswith("https://billing.test/emulated/v1.0/reports/")
    assert root.startswith("https://billing.test/emulated/exports/")
    assert not root.endswith("/")


@pytest.mark.parametrize("token", [None, "another-token", ""])
def test_another_token_is_refused(call: Call, token: str | None) -> None:
    """Without the right bearer token every call is a 401 with Graph's error body."""
    caller = call()
    for method, url in (("POST", EXPORT), ("GET", caller.start())):
        response = caller.send(method, url, token=token, json=REQUEST)
        assert response.status_code == 401
        assert response.json()["error"]["code"] == "InvalidAuthenticationToken"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "'invoiceId' is required"),
        ('{"invoiceId": 7}', "'invoiceId' has an invalid value"),
        ('{"invoiceId": "G1", "attributeSet": "unknownFutureValue"}', "'attributeSet' has an invalid value"),
        ('{"invoiceId": "G1", "currencyCode": "USD"}', "'currencyCode' does not exist"),
    ],
)
def test_a_wrong_body_is_refused(call: Call, body: str, said: str) -> None:
    """A body that Graph would not take is a 400 that says why."""
    response = call().send("POST", EXPORT, content=body)
    assert response.status_code == 400
    assert said in response.json()["error"]["message"]


def test_an_operation_runs_for_a_number_of_polls(call: Call) -> None:
    """The operation is found running as often as the options say, and then has succeeded for good."""
    caller = call(running_polls=2)
    url = caller.start()
    states = [caller.send("GET", url).json() for _ in range(4)]
    assert [state["status"] for state in states] == ["running", "running", "succeeded", "succeeded"]
    assert [state["@odata.type"].rpartition(".")[2] for state in states[1:3]] == [
        "runningOperation",
        "exportSuccessOperation",
    ]
    assert states[0].keys() == {"@odata.type", "id", "status", "createdDateTime", "lastActionDateTime"}
    assert all(PRECISE.fullmatch(state["lastActionDateTime"]) for state in states)


@pytest.mark.parametrize(("seconds", "header"), [(None, None), (0.2, "1"), (30, "30")])
def test_retry_after_is_in_whole_seconds(call: Call, seconds: float | None, header: str | None) -> None:
    """The 202 and running answers ask for the wait, rounded up; the final one asks for none."""
    caller = call(retry_after=seconds, running_polls=1)
    started = caller.send("POST", EXPORT, json=REQUEST)
    running, ended = (caller.send("GET", started.headers["Location"]) for _ in range(2))
    waits = [response.headers.get("Retry-After") for response in (started, running, ended)]
    assert waits == [header, header, None]


def test_an_unknown_invoice_has_no_data(call: Call) -> None:
    """The export of an invoice that does not exist ends as failed with code 5000, and stays so."""
    caller = call()
    url = caller.start("G000000000")
    operation = caller.finished(url)
    caller.emulator.restate("G000000000", 0)
    assert operation["@odata.type"].endswith("failedOperation")
    assert operation["error"] == {"message": "No data available", "code": "5000"}
    assert caller.finished(url) == operation


def test_the_manifest_is_embedded(call: Call) -> None:
    """A succeeded operation embeds a manifest with every documented field."""
    manifest = call(blobs=3).manifest()
    blobs = manifest.pop("blobs")
    assert manifest.keys() == {
        *("id", "createdDateTime", "schemaVersion", "dataFormat", "partitionType", "eTag", "partnerTenantId"),
        *("rootDirectory", "sasToken", "blobCount"),
    }
    assert manifest["blobCount"] == len(blobs) == 3
    assert all(blob.keys() == {"name", "partitionValue", "sizeInBytes", "itemCount"} for blob in blobs)
    assert manifest["partnerTenantId"] == "4835fe82-e805-421f-9daf-95c6012ebc7f"
    assert PRECISE.fullmatch(manifest["createdDateTime"])


def test_the_manifest_may_be_linked(call: Call) -> None:
    """With `linked_manifest` the operation links what it would embed otherwise."""
    caller = call(linked_manifest=True)
    operation = caller.finished(caller.start())
    assert "resourceLocation" not in operation
    manifest = caller.send("GET", operation["resourceLocation@odata.navigationLink"]).json()
    assert len(caller.blobs(manifest)) == 2


def test_reading_again_gives_a_fresh_token(call: Call) -> None:
    """Each read of operation or manifest gives a SAS token that lives as long as the options say."""
    caller = call(sas_seconds=60)
    url = caller.start()
    expiries = []
    for _ in range(2):
        manifest = caller.finished(url)["resourceLocation"]
        expiries.append(httpx.QueryParams(manifest["sasToken"])["se"])
        caller.clock.move(30)
    assert expiries == ["2026-10-09T06:13:54Z", "2026-10-09T06:14:24Z"]


def test_what_does_not_exist_is_a_404(call: Call) -> None:
    """Unknown operations, manifests and paths answer 404 with Graph's error body."""
    caller = call()
    for path in ("operations/x", "manifests/x", "x"):
        response = caller.send("GET", f"/v1.0/reports/partners/billing/{path}")
        assert response.status_code == 404
        assert_graph_error(response)


def test_an_embedded_manifest_can_be_read_by_itself(call: Call) -> None:
    """The id of an embedded manifest leads to the manifest too."""
    caller = call()
    manifest_id = caller.manifest()["id"]
    manifest = caller.send("GET", f"/v1.0/reports/partners/billing/manifests/{manifest_id}").json()
    assert manifest["id"] == manifest_id


def test_every_answer_names_its_request(call: Call) -> None:
    """Graph's answers carry a request id of their own and echo the caller's."""
    caller = call()
    ids = {"client-request-id": "0c1f6a43-51d0-4d7a-9c1b-6f2f3a7f8e22"}
    for method, path in (("POST", EXPORT), ("GET", EXPORT), ("GET", "/beta/unknown")):
        response = caller.send(method, path, json=REQUEST, headers=ids)
        assert response.headers["client-request-id"] == ids["client-request-id"]
        assert response.headers["request-id"]
    assert_graph_error(response)


def assert_graph_error(response: httpx.Response) -> None:
    """The body is Graph's, and names the request as the headers do."""
    inner: Any = response.json()["error"]["innerError"]
    assert inner.keys() == {"date", "request-id", "client-request-id"}
    assert all(inner[name] == response.headers[name] for name in ("request-id", "client-request-id"))
