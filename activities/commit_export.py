"""Verifies that all of it is there, and only then says so: `_manifest.json`, then `_SUCCESS`, then `_latest.json`."""

from activities.door import JsonObject, activity
from activities.problems import data_changed, problem_of
from activities.versions import contents, result, sweep_others, version_of
from billing.errors import OperationGone, RequestRefused
from clients.process import clients
from landing.errors import Incomplete, LandingRefused
from messages.exports import VersionAnswer, VersionOrder
from messages.names import COMMIT_EXPORT


@activity(COMMIT_EXPORT)
async def commit_export(message: JsonObject) -> JsonObject:
    """`VersionAnswer` to a `VersionOrder`: with a result once the version is committed."""
    order = VersionOrder.from_json(message)
    try:
        return (await _commit(order)).to_json()
    except (OperationGone, Incomplete) as lost:
        return VersionAnswer(problem=problem_of(lost), anew=True).to_json()
    except (RequestRefused, LandingRefused) as refusal:
        return VersionAnswer(problem=problem_of(refusal)).to_json()


async def _commit(order: VersionOrder) -> VersionAnswer:
    using = await clients()
    # Not the one in memory: what was copied is this data only if it still is Microsoft's when all has been copied.
    manifest = await using.billing.read_manifest(order.plan.manifest_url)
    if manifest.digest != order.plan.digest:
        return VersionAnswer(problem=data_changed(), anew=True)
    made_of = contents(order, manifest)
    version = version_of(using, order.request, order.plan)
    totals = await version.committed() or await version.commit(made_of)
    pointed = await version.point_latest(made_of, totals)
    await sweep_others(using, version)
    return VersionAnswer(result(order, version, totals, pointed=pointed))
