"""Reads the operation once; where it succeeded, makes the plan of what is to be copied."""

from activities.blueprint import JsonObject, activity
from activities.clients import clients
from activities.manifests import Manifests
from activities.problems import problem, problem_of
from billing.answers import NO_DATA, Failed, Manifest, Operation, Succeeded
from billing.errors import OperationGone, RequestRefused
from landing.errors import LandingRefused, UnsafeName
from landing.layout import require_landable
from orchestrator.messages import CheckOperation, OperationAnswer, Plan, Problem
from orchestrator.names import CHECK_OPERATION


@activity(CHECK_OPERATION)
async def check_operation(message: JsonObject) -> JsonObject:
    """`OperationAnswer` to a `CheckOperation`."""
    order = CheckOperation.from_json(message)
    try:
        using = await clients()
        answer = await using.billing.read_operation(order.operation_url)
        return _told(answer.value, answer.retry_after, using.manifests).to_json()
    except OperationGone as gone:
        return OperationAnswer("gone", problem=problem_of(gone)).to_json()
    except (RequestRefused, UnsafeName, LandingRefused) as refusal:
        return OperationAnswer("final", problem=problem_of(refusal)).to_json()


def _told(operation: Operation, retry_after: float | None, manifests: Manifests) -> OperationAnswer:
    if isinstance(operation, Succeeded) and operation.manifest:
        require_landable(blob.name for blob in operation.manifest.blobs)
        manifests.keep(operation.manifest)
        return OperationAnswer("succeeded", plan=_plan(operation.manifest))
    if isinstance(operation, Failed):
        return OperationAnswer("final" if operation.code == NO_DATA else "failed", problem=_failure(operation))
    return OperationAnswer("running", retry_after)


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
