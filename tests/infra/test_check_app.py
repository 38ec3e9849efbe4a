"""What a deployer is told after `azd deploy`, by the hook as azd runs it, of an app on the local host and of none."""

import subprocess
import sys
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from infra.hooks.check_app import Response, Row, main, rows_of
from local.emulator import Emulator, EmulatorOptions
from local.running import ROOT, beside, environment, host, served
from tests.e2e.gates import QUICK
from tests.infra.bicep import parsed

DEPLOYED = {
    "FUNCTION_KEY": "none",
    "LANDING_URL": "https://finops.blob.core.windows.net/billing/csp",
    "IDENTITY_PRINCIPAL_ID": "5f2f6fd4-5fc7-4bb3-9b27-9f1b6fb2c4de",
}
OK = [Row("functions", "ok"), Row("settings", "ok"), Row("orchestrations", "ok")]
GRAPH = {"code": "Forbidden", "message": "Access denied.", "requestId": "1", "remedy": "Give it the role."}


def _run(url: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(ROOT / "infra" / "hooks" / "check_app.py")]
    variables = environment(DEPLOYED | {"FUNCTION_APP_URL": url})
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


def _table(text: str) -> dict[str, list[str]]:
    rows = [[cell for cell in line.split("  ") if cell] for line in text.splitlines()[1:]]
    return {row[0]: [cell.strip() for cell in row[1:]] for row in rows}


def test_an_app_that_lacks_nothing_is_told_so(tmp_path: Path) -> None:
    """Everything that was tried is in the table, and the hook succeeds."""
    with beside(served(Emulator(EmulatorOptions()).app)) as graph:
        settings = QUICK | {
            "GRAPH_BASE_URL": f"{graph}/v1.0",
            "PARTNER_CENTER_BASE_URL": graph,
            "LANDING_URL": (tmp_path / "landed").as_uri(),
        }
        with host(settings, tmp_path) as app:
            told = _run(app.url)
    assert told.returncode == 0, told.stderr
    names = ["functions", "settings", "orchestrations", "landing zone", "Microsoft Graph", "Partner Center"]
    assert _table(told.stdout) == {name: ["ok"] for name in names}


def test_what_an_app_lacks_is_told_with_its_remedy(tmp_path: Path) -> None:
    """A token that the API refuses, and a landing zone that cannot be written to, in one table; the hook fails."""
    (tmp_path / "landed").write_text("no folder")
    with beside(served(Emulator(EmulatorOptions()).app)) as graph:
        settings = QUICK | {
            "GRAPH_BASE_URL": f"{graph}/v1.0",
            "PARTNER_CENTER_BASE_URL": graph,
            "GRAPH_STATIC_TOKEN": "wrong",
            "LANDING_URL": (tmp_path / "landed").as_uri(),
        }
        with host(settings, tmp_path) as app:
            told = _run(app.url)
    assert told.returncode == 1, told.stderr
    table = _table(told.stdout)
    assert {name for name, row in table.items() if row != ["ok"]} == {
        "landing zone",
        "Microsoft Graph",
        "Partner Center",
    }
    assert "PartnerBilling.Read.All" in table["Microsoft Graph"][1]


@pytest.mark.parametrize(
    ("response", "rows"),
    [
        (Response(0, {}), ["functions: no answer"]),
        (Response(HTTPStatus.NOT_FOUND, {}), ["functions: HTTP 404"]),
        (Response(HTTPStatus.BAD_GATEWAY, {}), ["functions: HTTP 502"]),
        (Response(HTTPStatus.UNAUTHORIZED, {}), ["function key: missing or wrong"]),
        (
            Response(HTTPStatus.INTERNAL_SERVER_ERROR, {"errors": [{"detail": "A."}, {"detail": "B."}]}),
            ["functions: ok", "settings: A.", "settings: B."],
        ),
        (
            Response(HTTPStatus.SERVICE_UNAVAILABLE, {"detail": "They do not run."}),
            ["functions: ok", "settings: ok", "orchestrations: They do not run."],
        ),
    ],
)
def test_the_table_ends_with_what_keeps_all_else_from_being_tried(response: Response, rows: list[str]) -> None:
    """Each line that is not ok says what to do."""
    found = rows_of(response, DEPLOYED)
    assert [f"{row.what}: {row.state}" for row in found] == rows
    assert all(bool(row.remedy) == (row.state != "ok") for row in found)


def test_a_landing_zone_that_refuses_is_answered_with_the_command_that_assigns_the_role() -> None:
    """For the container that LANDING_URL names, whoever built it, and the identity of this deployment."""
    message = "The landing zone refused: 403 AuthorizationPermissionMismatch."
    problem = {"code": "LandingRefused", "message": message, "requestId": None, "remedy": "Give it the role."}
    *before, landing, graph = rows_of(_checked(landing=problem, graph=GRAPH), DEPLOYED)
    assert before == OK
    assert graph == Row("Microsoft Graph", "Forbidden: Access denied.", "Give it the role.")
    assert landing.remedy == (
        'az role assignment create --role "Storage Blob Data Contributor"'
        " --assignee-object-id 5f2f6fd4-5fc7-4bb3-9b27-9f1b6fb2c4de --assignee-principal-type ServicePrincipal"
        ' --scope "$(az storage account show -n finops --query id -o tsv)/blobServices/default/containers/billing"'
    )


def test_a_landing_zone_that_refuses_for_another_reason_is_answered_with_that_reasons_remedy() -> None:
    """A role opens no firewall."""
    message = "The landing zone refused: 403 AuthorizationFailure."
    problem = {"code": "LandingRefused", "message": message, "requestId": None, "remedy": "Let it through."}
    *_, landing, _ = rows_of(_checked(landing=problem, graph=GRAPH), DEPLOYED)
    assert landing.remedy == "Let it through."


def test_what_others_wrote_stays_one_short_line() -> None:
    """Also a message with control characters, or of a thousand characters."""
    (*_, row) = rows_of(_checked(graph=GRAPH | {"message": "no\n\x1b[2J" + " more" * 200}), DEPLOYED)
    assert row.state.isprintable()
    assert row.state.startswith("Forbidden: no")
    assert len(row.state) <= 100


def _checked(**problems: Mapping[str, Any] | None) -> Response:
    checks = [{"name": name, "problem": problem} for name, problem in problems.items()]
    return Response(HTTPStatus.OK, {"ready": not any(problems.values()), "checks": checks})


def test_an_app_that_has_not_begun_yet_is_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    """For minutes, not for ever."""
    waits: list[float] = []
    assert main(DEPLOYED | {"FUNCTION_APP_URL": "http://127.0.0.1:9"}, waits.append) == 1
    assert 180 <= sum(waits) <= 600
    assert "no answer" in capsys.readouterr().out


def test_without_a_deployment_there_is_nothing_to_ask(capsys: pytest.CaptureFixture[str]) -> None:
    """As where somebody runs it without azd."""
    assert main({}) == 1
    assert "azd hooks run postdeploy" in capsys.readouterr().out


def test_azd_runs_it_and_has_all_that_it_reads() -> None:
    """On each system, after each deployment; what it reads of the environment are outputs."""
    hooks = (ROOT / "azure.yaml").read_text().split("\nhooks:\n")[1]
    assert "  postdeploy:\n" in hooks
    assert hooks.count("infra/hooks/check_app.py\n") == hooks.count("continueOnError: true\n") == 2
    outputs = set(parsed("main.bicep")["outputs"])
    assert {"FUNCTION_APP_URL", "FUNCTION_APP_NAME", "AZURE_RESOURCE_GROUP"} <= outputs
    assert {"LANDING_URL", "IDENTITY_PRINCIPAL_ID"} <= outputs
