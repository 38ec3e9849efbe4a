"""Reads the operation once; where it succeeded, makes the plan of what is to be copied."""

from activities.door import JsonObject, activity
from billing.answers import Failed, Manifest, Running
from billing.manifests import Manifests
from clients.process import Clients, clients
from failures import LATER, NO_DATA, NoData, OperationFailed, OperationGone
from landing.layout import require_landable
from messages.exports import CheckOperation, OperationAnswer, Plan
from messages.names import CHECK_OPERATION


@activity(CHECK_OPERATION)
async def check_operation(message: JsonObject) -> JsonObject:
    """`OperationAnswer` to a `CheckOperation`."""
    order = CheckOperation.from_json(message)
    using = await clients()
    return _answer(await _operation(using, order), using.manifests).to_json()


async def _operation(using: Clients, order: CheckOperation) -> Running | Failed | Manifest:
    try:
        return await using.billing.read_operation(order.operation_url)
    except OperationGone as gone:
        if order.may_be_too_early:
            gone.kind = LATER
        raise


def _answer(operation: Running | Failed | Manifest, manifests: Manifests) -> OperationAnswer:
    if isinstance(operation, Running):
        return OperationAnswer("running", operation.retry_after)
    if isinstance(operation, Failed):
        kind = NoData if operation.code == NO_DATA else OperationFailed
        message = f"Microsoft's export failed: {operation.message}"
        raise kind(message, code=operation.code, request_id=operation.request_id)
    require_landable(blob.name for blob in operation.blobs)
    manifests.keep(operation)
    return OperationAnswer("succeeded", plan=_plan(operation))


def _plan(manifest: Manifest) -> Plan:
    return Plan(
        manifest.url, manifest.digest, manifest.e_tag, len(manifest.blobs), manifest.tenant_id, manifest.created
    )
