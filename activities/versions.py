"""Which version of which export does a message speak of?"""

import asyncio
import logging

from billing.answers import Manifest
from catalog.datasets import UNBILLED_DATASETS
from catalog.export_request import ExportRequest
from clients.process import Clients
from failures import DataChanged, Failure
from landing.layout import ExportFolder, VersionFolder
from landing.version import Contents, Totals, Version
from messages.exports import Plan, Result, VersionOrder

SWEEP_SECONDS = 60.0
"""Time given to removing leftovers, which nobody waits for but the end of an export."""

log = logging.getLogger(__name__)


def version_folder(request: ExportRequest, plan: Plan) -> VersionFolder:
    """The folder in which the planned data of the request lands."""
    partitions = [("partner_tenant", plan.tenant_id), *request.partitions(plan.month)]
    return ExportFolder.of(request.dataset.folder, partitions).version(plan.digest)


def require_planned(manifest: Manifest, plan: Plan) -> Manifest:
    """The manifest, if it is the one that was planned.

    Raises:
        DataChanged: if it is not.
    """
    if manifest.digest != plan.digest:
        raise DataChanged()
    return manifest


def version_of(using: Clients, request: ExportRequest, plan: Plan) -> Version:
    """The version itself, in the landing zone."""
    return Version(using.zone, version_folder(request, plan), using.now)


async def sweep_others(using: Clients, request: ExportRequest, version: Version) -> None:
    """Removes what earlier runs left behind, and versions of data not billed that are too many.

    Whether that succeeds is nothing to the export, which has ended.
    """
    try:
        async with asyncio.timeout(SWEEP_SECONDS):
            await version.sweep_others()
            if request.dataset_name in UNBILLED_DATASETS:
                await version.keep_newest(using.settings.keep_versions)
    except (Failure, TimeoutError) as fault:
        log.warning("Versions that nobody needs could not be removed; the next export tries again: %r", fault)


def contents(order: VersionOrder, manifest: Manifest) -> Contents:
    """What the version is made of, without any secret. The plan's time counts: all parts of a run then agree."""
    plan = order.plan
    origin = {**order.request.to_json(), "partnerTenantId": plan.tenant_id, "rootDirectory": manifest.root}
    return Contents(plan.e_tag, origin, plan.created, [blob.name for blob in manifest.blobs])


def result(
    order: VersionOrder, version: Version, totals: Totals, *, unchanged: bool = False, pointed: bool = True
) -> Result:
    """What the export ends with."""
    is_restated = order.request.is_billed and pointed and order.latest not in {None, version.name}
    return Result(
        order.plan.e_tag,
        version.name,
        totals.blob_count,
        totals.bytes,
        version.url,
        unchanged,
        pointed,
        order.latest if is_restated else None,
        detours=totals.detours,
    )
