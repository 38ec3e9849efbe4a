"""What is deployed: the package that `.funcignore` leaves, and whether it runs with `requirements.txt` alone."""

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pathspec
import pytest

ROOT = Path(__file__).parents[2]

# What the Functions worker does with a package: import the app's module, ask it for its functions.
INDEX = """
import importlib.util, json
from function_app import app
functions = [[function.get_function_name(), function.get_trigger().type] for function in app.get_functions()]
print(json.dumps({"functions": sorted(functions), "clean": not importlib.util.find_spec("pytest")}))
"""


def _indexed(python: str | Path, folder: Path) -> Any:
    """What the app in the folder is made of, in this environment."""
    strict = {"AZURE_FUNCTIONS_DURABLE_STRICT_TYPING": "1", "PATH": os.environ["PATH"]}
    run = subprocess.run([python, "-c", INDEX], cwd=folder, env=strict, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


IGNORED = pathspec.GitIgnoreSpec.from_lines((ROOT / ".funcignore").read_text().splitlines())


def _packaged(folder: Path) -> Iterator[Path]:
    """The files that are deployed, relative to the project; an ignored folder is not looked into."""
    for found in sorted(folder.iterdir()):
        path = found.relative_to(ROOT)
        if IGNORED.match_file(f"{path}/" if found.is_dir() else path):
            continue
        if found.is_dir():
            yield from _packaged(found)
        else:
            yield path


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip that is deployed, as Core Tools and azd make it."""
    package = tmp_path_factory.mktemp("package") / "app.zip"
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in _packaged(ROOT):
            zipped.write(ROOT / path, path)
    return package


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has what `requirements.txt` names and nothing else."""
    environment = tmp_path_factory.mktemp("deployed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--no-compile", "-r", str(ROOT / "requirements.txt")], check=True)
    return python


def test_the_package_holds_the_deployed_rooms_and_nothing_else(package: Path) -> None:
    """Tests, local rooms, documentation, infrastructure and settings of this machine stay at home."""
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    with zipfile.ZipFile(package) as zipped:
        names = [Path(name) for name in zipped.namelist()]
    assert {name.parts[0] for name in names if len(name.parts) > 1} == set(linter["root_packages"]) - {"bench", "local"}
    assert {name.name for name in names if len(name.parts) == 1} == {
        "function_app.py",
        "host.json",
        "LICENSE",
        "requirements.txt",
    }


@pytest.mark.parametrize(
    "folder", [".venv", ".venv-other", "venv", ".env", "env", "py312_env", ".azure", "node_modules", "landed"]
)
def test_what_only_some_machines_have_stays_at_home(folder: str) -> None:
    """With a `.funcignore`, azd no longer leaves out virtual environments by itself."""
    assert IGNORED.match_file(f"{folder}/lib/module.py")


def test_the_package_holds_code_and_its_data_only(package: Path) -> None:
    """No cache, no hidden file; what the code reads beside itself is there."""
    with zipfile.ZipFile(package) as zipped:
        names = zipped.namelist()
    assert not [name for name in names if any(part.startswith((".", "__pycache__")) for part in Path(name).parts)]
    assert {Path(name).suffix for name in names if "/" in name} == {".py", ".json"}
    assert "http_start/openapi.json" in names


@pytest.mark.timeout(300)
def test_the_package_runs_with_its_requirements_alone(package: Path, python: Path, tmp_path: Path) -> None:
    """Where only `requirements.txt` is installed, the worker finds every function with its trigger."""
    with zipfile.ZipFile(package) as zipped:
        zipped.extractall(tmp_path)
    packaged, here = _indexed(python, tmp_path), _indexed(sys.executable, ROOT)
    assert packaged == {"functions": here["functions"], "clean": True}
    kinds = {kind for _, kind in packaged["functions"]}
    assert kinds == {"httpTrigger", "timerTrigger", "orchestrationTrigger", "activityTrigger"}


def test_a_crash_holds_up_an_activity_for_a_minute() -> None:
    """Azure Storage hides what a dead host had taken for five minutes by default; both kinds of queues count."""
    provider = json.loads((ROOT / "host.json").read_text())["extensions"]["durableTask"]["storageProvider"]
    assert provider["controlQueueVisibilityTimeout"] == "00:01:00"
    assert provider["workItemQueueVisibilityTimeout"] == "00:01:00"


def test_azd_is_one_that_builds_on_azure() -> None:
    """An older azd is refused before it deploys a package without its dependencies."""
    project = (ROOT / "azure.yaml").read_text()
    assert re.search(r'^requiredVersions:\n(?:  #.*\n)*  azd: ">= 1\.23\.5"$', project, re.MULTILINE)
    assert re.search(r"^    remoteBuild: true$", project, re.MULTILINE)
