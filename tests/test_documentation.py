"""The documentation is true: settings, dependencies and examples are held to the code."""

import json
import re
from dataclasses import fields
from pathlib import Path

from billing.models import ATTRIBUTE_SETS
from settings import Settings

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
    """`requirements.txt` pins each package, and README's table says what it is for."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pinned = [re.fullmatch(r"([a-z-]+)==[0-9.]+", line) for line in lines if not line.startswith("#")]
    assert all(pinned)
    table = README.split("## Dependencies")[1].split("Only development")[0]
    assert sorted(re.findall(r"`([a-z-]+)`", table)) == sorted(match[1] for match in pinned if match)


def test_links_lead_somewhere() -> None:
    """Every relative link of README and docs is a file of the project."""
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")]:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_http_page_names_what_the_api_takes() -> None:
    """docs/http-api.md names every attribute set."""
    page = (ROOT / "docs" / "http-api.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in ATTRIBUTE_SETS)
