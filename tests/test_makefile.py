"""`make` finds a Python that the app runs on, or says in one sentence that there is none."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("python", ["no-such-python", "false", ""], ids=["missing", "too old", "none at all"])
def test_without_a_suitable_python_make_says_so(python: str, tmp_path: Path) -> None:
    """It names what it was given, makes no environment, and ends."""
    command = ["make", "setup", f"PYTHON={python}", f"VENV={tmp_path / 'venv'}"]
    variables = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    made = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert made.returncode != 0
    assert made.stdout == ""
    (told,) = made.stderr.splitlines()
    assert "Python 3.11, 3.12 or 3.13 is needed" in told
    assert f"{python} is not one" in told if python else "none was found" in told
    assert not list(tmp_path.iterdir())


def test_make_looks_for_the_pythons_that_azure_offers() -> None:
    """What can be deployed is what can be tested, by CI too."""
    offered = re.findall(r"^  '(3\.\d+)'$", (ROOT / "infra" / "main.bicep").read_text(), re.MULTILINE)
    (names,) = re.findall(r"for python in (.*?);", (ROOT / "Makefile").read_text())
    assert names.split() == [f"python{version}" for version in offered]
    assert set(re.findall(r"\b3\.\d+\b", (ROOT / ".ci" / "run").read_text())) == set(offered)


@pytest.mark.parametrize(("ci", "is_fine"), [("", True), ("true", False)], ids=["by hand", "in CI"])
def test_without_the_validators_python_its_check_is_skipped_but_not_in_ci(
    ci: str, is_fine: bool, tmp_path: Path
) -> None:
    """In one line; nothing is installed for it."""
    command = ["make", "focus-check", "FOCUS_PYTHON=no-such-python", f"VENV={tmp_path / 'venv'}"]
    variables = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")} | {"CI": ci}
    made = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert (made.returncode == 0) is is_fine
    (told,) = made.stdout.splitlines()
    assert told == "The FOCUS table was not validated: that needs Python 3.12, and no-such-python is none."
    assert not list(tmp_path.iterdir())
