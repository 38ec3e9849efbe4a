"""Verifies that all of it is there, and only then says so: `_manifest.json`, then `_SUCCESS`, then `_latest.json`."""

from activities.door import JsonObject, activity_of_run
from activities.versions import contents, require_planned, result, sweep_others, version_of
from clients.process import clients
from messages.exports import CommitAnswer, VersionOrder
from messages.names import COMMIT_EXPORT


@activity_of_run(COMMIT_EXPORT)
async def commit_export(message: JsonObject) -> JsonObject:
    """`CommitAnswer` to a `VersionOrder`."""
    order = VersionOrder.from_json(message)
    using = await clients()
    # Not the one in memory: what was copied is this data only if it still is Microsoft's when all has been copied.
    manifest = await using.billing.read_manifest(order.plan.manifest_url)
    made_of = contents(order, require_planned(manifest, order.plan))
    version = version_of(using, order.request, order.plan)
    totals = await version.claimed() or await version.commit(made_of)
    pointed = await version.point_latest(made_of, totals)
    await sweep_others(using, order.request, version)
    return CommitAnswer(result(order, version, totals, pointed=pointed)).to_json()
