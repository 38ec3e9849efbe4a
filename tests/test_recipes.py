"""CONTRIBUTING's recipes are whole: each place that a dataset or a setting must stand in is checked, and named."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from catalog.datasets import DATASETS, INVOICE_DATASETS
from local.emulator.data import contents
from local.emulator.data import datasets as emulated
from settings import Settings
from tests import test_settings
from tests.catalog import test_export_request
from tests.e2e import test_datasets
from tests.infra import test_bicep

ROOT = Path(__file__).parent.parent

Places = Mapping[str, Callable[[], set[str]]]
"""Where something must be named, and the names that stand there."""


def _text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _rows(path: str, header: str) -> set[str]:
    """The names in the first column of the table with this header."""
    table = _text(path).split(header, 1)[1].split("\n\n", 1)[0]
    return set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))


def _components() -> Any:
    return json.loads(_text("http_start/openapi.json"))["components"]


def _datasets_of_request() -> set[str]:
    shapes = _components()["schemas"]["ExportRequest"]["oneOf"]
    return {name for shape in shapes for name in shape["properties"]["dataset"]["enum"]}


def _datasets_of_id() -> set[str]:
    return set(re.findall(r"[(|](\w+)-\(", _components()["parameters"]["Id"]["schema"]["pattern"])) - {"monthly"}


def _monthly_datasets() -> set[str]:
    (meaning,) = re.findall(r"^\| `MONTHLY_DATASETS` \| .*? \| (.*) \|$", _text("README.md"), re.MULTILINE)
    return set(re.findall(r"`(\w+)`", meaning)) | DATASETS.keys() - set(INVOICE_DATASETS)


DATASET_PLACES: Places = {
    "catalog/datasets.py, DATASETS": lambda: set(DATASETS),
    "http_start/openapi.json, ExportRequest": _datasets_of_request,
    "http_start/openapi.json, Id": _datasets_of_id,
    "local/emulator/data/datasets.py, DATASETS": lambda: set(emulated.DATASETS),
    "local/emulator/data/contents.py, CONTENTS": lambda: set(contents.CONTENTS),
    "docs/http-api.md": lambda: _rows("docs/http-api.md", "| dataset | at Graph |"),
    "docs/emulator.md": lambda: _rows("docs/emulator.md", "| dataset | `POST` below"),
    "README.md, MONTHLY_DATASETS": _monthly_datasets,
    "tests/catalog/test_export_request.py, CASES": lambda: {case[0]["dataset"] for case in test_export_request.CASES},
    "tests/e2e/test_datasets.py, CASES": lambda: {case.run_id.split("-")[0] for case in test_datasets.CASES},
}


def _sample_settings() -> set[str]:
    values = json.loads(_text("local.settings.sample.json"))["Values"]
    return {name for name in values if name.isupper()} - test_bicep.HOST_SETTINGS - {"FUNCTIONS_WORKER_RUNTIME"}


def _deployed_settings() -> set[str]:
    block = _text("infra/app.bicep").split("var exportSettings = {", 1)[1].split("\n}", 1)[0]
    return set(re.findall(r"^  ([A-Z_]+): ", block, re.MULTILINE)) | test_bicep.NOT_SET


SETTING_PLACES: Places = {
    "settings/__init__.py, Settings": lambda: {setting.name.upper() for setting in fields(Settings)},
    "README.md": lambda: _rows("README.md", "| name | default | meaning |"),
    "local.settings.sample.json": _sample_settings,
    "infra/app.bicep, exportSettings": _deployed_settings,
    "tests/test_settings.py, DEFAULTS": lambda: {name.upper() for name in test_settings.DEFAULTS},
    "tests/test_settings.py, TEXTS": lambda: set(test_settings.TEXTS),
    "tests/test_settings.py, GIVEN": lambda: {name.upper() for name in test_settings.GIVEN},
}


def _require_all(places: Places, place: str, recipe: str) -> None:
    everywhere = set().union(*(names() for names in places.values()))
    missing = sorted(everywhere - places[place]())
    assert not missing, f"{place} lacks {', '.join(missing)}: see {recipe!r} in CONTRIBUTING.md."


@pytest.mark.parametrize("place", DATASET_PLACES)
def test_a_dataset_stands_in_every_place(place: str) -> None:
    """What one place names, all name."""
    _require_all(DATASET_PLACES, place, "Add a dataset")


@pytest.mark.parametrize("place", SETTING_PLACES)
def test_a_setting_stands_in_every_place(place: str) -> None:
    """What one place names, all name."""
    _require_all(SETTING_PLACES, place, "Add a setting")


@pytest.mark.parametrize(("recipe", "places"), [("Add a dataset", DATASET_PLACES), ("Add a setting", SETTING_PLACES)])
def test_the_recipe_names_the_places(recipe: str, places: Places) -> None:
    """Whoever follows CONTRIBUTING forgets none."""
    section = _text("CONTRIBUTING.md").split(f"## {recipe}\n", 1)[1].split("\n## ", 1)[0]
    named = [step.replace("`", "") for step in re.findall(r"^[0-9]+\. (.*?): ", section, re.MULTILINE)]
    assert named == list(places)
