"""Looks whether the planned data has landed before; if so, no blob is copied and only the pointer may have to move."""

from dataclasses import replace

from activities.door import JsonObject, activity_of_run
from activities.versions import contents, require_planned, result, sweep_others, version_of
from clients.process import clients
from messages.exports import VersionAnswer, VersionOrder
from messages.names import REUSE_VERSION


@activity_of_run(REUSE_VERSION)
async def reuse_version(message: JsonObject) -> JsonObject:
    """`VersionAnswer` to a `VersionOrder`: with a result where the version had been committed before, and is whole."""
    order = VersionOrder.from_json(message)
    using = await clients()
    version = version_of(using, order.request, order.plan)
    latest = await version.latest()
    unchanged = pointed = latest == version.name
    totals = await version.committed() if unchanged else await version.claimed()
    if totals is None:
        return VersionAnswer(latest=latest).to_json()
    if not unchanged:
        manifest = await using.manifests.get(order.plan.manifest_url)
        pointed = await version.point_latest(contents(order, require_planned(manifest, order.plan)), totals)
    await sweep_others(using, order.request, version)
    replacing = replace(order, latest=latest)
    return VersionAnswer(result(replacing, version, totals, unchanged=unchanged, pointed=pointed)).to_json()
