"""The partner billing API: starts an export, reads its operation and its manifest.

Source: https://learn.microsoft.com/graph/api/resources/partners-billing-api-overview
"""

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urljoin

import httpx

from billing.answers import Failed, Manifest, Running, StartedExport, Succeeded, operation_from_json, require_link
from billing.http import NOT_SERVED, REFUSALS, Api, json_object, reading, request_id_of, unusable
from billing.origins import SourceHosts, require_origin
from catalog.datasets import Dataset
from catalog.export_request import ExportRequest
from failures import BillingFailure, Forbidden, ServiceUnavailable, Unauthorized, UnusableAnswer
from failures.doubts import Doubts

OPERATIONS = "/reports/partners/billing/operations"


class BillingClient:
    """The partner billing API below one Graph base URL. Made once a process; safe for concurrent use.

    `http` sends the requests and authenticates them; `sources` says where blobs may be read from.
    """

    def __init__(
        self,
        base_url: str,
        http: httpx.AsyncClient,
        sources: SourceHosts,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._api = Api(base_url, http, now)
        # Nothing that is posted to can be an operation that is gone.
        self._posting = Api(base_url, http, now, REFUSALS | NOT_SERVED)
        self._sources = sources
        self._doubts = Doubts(now)

    async def start_export(self, request: ExportRequest) -> StartedExport:
        """Posts the export.

        Raises:
            ServiceUnavailable: when no try was answered.
            RequestRefused: when the API does not take the request, or names an operation elsewhere or none.
            NotServed: when the base URL does not serve this export.
        """
        url = self._base_url_of(request.dataset) + request.dataset.path
        with self._doubts.about():
            response = await self._posting.send("POST", url, json=dict(request.values))
        location = response.headers.get("Location")
        if response.status_code != httpx.codes.ACCEPTED or location is None:
            raise unusable(response, "an export starts with 202 and a Location header")
        with reading(response):
            operation_url = _resolved(require_link(location), url)
            require_origin(operation_url, self._api.base_url)
        return StartedExport(operation_url, self._api.wait_asked_for(response))

    async def read_operation(self, url: str) -> Running | Failed | Manifest:
        """The operation's state; where it succeeded, its manifest.

        Raises:
            ServiceUnavailable: when no try was answered.
            OperationGone: when Microsoft no longer knows the operation.
            Unauthorized, Forbidden: later at first, for whoever started it was allowed to.
            RequestRefused: when it may not be read, or the answer cannot be used.
        """
        with self._doubting():
            response = await self._api.send("GET", url)
        with reading(response):
            operation = operation_from_json(json_object(response), url)
            if isinstance(operation, Succeeded):
                return await self._manifest_of(operation, url)
        if isinstance(operation, Running):
            return replace(operation, retry_after=self._api.wait_asked_for(response))
        return replace(operation, request_id=request_id_of(response))

    async def read_manifest(self, url: str) -> Manifest:
        """The manifest at the URL of a manifest or of the operation that embeds it, with a fresh SAS token.

        Raises:
            ServiceUnavailable: when no try was answered.
            OperationGone: when Microsoft no longer knows it.
            Unauthorized, Forbidden: later at first, for whoever started the export was allowed to.
            RequestRefused: when it may not be read, or the answer cannot be used.
        """
        with self._doubting():
            response = await self._api.send("GET", url)
        with reading(response):
            body = json_object(response)
            if "blobs" in body:
                return self._from_allowed_host(Manifest.from_json(body, url))
            operation = operation_from_json(body, url)
            if isinstance(operation, Succeeded):
                return await self._manifest_of(operation, url)
            raise UnusableAnswer("The operation that had succeeded no longer shows its manifest.", code="NoManifest")

    async def require_access(self) -> None:
        """Asks for an operation that nobody started: only who may read partner billing is told that there is none.

        Raises:
            ServiceUnavailable: when no try was answered.
            Unauthorized, Forbidden: when the identity may not read partner billing.
        """
        try:
            await self._api.send("GET", f"{self._api.base_url}{OPERATIONS}/{uuid.UUID(int=0)}")
        except (ServiceUnavailable, Unauthorized, Forbidden):
            raise
        except BillingFailure:
            return

    def _base_url_of(self, dataset: Dataset) -> str:
        base_url = self._api.base_url
        return f"{base_url.removesuffix('/v1.0')}/beta" if dataset.beta and base_url.endswith("/v1.0") else base_url

    async def _manifest_of(self, operation: Succeeded, url: str) -> Manifest:
        if operation.manifest is not None:
            return self._from_allowed_host(operation.manifest)
        link = _resolved(operation.manifest_url, url)
        with self._doubting():
            response = await self._api.send("GET", link)
        with reading(response):
            return self._from_allowed_host(Manifest.from_json(json_object(response), link))

    def _doubting(self) -> AbstractContextManager[None]:
        return self._doubts.about(allowed=True)

    def _from_allowed_host(self, manifest: Manifest) -> Manifest:
        self._sources.require(manifest.root)
        return manifest


def _resolved(link: str, url: str) -> str:
    """The link as the answer from `url` means it; what cannot be read is left to the check of its origin."""
    try:
        return urljoin(url, link)
    except ValueError:
        return link
