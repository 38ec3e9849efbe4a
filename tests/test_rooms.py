"""How the code is laid out: table, import contracts and folders agree, and `make lint` holds to them."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
CONTRACTS: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
ROOMS = sorted(folder.parent.name for folder in ROOT.glob("[a-z]*/__init__.py"))
IMPORTERS = {
    contract["protected_modules"][0]: set(contract["allowed_importers"])
    for contract in CONTRACTS["contracts"]
    if contract["type"] == "protected"
}
FORBIDDEN = [
    (importer, imported)
    for imported, allowed in IMPORTERS.items()
    for importer in sorted(set(ROOMS) - allowed - {imported})
]


def _table() -> dict[str, set[str]]:
    """What each row of CONTRIBUTING's table may import."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z_]+)(?:/|\.py)` \| .* \| (.*) \|$", page, re.MULTILINE)
    return {room: _allowed(room, cell) for room, cell in rows}


def _allowed(room: str, cell: str) -> set[str]:
    named = set(re.findall(r"`([a-z_]+)`", cell))
    return set(ROOMS) - {room} - named if cell.startswith("everything") else named


def test_every_package_is_linted() -> None:
    """A new folder of code is held to the contracts from its first day."""
    assert sorted(CONTRACTS["root_packages"]) == ROOMS
    assert sorted(IMPORTERS) == ROOMS


def test_the_table_is_what_the_contracts_say() -> None:
    """Who reads CONTRIBUTING knows what `make lint` takes."""
    table = _table()
    assert {room: {other for other in ROOMS if room in IMPORTERS[other]} for room in ROOMS} == {
        room: table[room] for room in ROOMS
    }


def test_the_app_is_composed_of_what_its_row_names() -> None:
    """`function_app.py` is no package, so the linter does not read it."""
    imported = {
        name.name
        for node in ast.walk(ast.parse((ROOT / "function_app.py").read_text()))
        if isinstance(node, ast.Import)
        for name in node.names
    }
    assert {name for name in imported if name in ROOMS} == _table()["function_app"]


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the linter says of a copy of the code in which each room imports all that it must not."""
    copy = tmp_path_factory.mktemp("copy")
    for room in ROOMS:
        shutil.copytree(ROOT / room, copy / room, ignore=lambda _, names: [n for n in names if _is_no_code(n)])
    for importer in ROOMS:
        intruded = [imported for other, imported in FORBIDDEN if other == importer]
        (copy / importer / "intruder.py").write_text("".join(f"import {imported}\n" for imported in intruded))
    with (copy / "orchestrator" / "intruder.py").open("a") as intruder:
        intruder.write("import httpx\nimport time\n")
    linted = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--config", ROOT / "pyproject.toml", "--no-cache"],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 1, linted.stderr
    return linted.stdout


def _is_no_code(name: str) -> bool:
    return ("." in name and not name.endswith(".py")) or name in {"node_modules", "__pycache__"}


@pytest.mark.parametrize(("importer", "imported"), FORBIDDEN)
def test_an_import_that_is_not_allowed_is_refused(refused: str, importer: str, imported: str) -> None:
    """Whichever room imports another that its row does not name."""
    assert re.search(rf"{importer}\.intruder -> {imported} \(", refused), refused


@pytest.mark.parametrize("imported", ["httpx", "time"])
def test_an_orchestrator_that_reaches_for_the_world_is_refused(refused: str, imported: str) -> None:
    """Its replay must not depend on it."""
    assert re.search(rf"orchestrator\.intruder -> {imported} \(", refused), refused
