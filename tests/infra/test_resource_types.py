"""Whether Azure has what the Bicep files ask for: types and API versions, property names, the ids of roles.

The property names of Microsoft.Storage, Microsoft.Web and Azure Monitor's alerts are held to Microsoft's own packages
for Python. Outside this check are Microsoft Graph, the other providers, properties that are left out though Azure
requires them, and values: `bicep build` and Azure have their say there.
"""

import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any, get_args, get_origin, get_type_hints

import azure.mgmt.monitor.models
import azure.mgmt.storage.models
import azure.mgmt.storage.types
import azure.mgmt.web.models
import azure.mgmt.web.types
import pytest
from typing_extensions import is_typeddict

from tests.infra.bicep import FILES, Resource, deployment, parsed, walk

# Each is a stable version, but for diagnostic settings, which have none that takes these categories.
API_VERSIONS = {
    "Microsoft.Authorization/locks": "2020-05-01",
    "Microsoft.Authorization/roleAssignments": "2022-04-01",
    "Microsoft.Graph/appRoleAssignedTo": "v1.0",
    "Microsoft.Graph/servicePrincipals": "v1.0",
    "Microsoft.Insights/actionGroups": "2023-01-01",
    "Microsoft.Insights/components": "2020-02-02",
    "Microsoft.Insights/diagnosticSettings": "2021-05-01-preview",
    "Microsoft.Insights/scheduledQueryRules": "2023-12-01",
    "Microsoft.ManagedIdentity/userAssignedIdentities": "2024-11-30",
    "Microsoft.OperationalInsights/workspaces": "2025-07-01",
    "Microsoft.Resources/resourceGroups": "2024-03-01",
    "Microsoft.Storage/storageAccounts": "2025-08-01",
    "Microsoft.Storage/storageAccounts/blobServices": "2025-08-01",
    "Microsoft.Storage/storageAccounts/blobServices/containers": "2025-08-01",
    "Microsoft.Storage/storageAccounts/managementPolicies": "2025-08-01",
    "Microsoft.Web/serverfarms": "2025-05-01",
    "Microsoft.Web/sites": "2025-05-01",
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": "2025-05-01",
    "Microsoft.Web/sites/config": "2025-05-01",
}

# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
# https://learn.microsoft.com/graph/permissions-reference
IDS = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "blobDataOwner",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "blobDataContributor",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "queueDataContributor",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "tableDataContributor",
    "3913510d-42f4-4e42-8a64-420c390055eb": "monitoringMetricsPublisher",
    "7c3e1994-38ff-4412-a99b-9369f6bb7706": "partnerBillingReadAll",
    "00000003-0000-0000-c000-000000000000": "appId",  # Microsoft Graph itself
}

STORAGE = (azure.mgmt.storage.types, azure.mgmt.storage.models)
WEB = (azure.mgmt.web.types, azure.mgmt.web.models)
SHAPES = {
    "Microsoft.Storage/storageAccounts": (STORAGE, "StorageAccountCreateParameters"),
    "Microsoft.Storage/storageAccounts/blobServices": (STORAGE, "BlobServiceProperties"),
    "Microsoft.Storage/storageAccounts/blobServices/containers": (STORAGE, "BlobContainer"),
    "Microsoft.Storage/storageAccounts/managementPolicies": (STORAGE, "ManagementPolicy"),
    "Microsoft.Web/serverfarms": (WEB, "AppServicePlan"),
    "Microsoft.Web/sites": (WEB, "Site"),
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": (WEB, "CsmPublishingCredentialsPoliciesEntity"),
    "Microsoft.Web/sites/config": (WEB, "StringDictionary"),
}
MODELS = {
    "Microsoft.Insights/actionGroups": azure.mgmt.monitor.models.ActionGroupResource,
    "Microsoft.Insights/scheduledQueryRules": azure.mgmt.monitor.models.ScheduledQueryRuleResource,
}

BICEPS_OWN = {"name", "parent", "scope", "dependsOn"}


def test_types_and_api_versions_are_those_of_the_table() -> None:
    """No resource changes its type or version unnoticed, and none is in the table for nothing."""
    used = {
        (resource["type"], resource["api_version"])
        for file in FILES
        for resource in parsed(file).get("resources", {}).values()
    }
    assert used == set(API_VERSIONS.items())


def test_every_id_has_the_name_of_its_role() -> None:
    """Each id in the Bicep files stands under the name that it has in the table."""
    guid = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
    named = {
        (value, name)
        for file in FILES
        for node in walk(parsed(file))
        if isinstance(node, dict)
        for name, value in _plain(node)
        if guid.fullmatch(value)
    }
    assert named == set(IDS.items())


def _plain(node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The texts that have a name: properties, and variables, whose value lies one level deeper."""
    for name, held in node.items():
        value = held.get("value") if isinstance(held, dict) else held
        if isinstance(value, str) and name != "value":
            yield name, value


def _built(kinds: Any) -> list[Any]:
    resources = [resource for module in deployment().modules().values() for resource in module.resources()]
    return [
        pytest.param(resource, id=f"{resource.template.file}-{resource.symbol}")
        for resource in resources
        if resource.kind in kinds
    ]


def _given(resource: Resource) -> dict[str, Any]:
    return {name: value for name, value in resource.config.items() if name not in BICEPS_OWN}


def _unknown(given: Any, shape: Any, rooms: tuple[ModuleType, ModuleType], path: str = "") -> Iterator[str]:
    """The paths of what the shape does not have; maps of free names and plain values hold nothing to check."""
    if isinstance(given, list) and get_origin(shape) is list:
        for item in given:
            yield from _unknown(item, get_args(shape)[0], rooms, f"{path}[]")
    elif isinstance(given, dict) and is_typeddict(shape):
        types, models = rooms
        # The same names stand for classes among the models; what holds names as they travel comes first.
        known = get_type_hints(shape, localns={**vars(models), **vars(types)})
        for name, value in given.items():
            if name in known:
                yield from _unknown(value, known[name], rooms, f"{path}.{name}")
            else:
                yield f"{path}.{name}"


@pytest.mark.parametrize("resource", _built(SHAPES))
def test_storage_and_web_have_these_properties(resource: Resource) -> None:
    """Azure ignores or refuses a name that it does not know, and either shows only after a deployment."""
    rooms, name = SHAPES[resource.kind]
    assert list(_unknown(_given(resource), getattr(rooms[0], name), rooms)) == []


@pytest.mark.parametrize(
    ("kind", "given", "unknown"),
    [
        (
            "Microsoft.Storage/storageAccounts",
            {"properties": {"allowSharedKeys": False}},
            ".properties.allowSharedKeys",
        ),
        (
            "Microsoft.Storage/storageAccounts/managementPolicies",
            {"properties": {"policy": {"rules": [{"definition": {"filters": {"prefix": []}}}]}}},
            ".properties.policy.rules[].definition.filters.prefix",
        ),
        (
            "Microsoft.Web/sites",
            {"properties": {"functionAppConfig": {"scaleAndConcurrency": {"alwaysReady": [{"count": 1}]}}}},
            ".properties.functionAppConfig.scaleAndConcurrency.alwaysReady[].count",
        ),
    ],
)
def test_a_wrong_name_would_be_seen(kind: str, given: dict[str, Any], unknown: str) -> None:
    """At any depth, within lists too."""
    rooms, name = SHAPES[kind]
    assert list(_unknown(given, getattr(rooms[0], name), rooms)) == [unknown]


@pytest.mark.parametrize("resource", _built(MODELS))
def test_alerts_have_these_properties(resource: Resource) -> None:
    """What Microsoft's model reads and writes again is what was given: it drops names that it does not know."""
    given = _given(resource)
    assert _kept(MODELS[resource.kind], given) == given


def test_a_wrong_name_in_an_alert_would_be_seen() -> None:
    """Microsoft's model drops it."""
    rule = azure.mgmt.monitor.models.ScheduledQueryRuleResource
    given = {"location": "westeurope", "properties": {"criteria": {"allOf": [{"query": "q", "window": "PT1H"}]}}}
    assert _kept(rule, given) == {
        "location": "westeurope",
        "properties": {"criteria": {"allOf": [{"query": "q"}]}},
    }


def _kept(model: Any, given: dict[str, Any]) -> Any:
    return model.deserialize(given).serialize()
