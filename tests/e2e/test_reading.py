"""Reading what landed as README shows it."""

import asyncio
import contextlib
import re
from pathlib import Path
from typing import Any

import pytest

from landing.zones.local_folder import LocalFolder
from local.report import read_back
from local.running import ROOT, host
from tests.e2e.conftest import World


def test_the_reading_example_works(world: World, tmp_path: Path) -> None:
    """README's DuckDB query over the pointer's glob gives the costs that the landed files hold."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", readme, re.DOTALL)
    assert code
    world.settings["LANDING_URL"] = (tmp_path / "landed").as_uri()
    with host(world.settings, tmp_path) as app:
        for revision in (0, 1):
            world.emulator.restate("G016907411", revision)
            result = app.export()["result"]
    printed: list[Any] = []
    with contextlib.chdir(tmp_path):
        exec(code[1], {"print": lambda relation: printed.append(relation.fetchall())})  # noqa: S102
    no_sources: Any = None
    landed = asyncio.run(read_back(LocalFolder(tmp_path / "landed", no_sources), result["location"]))
    expected = {key: float(cost) for key, cost in landed.costs.items()}
    assert {(row[0], row[1]): row[2] for row in printed[0]} == pytest.approx(expected, abs=0.005)
