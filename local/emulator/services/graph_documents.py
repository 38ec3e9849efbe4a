"""How does Graph write an operation and a manifest?

Source: https://learn.microsoft.com/graph/api/partners-billing-operation-get
"""

from datetime import datetime

from local.emulator.clock import seven_digits, without_zone
from local.emulator.data.exports import Blob, Export
from local.emulator.services.operations import Failure, Operation
from local.emulator.services.storage import Grant

Json = dict[str, object]

_TYPES = {"running": "runningOperation", "succeeded": "exportSuccessOperation", "failed": "failedOperation"}


def operation_document(operation: Operation, result: Json) -> Json:
    """An operation; `result` is what its state adds: nothing, an error, a manifest or a link to one."""
    return {
        "@odata.type": f"#microsoft.graph.partners.billing.{_TYPES[operation.status]}",
        "id": operation.id,
        "status": operation.status,
        "createdDateTime": without_zone(operation.created),
        "lastActionDateTime": seven_digits(operation.last_action),
        **result,
    }


def failure_document(failure: Failure) -> Json:
    """What a failed operation adds."""
    return {"error": {"message": failure.message, "code": failure.code}}


def manifest_document(manifest_id: str, created: datetime, tenant_id: str, export: Export, grant: Grant) -> Json:
    """The manifest of an export: https://learn.microsoft.com/graph/api/resources/partners-billing-manifest."""
    return {
        "id": manifest_id,
        "createdDateTime": seven_digits(created),
        "schemaVersion": "2",
        "dataFormat": "compressedJSONLines",
        "partitionType": "default",
        "eTag": export.e_tag,
        "partnerTenantId": tenant_id,
        "rootDirectory": grant.root_directory,
        "sasToken": grant.sas_token,
        "blobCount": len(export.blobs),
        "blobs": [_blob_document(name, blob) for name, blob in export.blobs.items()],
    }


def _blob_document(name: str, blob: Blob) -> Json:
    document: Json = {"name": name, "partitionValue": "default", "sizeInBytes": blob.size}
    return document if blob.item_count is None else {**document, "itemCount": blob.item_count}
