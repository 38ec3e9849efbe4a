"""Who may do what with all that `azd up` builds, and what keeps it safe."""

import json
import re
from typing import Any

import pycep
import pytest

from tests.infra.bicep import (
    AUDIT,
    CONTAINER,
    FILES,
    INFRA,
    LIFECYCLE,
    LOCK,
    ROLE,
    SITE,
    STORAGE,
    Resource,
    all_of,
    app_settings,
    deployment,
    modules,
    parsed,
    walk,
)

# The built-in roles' ids: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
BLOB_DATA_OWNER = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"
BLOB_DATA_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
QUEUE_DATA_CONTRIBUTOR = "974c5e8b-45b9-4653-ba55-5f855dd0fb88"
TABLE_DATA_CONTRIBUTOR = "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"
MONITORING_METRICS_PUBLISHER = "3913510d-42f4-4e42-8a64-420c390055eb"


def test_the_identity_has_these_roles_and_no_other() -> None:
    """Host storage as the host and Durable need it, the landing container alone, and the log."""
    assert {
        (assignment.template.file, assignment.template.kind_of(assignment.config["scope"]), _role(assignment))
        for assignment in all_of(ROLE)
    } == {
        ("host-storage.bicep", STORAGE, BLOB_DATA_OWNER),
        ("host-storage.bicep", STORAGE, QUEUE_DATA_CONTRIBUTOR),
        ("host-storage.bicep", STORAGE, TABLE_DATA_CONTRIBUTOR),
        ("landing.bicep", CONTAINER, BLOB_DATA_CONTRIBUTOR),
        ("monitoring.bicep", "Microsoft.Insights/components", MONITORING_METRICS_PUBLISHER),
    }


def _role(assignment: Resource) -> str:
    found = re.fullmatch(
        r"subscription_resource_id\(Microsoft.Authorization/roleDefinitions, ([0-9a-f-]{36})\)",
        assignment.properties["roleDefinitionId"],
    )
    assert found
    return found[1]


def test_every_role_is_the_identitys() -> None:
    """No role goes to anybody else, and each assignment has a name of its own."""
    principal = modules()["identity"].output("principalId")
    assignments = all_of(ROLE)
    assert {assignment.properties["principalId"] for assignment in assignments} == {principal}
    assert {assignment.properties["principalType"] for assignment in assignments} == {"ServicePrincipal"}
    for assignment in assignments:
        assert assignment.config["name"] == f"guid({assignment.config['scope']}.id, {principal}, {_role(assignment)})"


def test_the_identity_may_read_partner_billing() -> None:
    """It gets the application role PartnerBilling.Read.All of Microsoft Graph."""
    module = modules()["graphRole"]
    assert module.resource("Microsoft.Graph/appRoleAssignedTo").config == {
        "appRoleId": "7c3e1994-38ff-4412-a99b-9369f6bb7706",
        "principalId": modules()["identity"].output("principalId"),
        "resourceId": "graph.id",
    }
    graph = parsed("graph-role.bicep")["resources"]["graph"]
    assert graph["existing"]
    assert graph["config"] == {"appId": "00000003-0000-0000-c000-000000000000"}


def test_the_graph_role_can_be_left_to_somebody_else() -> None:
    """Without the right in the directory everything else is deployed all the same."""
    assert set(modules()) - set(modules(assignGraphRole=False)) == {"graphRole"}


def test_the_graph_role_comes_last() -> None:
    """It waits for the app, since Microsoft Graph knows a new identity only after a while."""
    assert parsed("main.bicep")["modules"]["graphRole"]["config"]["config"]["dependsOn"] == ["app"]


def test_the_graph_extension_is_a_pinned_release() -> None:
    """bicepconfig.json names the extension that the template uses, v1.0, at one version."""
    extensions = json.loads((INFRA / "bicepconfig.json").read_text())["extensions"]
    used = {name for file in FILES for name in parsed(file).get("extensions", {})}
    assert set(extensions) == used
    assert all(re.search(r"/microsoftgraph/v1\.0:\d+\.\d+\.\d+$", reference) for reference in extensions.values())


# What keeps it safe


def _reads_a_key(node: Any) -> bool:
    match node:
        case {"func_name": _}:
            return True
        case str():
            return bool(re.search(r"\$\{[^}]*\b(list|getSecret)\w*\(", node, re.IGNORECASE))
    return False


@pytest.mark.parametrize("file", FILES)
def test_no_key_is_read(file: str) -> None:
    """No template lists keys or secrets, so none can reach a setting, an output or a deployment's history."""
    assert not any(_reads_a_key(node) for node in walk(parsed(file)))


@pytest.mark.parametrize(
    "reading",
    [
        "account.listKeys().keys[0].value",
        "listKeys(account.id, '2023-05-01').keys[0].value",
        "'AccountKey=${account.listKeys().keys[0].value}'",
        "vault.getSecret('key')",
    ],
)
def test_a_key_that_is_read_would_be_seen(reading: str) -> None:
    """Every form in which Bicep reads a key is one that the test above refuses."""
    assert any(_reads_a_key(node) for node in walk(pycep.BicepParser().parse(text=f"var key = {reading}\n")))


def test_storage_takes_no_keys_no_plain_http_and_no_strangers() -> None:
    """Both accounts: Entra only, TLS 1.2 or later, nothing public, no copying to other tenants."""
    accounts = all_of(STORAGE)
    assert len(accounts) == 2
    for account in accounts:
        assert account.properties["allowSharedKeyAccess"] is False
        assert account.properties["allowBlobPublicAccess"] is False
        assert account.properties["allowCrossTenantReplication"] is False
        assert account.properties["supportsHttpsTrafficOnly"] is True
        assert account.properties["minimumTlsVersion"] == "TLS1_2"
    assert [container.properties["publicAccess"] for container in all_of(CONTAINER)] == ["None", "None"]


def test_the_log_takes_no_keys() -> None:
    """Application Insights and its workspace accept Entra identities only."""
    monitoring = modules()["monitoring"]
    insights = monitoring.resource("Microsoft.Insights/components")
    workspace = monitoring.resource("Microsoft.OperationalInsights/workspaces")
    assert insights.properties["DisableLocalAuth"] is True
    assert insights.properties["WorkspaceResourceId"] == "workspace.id"
    assert workspace.properties["features"]["disableLocalAuth"] is True


def test_the_app_is_reached_and_deployed_safely() -> None:
    """Https with TLS 1.2 or later; no publishing with user name and password."""
    app = modules()["app"]
    site = app.resource(SITE)
    assert site.properties["httpsOnly"] is True
    assert site.properties["siteConfig"]["minTlsVersion"] == "1.2"
    policies = app.resources(f"{SITE}/basicPublishingCredentialsPolicies")
    assert {policy.config["name"]: policy.properties["allow"] for policy in policies} == {"scm": False, "ftp": False}


def test_what_landed_can_be_restored() -> None:
    """The landing account keeps old versions of blobs, and deleted blobs and containers for a time."""
    retention = {"enabled": True, "days": 45}
    blobs = modules(softDeleteDays=45)["landing"].resource(f"{STORAGE}/blobServices")
    assert blobs.properties == {
        "isVersioningEnabled": True,
        "deleteRetentionPolicy": retention,
        "containerDeleteRetentionPolicy": retention,
    }


def test_what_was_deleted_does_not_stay_for_ever() -> None:
    """Old versions go after the days in which they can be restored, unfinished work after a week, and nothing else."""
    lifecycle = modules(softDeleteDays=45, landingContainerName="usage")["landing"].resource(LIFECYCLE)
    assert lifecycle.config["name"] == "default"
    blocks = {"blobTypes": ["blockBlob"]}
    assert {rule["name"]: rule["definition"] for rule in lifecycle.properties["policy"]["rules"]} == {
        "old-versions": {
            "filters": blocks,
            "actions": {"version": {"delete": {"daysAfterCreationGreaterThan": 45}}},
        },
        "left-unfinished": {
            "filters": blocks | {"prefixMatch": ["usage/_work/"]},
            "actions": {"baseBlob": {"delete": {"daysAfterModificationGreaterThan": 7}}},
        },
    }
    assert all(rule["enabled"] and rule["type"] == "Lifecycle" for rule in lifecycle.properties["policy"]["rules"])


def test_the_landing_account_refuses_to_be_deleted() -> None:
    """The lock is on unless it is switched off, and it holds the account, not the blobs that the app sweeps."""
    lock = modules()["landing"].resource(LOCK)
    assert lock.properties["level"] == "CanNotDelete"
    assert lock.template.kind_of(lock.config["scope"]) == STORAGE
    assert not all_of(LOCK, landingLock=False)


def test_who_read_and_who_deleted_is_written_down() -> None:
    """Reads and deletes of the landing account's blobs reach the workspace, unless that is switched off."""
    audit = modules()["landing"].resource(AUDIT)
    assert audit.template.kind_of(audit.config["scope"]) == f"{STORAGE}/blobServices"
    assert audit.properties == {
        "workspaceId": modules()["monitoring"].output("workspaceId"),
        "logs": [{"category": category, "enabled": True} for category in ("StorageRead", "StorageDelete")],
    }
    assert not all_of(AUDIT, landingAudit=False)


OWN = "https://finops.blob.core.windows.net/billing/csp"


def test_a_container_of_your_own_is_used_as_it_is() -> None:
    """No landing account is built, no role assigned to one, and the app and azd get the given URL."""
    built = modules(landingUrl=OWN)
    assert set(modules()) - set(built) == {"landing"}
    assert app_settings(landingUrl=OWN)["LANDING_URL"] == deployment(landingUrl=OWN).output("LANDING_URL") == OWN
    assert not [role for role in all_of(ROLE, landingUrl=OWN) if _role(role) == BLOB_DATA_CONTRIBUTOR]


def test_the_url_of_the_account_that_was_built_changes_nothing() -> None:
    """What azd passes from one deployment to the next is no account of your own, also if the container is renamed."""
    built = deployment().output("LANDING_URL")
    assert "landing" in modules(landingUrl=built)
    renamed = deployment(landingUrl=built, landingContainerName="usage")
    assert renamed.output("LANDING_URL") == f"{built.rsplit('/', 1)[0]}/usage"


def test_the_webhook_is_kept_secret() -> None:
    """Its address is a secure parameter wherever it passes, and no output gives it away."""
    for file in FILES:
        parameter = parsed(file).get("parameters", {}).get("notifyWebhookUrl")
        assert parameter is None or "secure" in {decorator["type"] for decorator in parameter["decorators"]}
        assert "notifyWebhookUrl" not in list(walk(parsed(file).get("outputs", {})))
