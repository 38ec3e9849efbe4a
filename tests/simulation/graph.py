"""Plays Microsoft Graph: exports, operations that end in many ways, manifests with a SAS token that runs out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx

from tests.simulation.chance import Chance
from tests.simulation.circumstances import Circumstances
from tests.simulation.ledger import Ledger, Release
from tests.simulation.source_blobs import SECRET, SourceBlobs
from tests.simulation.virtual_time import now

BASE_URL = "https://graph.microsoft.com/v1.0"
TOKEN = f"bearer-{SECRET}"
_REPORTS = "/v1.0/reports/partners/billing"


@dataclass
class Operation:
    """One posted export. It is known from `known` on, and ends at `ends` with `outcome`: a state, or an error code."""

    invoice_id: str
    known: datetime
    ends: datetime
    outcome: str
    release: Release | None = None
    since: datetime | None = None


class Graph:
    """The partner billing API."""

    def __init__(self, ledger: Ledger, blobs: SourceBlobs, chance: Chance, circumstances: Circumstances) -> None:
        self._ledger = ledger
        self._blobs = blobs
        self._chance = chance
        self._operations: list[Operation] = []
        self._circumstances = circumstances
        self.complaints: list[str] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        await self._chance.pass_time(2)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.complaints.append(f"{request.url} was asked without a token")
        if self._chance.strikes(0.08):
            return self._fault(request)
        response = self._answer(request)
        if self._chance.strikes(0.02):
            raise httpx.ReadError("the answer was lost", request=request)
        return response

    def _fault(self, request: httpx.Request) -> httpx.Response:
        if self._chance.is_so(0.3):
            raise self._chance.pick([httpx.ConnectError, httpx.ReadTimeout])(f"with {TOKEN}", request=request)
        if self._chance.is_so(0.03):
            return self._chance.pick([_refusal(401), _refusal(403), httpx.Response(200, text="<html>")])
        return httpx.Response(self._chance.pick([429, 500, 502, 503, 504]), headers=self._wait())

    def _wait(self) -> Mapping[str, str]:
        seconds = self._chance.whole(0, 90)
        date = format_datetime(now() + timedelta(seconds=seconds), usegmt=True)
        return self._chance.pick([{}, {"Retry-After": str(seconds)}, {"Retry-After": date}, {"Retry-After": "soon"}])

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return self._post(json.loads(request.content)["invoiceId"])
        kind, number = request.url.path.removeprefix(f"{_REPORTS}/").split("/")
        operation = self._operations[int(number)]
        if operation.known > now():
            return _refusal(404)
        if operation.outcome == "gone" and operation.ends <= now():
            return _refusal(410)
        document = self._manifest(operation) if kind == "manifests" else self._state(operation, number)
        return httpx.Response(200, json=document, headers=self._wait() if self._chance.is_so(0.2) else {})

    def _post(self, invoice_id: str) -> httpx.Response:
        known = now() + timedelta(seconds=self._chance.between(0, 60) if self._chance.strikes(0.2) else 0)
        running_seconds = 1500 if self._chance.strikes(0.03) else self._circumstances.running_seconds
        ends = now() + timedelta(seconds=running_seconds)
        outcome = self._chance.pick(["failed", "gone", "gone"]) if self._chance.strikes(0.15) else "succeeded"
        if self._chance.strikes(0.01):
            outcome = "5000"
        self._operations.append(Operation(invoice_id, known, ends, outcome))
        location = f"{_REPORTS}/operations/{len(self._operations) - 1}"
        origin = self._chance.pick(["", "https://graph.microsoft.com"])
        return httpx.Response(202, headers={"Location": origin + location, **self._wait()})

    def _state(self, operation: Operation, number: str) -> Mapping[str, Any]:
        if operation.ends > now():
            return {"status": self._chance.pick(["running", "notStarted", "queued"])}
        if operation.outcome == "failed":
            return {"status": "failed", "error": {"code": "1234", "message": "Internal failure"}}
        if operation.outcome == "5000":
            return {"status": "failed", "error": {"code": "5000", "message": "No data available"}}
        if self._circumstances.linked:
            link = f"https://graph.microsoft.com{_REPORTS}/manifests/{number}"
            return {"status": "succeeded", "resourceLocation@odata.navigationLink": link}
        return {"status": "succeeded", "resourceLocation": self._manifest(operation)}

    def _manifest(self, operation: Operation) -> Mapping[str, Any]:
        current = self._ledger.now[operation.invoice_id]
        if operation.release is None or (operation.release is not current and not self._circumstances.pinned):
            operation.release, operation.since = current, now()
        return {
            "eTag": operation.release.e_tag,
            "createdDateTime": f"{operation.since:%Y-%m-%dT%H:%M:%S.%f}0Z" if self._circumstances.dated else None,
            "partnerTenantId": "0e195b37-4574-4539-bc42-0a8b4f2b1c5d",
            "blobCount": len(operation.release.blobs),
            "blobs": [{"name": name} for name in operation.release.blobs],
            **self._blobs.grant(operation.release),
        }


def _refusal(status: int) -> httpx.Response:
    error = {"code": f"Refused{status}", "message": "No.", "innerError": {"request-id": "1f0c"}}
    return httpx.Response(status, json={"error": error})
