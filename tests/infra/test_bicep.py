"""What `azd up` builds: asserted on the parsed Bicep, so that no change of the infrastructure goes unnoticed."""

import json
import re
import tomllib
from dataclasses import fields
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet

import function_app
from local.functions import index
from settings import SCHEDULES, Settings
from tests.infra.bicep import (
    ALERT,
    AUDIT,
    CONTAINER,
    FILES,
    GIVEN,
    INFRA,
    LIFECYCLE,
    LOCK,
    ROLE,
    ROOT,
    SITE,
    STORAGE,
    all_of,
    app_settings,
    deployment,
    modules,
    parsed,
)

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
    built = sorted((module.file, resource.kind) for module in modules().values() for resource in module.resources())
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
            *[("alerts.bicep", ALERT)] * 5,
            ("app.bicep", "Microsoft.Web/serverfarms"),
            ("app.bicep", SITE),
            ("app.bicep", f"{SITE}/config"),
            *[("app.bicep", f"{SITE}/basicPublishingCredentialsPolicies")] * 2,
        ]
    )


def test_resources_have_names_that_azure_takes() -> None:
    """Storage accounts have 3 to 24 small letters and digits."""
    assert all(re.fullmatch("[a-z0-9]{3,24}", account.config["name"]) for account in all_of(STORAGE))


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
        modules()["app"].resource(SITE).config["tags"]["azd-service-name"]
    ]
    group = deployment().resource("Microsoft.Resources/resourceGroups")
    assert group.config["tags"] == {"azd-env-name": GIVEN["environmentName"]}


# The app


def test_the_app_runs_on_flex_consumption_with_python() -> None:
    """A Linux plan FC1, which runs Python."""
    app = modules()["app"]
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
    site = modules(pythonVersion="3.13")["app"].resource(SITE)
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
    site = modules(**scale)["app"].resource(SITE)
    assert site.properties["functionAppConfig"]["scaleAndConcurrency"] == {
        "alwaysReady": [{"name": "durable", "instanceCount": 1}],
        **scale,
    }


def test_the_app_has_one_identity_and_uses_it_throughout() -> None:
    """The user-assigned identity runs the app, fetches its package, opens the host's storage and writes the log."""
    built = modules()
    site = built["app"].resource(SITE)
    storage = site.properties["functionAppConfig"]["deployment"]["storage"]
    settings = app_settings()
    assert site.config["identity"] == {"type": "UserAssigned", "userAssignedIdentities": {"identity.id": {}}}
    assert storage["authentication"] == {
        "type": "UserAssignedIdentity",
        "userAssignedIdentityResourceId": "identity.id",
    }
    client = built["identity"].output("clientId")
    assert settings["AZURE_CLIENT_ID"] == settings["AzureWebJobsStorage__clientId"] == client
    assert settings["AzureWebJobsStorage__credential"] == "managedidentity"
    assert settings["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"] == f"ClientId={client};Authorization=AAD"


def test_the_host_and_the_package_are_in_the_host_storage() -> None:
    """The host's account is the one that the identity may use, and it has the package's container."""
    host = modules()["hostStorage"]
    site = modules()["app"].resource(SITE)
    storage = site.properties["functionAppConfig"]["deployment"]["storage"]
    assert app_settings()["AzureWebJobsStorage__accountName"] == host.resource(STORAGE).config["name"]
    assert storage["type"] == "blobContainer"
    assert storage["value"] == host.output("packageContainerUrl")
    assert storage["value"].endswith(f".blob.core.windows.net/{host.resource(CONTAINER).config['name']}")


# Its settings


def test_every_setting_is_set_and_none_is_unknown() -> None:
    """The app settings are the settings class, but for those that only emulators and keys want, and the host's."""
    names = {setting.name.upper() for setting in fields(Settings)}
    assert names >= NOT_SET
    assert set(app_settings()) == names - NOT_SET | HOST_SETTINGS


def test_the_settings_have_the_defaults_of_the_class() -> None:
    """Whoever gives no parameter gets what README says."""
    defaults = {setting.name.upper(): setting.metadata["default"] for setting in fields(Settings)}
    assert {name: value for name, value in app_settings().items() if defaults.get(name) is not None} == {
        name: default for name, default in defaults.items() if default is not None
    }


def test_the_app_takes_its_settings() -> None:
    """The settings can be used as they are deployed, and exports land in the landing account's container."""
    settings = Settings.from_mapping(app_settings(landingContainerName="usage"))
    account = modules()["landing"].resource(STORAGE).config["name"]
    assert settings.landing_url == f"https://{account}.blob.core.windows.net/usage"
    assert settings.landing_connection_string is None
    assert settings.graph_static_token is None


def test_what_is_given_reaches_the_app() -> None:
    """Each app setting that has a parameter is that of the parameter."""
    settings = app_settings(
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
    assert all(app_settings()[schedule] for schedule in schedules)


def test_a_timer_without_anything_to_export_is_disabled() -> None:
    """What is not billed yet is exported once currencies are named; no other timer can be disabled by a parameter."""
    (disabled,) = [name for name in app_settings() if re.fullmatch(r"AzureWebJobs\..*\.Disabled", name)]
    assert disabled.split(".")[1] in {timer.name for timer in index(function_app.app).timers}
    assert app_settings()[disabled] == "true"
    assert app_settings(unbilledCurrencies="EUR")[disabled] == "false"


def test_no_setting_is_one_that_flex_consumption_refuses() -> None:
    """Runtime, version, package and scaling stand in functionAppConfig, where this plan wants them."""
    refused = re.compile(r"FUNCTIONS_|WEBSITE_|SCM_|ENABLE_ORYX|AzureWebJobsStorage$|AzureWebJobsDashboard")
    assert not [name for name in app_settings() if refused.match(name)]
    assert "linuxFxVersion" not in modules()["app"].resource(SITE).properties["siteConfig"]
