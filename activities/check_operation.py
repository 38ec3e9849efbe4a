"""Reads the operation once; where it succeeded, makes the plan of what is to be copied."""

from activities.door import JsonObject, activity
from activities.problems import problem, problem_of
from billing.answers import NO_DATA, Failed, Manifest, Running
from billing.errors import OperationGone, RequestRefused
from billing.manifests import Manifests
from clients.process import clients
from landing.errors import LandingRefused, UnsafeName
from landing.layout import require_landable
from messages.exports import CheckOperation, OperationAnswer, Plan
from messages.names import CHECK_OPERATION
from messages.problems import Problem


@activity(CHECK_OPERATION)
async def check_operation(message: JsonObject) -> JsonObject:
    """`OperationAnswer` to a `CheckOperation`."""
    order = CheckOperation.from_json(message)
    try:
        using = await clients()
        operation = await using.billing.read_operation(order.operation_url)
        return _answer(operation, using.manifests).to_json()
    except OperationGone as gone:
        return OperationAnswer("gone", problem=problem_of(gone)).to_json()
    except (RequestRefused, UnsafeName, LandingRefused) as refusal:
        return OperationAnswer("final", problem=problem_of(refusal)).to_json()


def _answer(operation: Running | Failed | Manifest, manifests: Manifests) -> OperationAnswer:
    if isinstance(operation, Running):
        return OperationAnswer("running", operation.retry_after)
    if isinstance(operation, Failed):
        return OperationAnswer("final" if operation.code == NO_DATA else "failed", problem=_failure(operation))
    require_landable(blob.name for blob in operation.blobs)
    manifests.keep(operation)
    return OperationAnswer("succeeded", plan=_plan(operation))


def _plan(manifest: Manifest) -> Plan:
    return Plan(
        manifest.url, manifest.digest, manifest.e_tag, len(manifest.blobs), manifest.tenant_id, manifest.created
    )


def _failure(operation: Failed) -> Problem:
    if operation.code == NO_DATA:
        remedy = "Check the invoice id, or currency and period: Microsoft has no data of this kind for it (yet)."
    else:
        remedy = "Start the export again later; if this lasts, tell Microsoft's support the code."
    return problem(operation.code, f"Microsoft's export failed: {operation.message}", remedy)
