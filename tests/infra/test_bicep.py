"""What `azd up` builds: asserted on the parsed Bicep, so that no change of the infrastructure goes unnoticed."""

import json
import re
import tomllib
from dataclasses import fields
from typing import Any

import pycep
import pytest
from packaging.specifiers import SpecifierSet

import function_app
from catalog.datasets import DATASETS, Dataset
from catalog.export_request import ExportRequest
from http_start.watch import SIGN
from local.functions import index
from messages.names import MONTHLY_EXPORTS
from settings import SCHEDULES, Settings
from tests.infra.bicep import FILES, GIVEN, INFRA, Resource, Template, deployment, parsed, walk

STORAGE = "Microsoft.Storage/storageAccounts"
CONTAINER = "Microsoft.Storage/storageAccounts/blobServices/containers"
ROLE = "Microsoft.Authorization/roleAssignments"
ALERT = "Microsoft.Insights/scheduledQueryRules"
SITE = "Microsoft.Web/sites"
LIFECYCLE = "Microsoft.Storage/storageAccounts/managementPolicies"
LOCK = "Microsoft.Authorization/locks"
AUDIT = "Microsoft.Insights/diagnosticSettings"

NOT_SET = {
    "GRAPH_STATIC_TOKEN",  # for emulators; refused for Microsoft's own address
    "LANDING_CONNECTION_STRING",  # for keys; the landing account takes none
}

HOST_SETTINGS = {
    "AzureWebJobsStorage__accountName",
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__clientId",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "AZURE_CLIENT_ID",
    "AZURE_FUNCTIONS_DURABLE_STRICT_TYPING",
    "AzureWebJobs.start_unbilled_exports.Disabled",
}

# The built-in roles' ids: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
BLOB_DATA_OWNER = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"
BLOB_DATA_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
QUEUE_DATA_CONTRIBUTOR = "974c5e8b-45b9-4653-ba55-5f855dd0fb88"
TABLE_DATA_CONTRIBUTOR = "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"
MONITORING_METRICS_PUBLISHER = "3913510d-42f4-4e42-8a64-420c390055eb"

ROOT = INFRA.parent


def _modules(**given: Any) -> dict[str, Template]:
    return deployment(**given).modules()


def _all(kind: str, **given: Any) -> list[Resource]:
    return [resource for module in _modules(**given).values() for resource in module.resources(kind)]


def _settings(**given: Any) -> dict[str, str]:
    settings: dict[str, str] = _modules(**given)["app"].resource("Microsoft.Web/sites/config").properties
    return settings


# What is built


def test_every_file_is_part_of_the_deployment() -> None:
    """`main.bicep` uses every other Bicep file, and nothing from elsewhere."""
    used = [module["detail"]["path"] for module in parsed("main.bicep")["modules"].values()]
    assert sorted([*used, "main.bicep"]) == list(FILES)


@pytest.mark.parametrize("symbol", parsed("main.bicep")["modules"])
def test_modules_get_the_parameters_that_they_take(symbol: str) -> None:
    """Each module is given all of its parameters and no other."""
    module = parsed("main.bicep")["modules"][symbol]
    config = module["config"].get("config", module["config"])
    assert set(config["params"]) == set(parsed(module["detail"]["path"])["parameters"])


def test_exactly_these_resources_are_built() -> None:
    """No resource comes or goes unnoticed."""
    built = sorted((module.file, resource.kind) for module in _modules().values() for resource in module.resources())
    assert built == sorted(
        [
            ("identity.bicep", "Microsoft.ManagedIdentity/userAssignedIdentities"),
            ("graph-role.bicep", "Microsoft.Graph/appRoleAssignedTo"),
            *[("host-storage.bicep", kind) for kind in (STORAGE, f"{STORAGE}/blobServices", CONTAINER)],
            *[("host-storage.bicep", ROLE)] * 3,
            *[("landing.bicep", kind) for kind in (STORAGE, f"{STORAGE}/blobServices", CONTAINER, LIFECYCLE, ROLE)],
            ("landing.bicep", LOCK),
            ("landing.bicep", AUDIT),
            ("monitoring.bicep", "Microsoft.OperationalInsights/workspaces"),
            ("monitoring.bicep", "Microsoft.Insights/components"),
            ("monitoring.bicep", ROLE),
            ("alerts.bicep", "Microsoft.Insights/actionGroups"),
            *[("alerts.bicep", ALERT)] * 4,
            ("app.bicep", "Microsoft.Web/serverfarms"),
            ("app.bicep", SITE),
            ("app.bicep", f"{SITE}/config"),
            *[("app.bicep", f"{SITE}/basicPublishingCredentialsPolicies")] * 2,
        ]
    )


def test_resources_have_names_that_azure_takes() -> None:
    """Storage accounts have 3 to 24 small letters and digits."""
    assert all(re.fullmatch("[a-z0-9]{3,24}", account.config["name"]) for account in _all(STORAGE))


def test_azd_gets_a_value_for_every_parameter() -> None:
    """The parameters file names each parameter of `main.bicep`, with the same default where there is one."""
    given = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    taken = parsed("main.bicep")["parameters"]
    assert list(given) == list(taken)
    for name, parameter in taken.items():
        found = re.fullmatch(r"\$\{([A-Z_]+)(?:=(.*))?\}", given[name]["value"])
        assert found, name
        assert (name in GIVEN) == (parameter["default"] is None)
        assert (found[2] or "") == ("" if parameter["default"] is None else _json(parameter["default"])), name


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def test_azd_finds_the_app_that_it_deploys_to() -> None:
    """The function app bears the tag of azure.yaml's one service, and the group that of the environment."""
    services = (ROOT / "azure.yaml").read_text().split("\nservices:\n")[1].split("\nhooks:\n")[0]
    assert re.findall(r"^  (\w+):$", services, re.MULTILINE) == [
        _modules()["app"].resource(SITE).config["tags"]["azd-service-name"]
    ]
    group = deployment().resource("Microsoft.Resources/resourceGroups")
    assert group.config["tags"] == {"azd-env-name": GIVEN["environmentName"]}


# The app


def test_the_app_runs_on_flex_consumption_with_python() -> None:
    """A Linux plan FC1, which runs Python."""
    app = _modules()["app"]
    plan = app.resource("Microsoft.Web/serverfarms")
    site = app.resource(SITE)
    assert plan.config["sku"] == {"tier": "FlexConsumption", "name": "FC1"}
    assert plan.properties["reserved"] is True
    assert site.properties["serverFarmId"] == "plan.id"
    assert site.properties["functionAppConfig"]["runtime"]["name"] == "python"


def test_the_python_version_is_one_that_the_project_supports() -> None:
    """The default is among the choices and within pyproject.toml's, and another choice reaches the plan."""
    allowed = _allowed("pythonVersion")
    default = deployment().parameter("pythonVersion")
    supported = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert allowed == ["3.11", "3.12", "3.13"]
    assert default in allowed
    assert default in SpecifierSet(supported)
    site = _modules(pythonVersion="3.13")["app"].resource(SITE)
    assert site.properties["functionAppConfig"]["runtime"]["version"] == "3.13"


def _allowed(parameter: str) -> list[Any]:
    (allowed,) = (
        decorator["argument"]
        for decorator in parsed("main.bicep")["parameters"][parameter]["decorators"]
        if decorator["type"] == "allowed"
    )
    return list(allowed)


def test_one_instance_is_always_ready_for_durable() -> None:
    """Durable's functions never wait for a cold start; memory and most instances are what was asked for."""
    scale = {"instanceMemoryMB": 4096, "maximumInstanceCount": 100}
    site = _modules(**scale)["app"].resource(SITE)
    assert site.properties["functionAppConfig"]["scaleAndConcurrency"] == {
        "alwaysReady": [{"name": "durable", "instanceCount": 1}],
        **scale,
    }


def test_the_app_has_one_identity_and_uses_it_throughout() -> None:
    """The user-assigned identity runs the app, fetches its package, opens the host's storage and writes the log."""
    modules = _modules()
    site = modules["app"].resource(SITE)
    storage = site.properties["functionAppConfig"]["deployment"]["storage"]
    settings = _settings()
    assert site.config["identity"] == {"type": "UserAssigned", "userAssignedIdentities": {"identity.id": {}}}
    assert storage["authentication"] == {
        "type": "UserAssignedIdentity",
        "userAssignedIdentityResourceId": "identity.id",
    }
    client = modules["identity"].output("clientId")
    assert settings["AZURE_CLIENT_ID"] == settings["AzureWebJobsStorage__clientId"] == client
    assert settings["AzureWebJobsStorage__credential"] == "managedidentity"
    assert settings["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"] == f"ClientId={client};Authorization=AAD"


def test_the_host_and_the_package_are_in_the_host_storage() -> None:
    """The host's account is the one that the identity may use, and it has the package's container."""
    host = _modules()["hostStorage"]
    site = _modules()["app"].resource(SITE)
    storage = site.properties["functionAppConfig"]["deployment"]["storage"]
    assert _settings()["AzureWebJobsStorage__accountName"] == host.resource(STORAGE).config["name"]
    assert storage["type"] == "blobContainer"
    assert storage["value"] == host.output("packageContainerUrl")
    assert storage["value"].endswith(f".blob.core.windows.net/{host.resource(CONTAINER).config['name']}")


# Its settings


def test_every_setting_is_set_and_none_is_unknown() -> None:
    """The app settings are the settings class, but for those that only emulators and keys want, and the host's."""
    names = {setting.name.upper() for setting in fields(Settings)}
    assert names >= NOT_SET
    assert set(_settings()) == names - NOT_SET | HOST_SETTINGS


def test_the_settings_have_the_defaults_of_the_class() -> None:
    """Whoever gives no parameter gets what README says."""
    defaults = {setting.name.upper(): setting.metadata["default"] for setting in fields(Settings)}
    assert {name: value for name, value in _settings().items() if defaults.get(name) is not None} == {
        name: default for name, default in defaults.items() if default is not None
    }


def test_the_app_takes_its_settings() -> None:
    """The settings can be used as they are deployed, and exports land in the landing account's container."""
    settings = Settings.from_mapping(_settings(landingContainerName="usage"))
    account = _modules()["landing"].resource(STORAGE).config["name"]
    assert settings.landing_url == f"https://{account}.blob.core.windows.net/usage"
    assert settings.landing_connection_string is None
    assert settings.graph_static_token is None


def test_what_is_given_reaches_the_app() -> None:
    """Each app setting that has a parameter is that of the parameter."""
    settings = _settings(
        graphTenantId="tenant",
        graphClientId="client",
        exportSchedule="0 0 5 10 * *",
        monthlyDatasets="a,b",
        unbilledSchedule="0 0 4 * * *",
        unbilledDatasets="c,d",
        unbilledCurrencies="EUR,USD",
        notifyWebhookUrl="https://hook.example/1",
    )
    assert settings["GRAPH_TENANT_ID"] == "tenant"
    assert settings["GRAPH_CLIENT_ID"] == "client"
    assert settings["EXPORT_SCHEDULE"] == "0 0 5 10 * *"
    assert settings["MONTHLY_DATASETS"] == "a,b"
    assert settings["UNBILLED_SCHEDULE"] == "0 0 4 * * *"
    assert settings["UNBILLED_DATASETS"] == "c,d"
    assert settings["UNBILLED_CURRENCIES"] == "EUR,USD"
    assert settings["NOTIFY_WEBHOOK_URL"] == "https://hook.example/1"


def test_every_timer_has_its_schedule() -> None:
    """The host reports an error for a timer whose schedule is missing, even for one that is disabled."""
    schedules = {timer.schedule.strip("%") for timer in index(function_app.app).timers}
    assert schedules == set(SCHEDULES)
    assert all(_settings()[schedule] for schedule in schedules)


def test_a_timer_without_anything_to_export_is_disabled() -> None:
    """What is not billed yet is exported once currencies are named; no other timer can be disabled by a parameter."""
    (disabled,) = [name for name in _settings() if re.fullmatch(r"AzureWebJobs\..*\.Disabled", name)]
    assert disabled.split(".")[1] in {timer.name for timer in index(function_app.app).timers}
    assert _settings()[disabled] == "true"
    assert _settings(unbilledCurrencies="EUR")[disabled] == "false"


def test_no_setting_is_one_that_flex_consumption_refuses() -> None:
    """Runtime, version, package and scaling stand in functionAppConfig, where this plan wants them."""
    refused = re.compile(r"FUNCTIONS_|WEBSITE_|SCM_|ENABLE_ORYX|AzureWebJobsStorage$|AzureWebJobsDashboard")
    assert not [name for name in _settings() if refused.match(name)]
    assert "linuxFxVersion" not in _modules()["app"].resource(SITE).properties["siteConfig"]


# Who may do what


def test_the_identity_has_these_roles_and_no_other() -> None:
    """Host storage as the host and Durable need it, the landing container alone, and the log."""
    assert {
        (assignment.template.file, assignment.template.kind_of(assignment.config["scope"]), _role(assignment))
        for assignment in _all(ROLE)
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
    principal = _modules()["identity"].output("principalId")
    assignments = _all(ROLE)
    assert {assignment.properties["principalId"] for assignment in assignments} == {principal}
    assert {assignment.properties["principalType"] for assignment in assignments} == {"ServicePrincipal"}
    for assignment in assignments:
        assert assignment.config["name"] == f"guid({assignment.config['scope']}.id, {principal}, {_role(assignment)})"


def test_the_identity_may_read_partner_billing() -> None:
    """It gets the application role PartnerBilling.Read.All of Microsoft Graph."""
    module = _modules()["graphRole"]
    assert module.resource("Microsoft.Graph/appRoleAssignedTo").config == {
        "appRoleId": "7c3e1994-38ff-4412-a99b-9369f6bb7706",
        "principalId": _modules()["identity"].output("principalId"),
        "resourceId": "graph.id",
    }
    graph = parsed("graph-role.bicep")["resources"]["graph"]
    assert graph["existing"]
    assert graph["config"] == {"appId": "00000003-0000-0000-c000-000000000000"}


def test_the_graph_role_can_be_left_to_somebody_else() -> None:
    """Without the right in the directory everything else is deployed all the same."""
    assert set(_modules()) - set(_modules(assignGraphRole=False)) == {"graphRole"}


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
    accounts = _all(STORAGE)
    assert len(accounts) == 2
    for account in accounts:
        assert account.properties["allowSharedKeyAccess"] is False
        assert account.properties["allowBlobPublicAccess"] is False
        assert account.properties["allowCrossTenantReplication"] is False
        assert account.properties["supportsHttpsTrafficOnly"] is True
        assert account.properties["minimumTlsVersion"] == "TLS1_2"
    assert [container.properties["publicAccess"] for container in _all(CONTAINER)] == ["None", "None"]


def test_the_log_takes_no_keys() -> None:
    """Application Insights and its workspace accept Entra identities only."""
    monitoring = _modules()["monitoring"]
    insights = monitoring.resource("Microsoft.Insights/components")
    workspace = monitoring.resource("Microsoft.OperationalInsights/workspaces")
    assert insights.properties["DisableLocalAuth"] is True
    assert insights.properties["WorkspaceResourceId"] == "workspace.id"
    assert workspace.properties["features"]["disableLocalAuth"] is True


def test_the_app_is_reached_and_deployed_safely() -> None:
    """Https with TLS 1.2 or later; no publishing with user name and password."""
    app = _modules()["app"]
    site = app.resource(SITE)
    assert site.properties["httpsOnly"] is True
    assert site.properties["siteConfig"]["minTlsVersion"] == "1.2"
    policies = app.resources(f"{SITE}/basicPublishingCredentialsPolicies")
    assert {policy.config["name"]: policy.properties["allow"] for policy in policies} == {"scm": False, "ftp": False}


def test_what_landed_can_be_restored() -> None:
    """The landing account keeps old versions of blobs, and deleted blobs and containers for a time."""
    retention = {"enabled": True, "days": 45}
    blobs = _modules(softDeleteDays=45)["landing"].resource(f"{STORAGE}/blobServices")
    assert blobs.properties == {
        "isVersioningEnabled": True,
        "deleteRetentionPolicy": retention,
        "containerDeleteRetentionPolicy": retention,
    }


def test_what_was_deleted_does_not_stay_for_ever() -> None:
    """Old versions go after the days in which they can be restored, unfinished work after a week, and nothing else."""
    lifecycle = _modules(softDeleteDays=45, landingContainerName="usage")["landing"].resource(LIFECYCLE)
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
    lock = _modules()["landing"].resource(LOCK)
    assert lock.properties["level"] == "CanNotDelete"
    assert lock.template.kind_of(lock.config["scope"]) == STORAGE
    assert not _all(LOCK, landingLock=False)


def test_who_read_and_who_deleted_is_written_down() -> None:
    """Reads and deletes of the landing account's blobs reach the workspace, unless that is switched off."""
    audit = _modules()["landing"].resource(AUDIT)
    assert audit.template.kind_of(audit.config["scope"]) == f"{STORAGE}/blobServices"
    assert audit.properties == {
        "workspaceId": _modules()["monitoring"].output("workspaceId"),
        "logs": [{"category": category, "enabled": True} for category in ("StorageRead", "StorageDelete")],
    }
    assert not _all(AUDIT, landingAudit=False)


OWN = "https://finops.blob.core.windows.net/billing/csp"


def test_a_container_of_your_own_is_used_as_it_is() -> None:
    """No landing account is built, no role assigned to one, and the app and azd get the given URL."""
    modules = _modules(landingUrl=OWN)
    assert set(_modules()) - set(modules) == {"landing"}
    assert _settings(landingUrl=OWN)["LANDING_URL"] == deployment(landingUrl=OWN).output("LANDING_URL") == OWN
    assert not [role for role in _all(ROLE, landingUrl=OWN) if _role(role) == BLOB_DATA_CONTRIBUTOR]


def test_the_url_of_the_account_that_was_built_changes_nothing() -> None:
    """What azd passes from one deployment to the next is no account of your own, also if the container is renamed."""
    built = deployment().output("LANDING_URL")
    assert "landing" in _modules(landingUrl=built)
    renamed = deployment(landingUrl=built, landingContainerName="usage")
    assert renamed.output("LANDING_URL") == f"{built.rsplit('/', 1)[0]}/usage"


def test_the_webhook_is_kept_secret() -> None:
    """Its address is a secure parameter wherever it passes, and no output gives it away."""
    for file in FILES:
        parameter = parsed(file).get("parameters", {}).get("notifyWebhookUrl")
        assert parameter is None or "secure" in {decorator["type"] for decorator in parameter["decorators"]}
        assert "notifyWebhookUrl" not in list(walk(parsed(file).get("outputs", {})))


# Who is told


def _rule(name: str) -> Resource:
    (rule,) = (alert for alert in _all(ALERT) if alert.config["name"].startswith(f"{name}-"))
    return rule


def _query(name: str) -> str:
    (criterion,) = _rule(name).properties["criteria"]["allOf"]
    return str(criterion["query"])


def _tells(name: str, line: str) -> bool:
    found = re.search(r'AppTraces\n *\| where SeverityLevel >= 3\n.* matches regex @"(.*)"\n', _query(name))
    assert found
    return bool(re.search(found[1], line))


def test_what_rules_look_for_is_never_sampled_away() -> None:
    """The app's lines, and the host's records of what it ran."""
    host = json.loads((ROOT / "host.json").read_text())
    excluded = host["logging"]["applicationInsights"]["samplingSettings"]["excludedTypes"]
    assert {"Request", "Trace"} <= set(excluded.split(";"))


def test_a_failed_month_is_found_by_its_request_too() -> None:
    """A month may end without a line; an export that fails within it is tried again, and told with the month."""
    assert _query("month-failed").startswith("union\n")
    assert f'(AppRequests\n    | where Name == "{MONTHLY_EXPORTS}" and Success == false' in _query("month-failed")
    assert "AppRequests" not in _query("export-failed")


EVERY_FIELD = {"invoiceId": "G016907411", "currencyCode": "USD", "billingPeriod": "last", "attributeSet": "full"}


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=DATASETS)
def test_a_failed_export_is_told(dataset: Dataset) -> None:
    """The first rule sees a failed export of any data set, started by a call or by the monthly timer."""
    body = {field.name: EVERY_FIELD[field.name] for field in dataset.fields}
    export_id = ExportRequest.parse({"dataset": dataset.name, **body}).export_id
    line = f"partner.billing.export.failed {export_id}: Forbidden: Access denied."
    assert _tells("export-failed", line)
    assert not _tells("month-failed", line)


def test_a_failed_month_is_told() -> None:
    """The second rule sees a monthly run that failed, and the first does not."""
    for months in ("2026-10", "2026-01-to-2026-06"):
        line = f"partner.billing.export.failed monthly-{months}: NoInvoice: billedUsage-G016907411-full: none."
        assert _tells("month-failed", line)
        assert not _tells("export-failed", line)


@pytest.mark.parametrize("rule", ["export-failed", "month-failed"])
def test_what_did_not_fail_is_not_told(rule: str) -> None:
    """Neither rule is moved by other lines, by one that quotes a failure, or by that of an export within a month."""
    assert not _tells(rule, "partner.billing.export.succeeded billedUsage-G016907411-full: 200 blobs")
    assert not _tells(rule, "partner.billing.export.failed monthly-2026-10:billedUsage-G016907411-full: X: y")
    assert not _tells(rule, "Retried: partner.billing.export.failed billedUsage-G016907411-full: X: y")


def test_every_timer_that_fails_is_told() -> None:
    """One rule names each timer of the app: a failure before a run has started shows in the timer's own record only.

    A new timer is added to `timers` in infra/alerts.bicep.
    """
    timers = [timer.name for timer in index(function_app.app).timers]
    assert timers
    assert sorted(_modules()["alerts"].variable("timers")) == sorted(timers)
    named = re.search(r"^AppRequests\n\| where Name in \((.*)\) and Success == false\n", _query("timer-failed"))
    assert named
    assert sorted(named[1].split(", ")) == sorted(f'"{timer}"' for timer in timers)


def test_alerts_reach_the_address() -> None:
    """The rules look at the app's workspace, fire at the first failure and write to the given address."""
    alerts = _modules(alertEmail="operations@contoso.example")["alerts"]
    people = alerts.resource("Microsoft.Insights/actionGroups")
    assert people.properties["enabled"] is True
    assert [person["emailAddress"] for person in people.properties["emailReceivers"]] == ["operations@contoso.example"]
    assert len(people.properties["groupShortName"]) <= 12
    for alert in alerts.resources(ALERT):
        (criterion,) = alert.properties["criteria"]["allOf"]
        assert alert.properties["enabled"] is True
        assert alert.properties["actions"] == {"actionGroups": [f"{people.symbol}.id"]}
        assert alert.properties["scopes"] == [_modules()["monitoring"].output("workspaceId")]
        assert criterion["timeAggregation"] == "Count"


def test_a_failure_is_told_once_even_if_its_log_is_late() -> None:
    """The window outlasts the interval and muting covers the window; Azure mutes no rule that resolves by itself."""
    for alert in _all(ALERT):
        assert alert.properties["autoMitigate"] is False
        # It fires at what does not come; all others fire at what does.
        if alert.config["name"] != _rule("watch-silent").config["name"]:
            (criterion,) = alert.properties["criteria"]["allOf"]
            assert (criterion["operator"], criterion["threshold"]) == ("GreaterThan", 0)
            assert alert.properties["evaluationFrequency"] == "PT15M"
            assert alert.properties["windowSize"] == alert.properties["muteActionsDuration"] == "PT1H"


def test_a_watch_that_is_silent_is_told() -> None:
    """Less than one line in two days, the longest window that Azure takes, of a watch that fires every day."""
    (criterion,) = _rule("watch-silent").properties["criteria"]["allOf"]
    assert (criterion["operator"], criterion["threshold"]) == ("LessThan", 1)
    assert _rule("watch-silent").properties["windowSize"] == "P2D"
    assert criterion["query"] == f'AppTraces\n| where Message startswith "{SIGN} "\n'
    assert _settings()["WATCH_SCHEDULE"].endswith(" * * *")
