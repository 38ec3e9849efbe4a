"""The FinOps Foundation's own validator finds nothing wrong with a table but what docs/focus.md explains."""

import os
import re
import subprocess
from pathlib import Path
from typing import get_args
from xml.etree import ElementTree

import pytest

from local.emulator.data.differences import Difference
from tables.table import tabulate
from tests.tables.ledger import landed

VALIDATOR = os.environ.get("FOCUS_VALIDATOR", "")
"""Set by `make focus-check`."""

PAGE = Path(__file__).parents[2] / "docs" / "focus.md"
CRITERIA = (
    "ACCOUNT_NAMING_SUPPORTED",
    "BILLING_BASED_ON_PROVISIONED_RESOURCES_SUPPORTED",
    "COMMITMENT_DISCOUNT_SUPPORTED",
    "MULTIPLE_PRICING_CATEGORIES_SUPPORTED",
    "NEGOTIATED_PRICING_SUPPORTED",
    "PRICING_BILLING_CURRENCY_DIFFERENCES_SUPPORTED",
    "PUBLIC_PRICE_LIST_SUPPORTED",
    "REGION_SUPPORTED",
    "RESOURCE_TYPE_ASSIGNMENT_SUPPORTED",
    "SUB_ACCOUNT_SUPPORTED",
    "TAGGING_SUPPORTED",
    "UNIT_PRICING_SUPPORTED",
    "USAGE_MEASUREMENT_SUPPORTED",
)
"""What partners' data can tell: no capacity reservations, no availability zones, no virtual currency."""


@pytest.mark.skipif(not VALIDATOR, reason="`make focus-check` runs it: the validator has an environment of its own")
@pytest.mark.timeout(300)
def test_the_validator_objects_to_nothing_but_what_the_page_explains(tmp_path: Path) -> None:
    """In a month where everything differs that can; an explanation that is no longer needed fails too."""
    exports = landed(tmp_path, rows=1_700, customers=12, differences=get_args(Difference))
    tabulate(exports.usage, exports.lines, tmp_path / "table.parquet")
    assert _failed(_validated(tmp_path / "table.parquet")) == _explained()


def _validated(table: Path) -> ElementTree.Element:
    """The validator's report. It reads its list of currencies from the current folder, and exits with 0 in any case."""
    folder, report = table.parent, table.with_suffix(".xml")
    (package,) = Path(VALIDATOR).absolute().parents[1].glob("lib/python*/site-packages/focus_validator")
    (folder / "focus_validator").symlink_to(package)
    arguments: list[str | Path] = ["--data-file", table, "--validate-version", "1.2", "--block-download"]
    arguments += ["--applicability-criteria", ",".join(CRITERIA)]
    arguments += ["--output-type", "unittest", "--output-destination", report]
    subprocess.run([Path(VALIDATOR).absolute(), *arguments], cwd=folder, check=True)
    return ElementTree.parse(report).getroot()  # noqa: S314 - written by the validator a moment ago


def _failed(report: ElementTree.Element) -> set[str]:
    """The rules that failed, without those that only sum up others."""
    cases = (
        case for case in report.iter("testcase") if case.find("failure") is not None or case.find("error") is not None
    )
    return {rule for rule, _, kind in (case.attrib["name"].partition(" :: ") for case in cases) if kind != "Composite"}


def _explained() -> set[str]:
    return set(re.findall(r"^\| ([A-Za-z]+-C-\d+-[CM]) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
