"""Looks whether the planned data has landed before; if so, no blob is copied and only the pointer may have to move."""

from activities.door import JsonObject, activity
from activities.problems import data_changed, problem_of
from activities.versions import contents, result, sweep_others, version_of
from billing.errors import OperationGone, RequestRefused
from clients.process import clients
from landing.errors import Incomplete, LandingRefused
from messages.exports import VersionAnswer, VersionOrder
from messages.names import REUSE_VERSION


@activity(REUSE_VERSION)
async def reuse_version(message: JsonObject) -> JsonObject:
    """`VersionAnswer` to a `VersionOrder`: with a result where the version had been committed before."""
    order = VersionOrder.from_json(message)
    try:
        return (await _reuse(order)).to_json()
    except OperationGone as gone:
        return VersionAnswer(problem=problem_of(gone), anew=True).to_json()
    except (RequestRefused, LandingRefused, Incomplete) as refusal:
        return VersionAnswer(problem=problem_of(refusal)).to_json()


async def _reuse(order: VersionOrder) -> VersionAnswer:
    using = await clients()
    version = version_of(using, order.request, order.plan)
    totals = await version.committed()
    if totals is None:
        return VersionAnswer()
    unchanged = pointed = await version.is_latest()
    if not unchanged:
        manifest = await using.manifests.get(order.plan.manifest_url)
        if manifest.digest != order.plan.digest:
            return VersionAnswer(problem=data_changed(), anew=True)
        pointed = await version.point_latest(contents(order, manifest), totals)
    await sweep_others(using, version)
    return VersionAnswer(result(order, version, totals, unchanged=unchanged, pointed=pointed))
