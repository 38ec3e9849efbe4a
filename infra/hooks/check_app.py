"""After a deployment: asks the app what it still lacks, and prints it as one table, each thing with its remedy.

azd runs it and gives it the outputs of the deployment as variables. `FUNCTION_KEY` may hold a function key; else the
Azure CLI is asked for one. Ends with 0 if nothing is missing, else with 1. It wants Python and nothing to be installed.
"""

import json
import os
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

TRIES = 20
PAUSE = 15.0
"""Seconds between tries: a new package takes a minute or two until it answers."""

ANSWER_SECONDS = 120.0

OK = "ok"
LABELS = {"landing": "landing zone", "graph": "Microsoft Graph", "partnerCenter": "Partner Center"}


class Row(NamedTuple):
    """One line of the table: `state` is `ok`, or says what is wrong."""

    what: str
    state: str
    remedy: str = ""


class Response(NamedTuple):
    """What the app answered: an HTTP status, or 0 for none, and a JSON object."""

    status: int
    body: Mapping[str, Any]


def main(environment: Mapping[str, str], sleep: Callable[[float], None] = time.sleep) -> int:
    """Prints the table; 1 if something is missing."""
    if "FUNCTION_APP_URL" not in environment:
        sys.stdout.write(_table([Row("deployment", "not known", "Run azd provision, then azd hooks run postdeploy.")]))
        return 1
    key = environment.get("FUNCTION_KEY") or _key_by_azure_cli(environment)
    response = _ask(f"{environment['FUNCTION_APP_URL'].rstrip('/')}/api/readiness", key, sleep)
    rows = rows_of(response, environment)
    sys.stdout.write(_table(rows))
    return int(any(row.state != OK for row in rows))


def rows_of(response: Response, environment: Mapping[str, str]) -> list[Row]:
    """The table's rows, up to the first thing without which nothing after it could be tried."""
    if response.status == HTTPStatus.UNAUTHORIZED:
        return [Row("function key", "missing or wrong", "Sign in with az login, or set FUNCTION_KEY.")]
    if response.status in {0, HTTPStatus.NOT_FOUND} or not response.body:
        said = f"HTTP {response.status}" if response.status else "no answer"
        return [Row("functions", said, "Run azd deploy again, and read what the build says.")]
    rows = [Row("functions", OK)]
    if response.status == HTTPStatus.INTERNAL_SERVER_ERROR and "errors" in response.body:
        faults = [fault["detail"] for fault in response.body["errors"]]
        return rows + [Row("settings", fault, "Set it with azd env set, then run azd provision.") for fault in faults]
    rows += [Row("settings", OK)]
    if response.status != HTTPStatus.OK:
        said = str(response.body.get("detail", f"HTTP {response.status}"))
        return [*rows, Row("orchestrations", said, "Run azd provision again, and look at the app's log.")]
    rows += [Row("orchestrations", OK)]
    return rows + [_row(check["name"], check["problem"], environment) for check in response.body["checks"]]


def _row(name: str, problem: Mapping[str, Any] | None, environment: Mapping[str, str]) -> Row:
    label = LABELS.get(name, name)
    if problem is None:
        return Row(label, OK)
    lacks_role = "AuthorizationPermissionMismatch" in problem["message"]
    remedy = _role_command(environment) if lacks_role else problem["remedy"]
    return Row(label, _line(f"{problem['code']}: {problem['message']}"), remedy)


def _line(text: str) -> str:
    """A text that others wrote, as one short line that does nothing to a terminal."""
    return textwrap.shorten("".join(character if character.isprintable() else " " for character in text), 100)


def _role_command(environment: Mapping[str, str]) -> str:
    """The command that lets the app write to the landing container, whether built here or not."""
    host, container = environment["LANDING_URL"].split("/")[2:4]
    account = host.split(".")[0]
    return (
        'az role assignment create --role "Storage Blob Data Contributor"'
        f" --assignee-object-id {environment['IDENTITY_PRINCIPAL_ID']} --assignee-principal-type ServicePrincipal"
        f' --scope "$(az storage account show -n {account} --query id -o tsv)'
        f'/blobServices/default/containers/{container}"'
    )


def _ask(url: str, key: str, sleep: Callable[[float], None]) -> Response:
    """The app's answer, once the app has started."""
    response = _asked_once(url, key)
    for _ in range(TRIES - 1):
        if response.body or response.status == HTTPStatus.UNAUTHORIZED:
            break
        sleep(PAUSE)
        response = _asked_once(url, key)
    return response


def _asked_once(url: str, key: str) -> Response:
    request = Request(url, headers={"x-functions-key": key})  # noqa: S310
    try:
        with urlopen(request, timeout=ANSWER_SECONDS) as response:  # noqa: S310
            return Response(response.status, _object(response.read()))
    except HTTPError as error:
        with error:
            return Response(error.code, _object(error.read()))
    except (OSError, HTTPException):
        return Response(0, {})


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        content = json.loads(body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _key_by_azure_cli(environment: Mapping[str, str]) -> str:
    """The app's default function key; empty where the Azure CLI does not give it."""
    az = shutil.which("az")
    if az is None:
        return ""
    command = [az, "functionapp", "keys", "list", "--query", "functionKeys.default", "-o", "tsv"]
    command += ["-g", environment["AZURE_RESOURCE_GROUP"], "-n", environment["FUNCTION_APP_NAME"]]
    # Names from azd's own environment, handed over without a shell.
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603


def _table(rows: list[Row]) -> str:
    cells = [Row("what", "state", "what to do"), *rows]
    what, state = (max(len(row[column]) for row in cells) for column in (0, 1))
    lines = [f"{row.what:<{what}}  {row.state:<{state}}  {row.remedy}".rstrip() for row in cells]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(os.environ))
