"""The documentation is true: settings, dependencies and examples are held to the code."""

import ast
import inspect
import json
import re
from dataclasses import fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, get_args

from catalog.datasets import DATASETS, FIELDS
from catalog.export_request import ExportRequest
from catalog.run_ids import SUBJECT_ID, TABLE_ID
from failures import NO_DATA, BillingFailure, IdentityFailure, LandingFailure, TableFailure
from landing.zones.remedies import AZURE
from local import focus_page
from local.__main__ import DEMO, emulator
from local.emulator import Difference
from local.emulator.data.books import Books
from local.emulator.data.events import EventKind, usual_events
from local.emulator.data.invoices import Invoices
from settings import Settings
from tables.columns import COLUMNS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
NAMES = [setting.name.upper() for setting in fields(Settings)]


def test_the_settings_table_is_the_settings_class() -> None:
    """README lists every setting, in the class's order, with its default."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*?) \|", README, re.MULTILINE)
    documented = {name: default.strip("`") for name, default in rows}
    assert list(documented) == NAMES
    for setting in fields(Settings):
        default = setting.metadata["default"]
        if default is not None:
            assert documented[setting.name.upper()] == default
        else:
            assert documented[setting.name.upper()].startswith("required" if setting.metadata["required"] else "unset")


def test_the_sample_settings_are_complete_and_can_be_used() -> None:
    """`local.settings.sample.json` names every setting, and the app takes it."""
    values = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
    assert [name for name in values if name in NAMES] == NAMES
    assert Settings.from_mapping(values).graph_is_loopback


def test_every_deployed_package_is_pinned_and_has_its_reason() -> None:
    """`requirements.txt` pins each package for each Python, and README's table says what it is for."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pin = re.compile(r"([a-z-]+)==[0-9.]+(; python_version (<|>=) \"[0-9.]+\")?")
    pinned = [pin.fullmatch(line) for line in lines if not line.startswith("#")]
    assert all(pinned)
    table = README.split("## Dependencies")[1].split("Running without Azure also")[0]
    assert sorted(re.findall(r"`([a-z-]+)`", table)) == sorted({match[1] for match in pinned if match})


def test_links_lead_somewhere() -> None:
    """Every relative link of README and docs is a file of the project."""
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")]:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_http_page_names_what_the_api_takes() -> None:
    """docs/http-api.md has every dataset with its path at Graph, and every field."""
    page = (ROOT / "docs" / "http-api.md").read_text(encoding="utf-8")
    for dataset in DATASETS.values():
        fields_taken = ", ".join(f"`{field.name}`" for field in dataset.fields)
        path = dataset.path.removeprefix("/reports/partners/billing/").removesuffix("/export")
        assert f"| `{dataset.name}` | `{path}` | {fields_taken} | `{dataset.folder}/` |" in page
    assert all(f"| `{name}` |" in page for name in FIELDS)


def test_every_failure_is_documented() -> None:
    """docs/failures.md lists every code that the rooms can end an export with, and no other of ours."""
    page = (ROOT / "docs" / "failures.md").read_text(encoding="utf-8")
    documented = {
        code for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE) for code in re.findall(r"`(\w+)`", row)
    }
    microsofts = {NO_DATA, "InvalidAuthenticationToken", "Forbidden", "ServiceUnavailable", "BadRequest"}
    microsofts |= {"HTTP403", "HTTP404", "HTTP410", *AZURE}
    assert documented - microsofts == _codes_in_the_code()
    assert documented >= set(AZURE)


def _codes_in_the_code() -> set[str]:
    codes = {error.__name__ for error in _leaves(IdentityFailure) | _leaves(LandingFailure) | _leaves(TableFailure)}
    for room in ("activities", "billing", "http_start", "landing", "orchestrator"):
        for file in (ROOT / room).glob("*.py"):
            codes |= {code for call in ast.walk(ast.parse(file.read_text())) if (code := _code_of(call))}
    return codes


def _code_of(node: ast.AST) -> str | None:
    """The code of `Problem("Code", …)`, `UnusableAnswer("…", code="Code")`, `DataChanged()` and their like."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        return None
    name, given = node.func.id, [keyword.value for keyword in node.keywords if keyword.arg == "code"]
    if name == "Problem":
        given = node.args[:1]
    elif name not in {error.__name__ for error in _leaves(BillingFailure)}:
        return None
    elif not given:
        return name
    return given[0].value if isinstance(given[0], ast.Constant) and isinstance(given[0].value, str) else None


def _leaves(error: type[Exception]) -> set[type[Exception]]:
    below = error.__subclasses__()
    return {leaf for kind in below for leaf in _leaves(kind)} if below else {error}


def test_the_openapi_description_says_what_the_code_takes() -> None:
    """Each dataset's fields, which of them must be given, and their patterns are the code's own."""
    description = json.loads((ROOT / "http_start" / "openapi.json").read_text())
    described = {
        name: _fields_of(shape)
        for shape in description["components"]["schemas"]["ExportRequest"]["oneOf"]
        for name in shape["properties"]["dataset"]["enum"]
    }
    assert described == {
        dataset.name: {field.name: (field.default is None, f"^({field.pattern})$") for field in dataset.fields}
        for dataset in DATASETS.values()
    }


def _fields_of(shape: dict[str, Any]) -> dict[str, tuple[bool, str]]:
    properties = {name: field for name, field in shape["properties"].items() if name != "dataset"}
    return {name: (name in shape["required"], field["pattern"]) for name, field in properties.items()}


def test_the_openapi_description_knows_every_id() -> None:
    """Ids of exports, of monthly runs and of what runs within them are taken, and nothing else."""
    description = json.loads((ROOT / "http_start" / "openapi.json").read_text())
    pattern = re.compile(description["components"]["parameters"]["Id"]["schema"]["pattern"])
    assert pattern.pattern == f"^({SUBJECT_ID.pattern})$"
    assert pattern.fullmatch(ExportRequest.of_invoice("G016907411").export_id)
    of_tables = description["components"]["parameters"]["TableId"]["schema"]["pattern"]
    assert of_tables == f"^({TABLE_ID.pattern})$"


def test_the_emulator_page_lists_every_option() -> None:
    """docs/emulator.md has the options of `python -m local emulator`."""
    table = (ROOT / "docs" / "emulator.md").read_text(encoding="utf-8").split("## Options")[1].split("##")[0]
    options = {f"--{name.replace('_', '-')}" for name in inspect.signature(emulator).parameters}
    assert set(re.findall(r"`(--[a-z-]+)`", table)) == options - {"--log-level"}


def test_the_emulator_page_says_how_to_ask_for_each_event_and_difference() -> None:
    """docs/emulator.md has the events with the months in which they happen by themselves, and the differences."""
    ledger = (ROOT / "docs" / "emulator.md").read_text(encoding="utf-8").split("## One ledger")[1].split("\n## ")[0]
    events = {
        kind: [
            f"{date(2026, month, 1):%B}{'' if event.currency == 'EUR' else ' (`USD`)'}"
            for month in range(1, 13)
            for event in usual_events(date(2026, month, 1))
            if event.kind == kind
        ]
        or ["none"]
        for kind in get_args(EventKind)
    }
    rows = re.findall(r"^\| (`[a-z-]+`.*?) \|.* \| (.*?) \|$", ledger, re.MULTILINE)
    assert {kind.strip("`"): months.split(", ") for kind, months in rows if kind.strip("`") in events} == events
    named = {name for row in re.findall(r"^\| (`.*?) \|", ledger, re.MULTILINE) for name in re.findall(r"`(.*?)`", row)}
    assert named >= set(get_args(Difference))


def test_the_readme_shows_the_demo_of_october_2026() -> None:
    """It has what the demo's ledger has for that month: the sum twice, once as the invoice's total."""

    def now() -> datetime:
        return datetime(2026, 11, 29, tzinfo=UTC)

    total = Books(DEMO, Invoices(DEMO.invoices, now, DEMO.months), now).total(DEMO.invoices[0], 0)
    sample = README.split("$ make demo")[1].split("```")[0]
    assert sample.count(f" {total:,.2f} │") == 2
    assert f"Landed: {DEMO.blobs} blobs, {DEMO.blobs * DEMO.rows:,} rows" in sample


def test_the_focus_page_is_written_from_the_mapping() -> None:
    """`python -m local.focus_page` would change nothing."""
    page = focus_page.PAGE.read_text(encoding="utf-8")
    assert focus_page.rewritten(page) == page
    assert all(f"| {column.name} |" in page for column in COLUMNS)
