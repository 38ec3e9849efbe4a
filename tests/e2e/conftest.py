"""An emulator beside the test, and settings that point the app at it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.emulator import Emulator, EmulatorOptions
from local.running import beside, served
from tests.e2e.gates import QUICK, Gate


@dataclass
class World:
    """An emulator with a gate before its blobs, a landing folder, and the settings that name both."""

    emulator: Emulator
    gate: Gate
    landing: Path
    settings: dict[str, str]

    @property
    def export_folder(self) -> Path:
        """The one export's folder in the landing zone."""
        return next(self.landing.glob("billed_usage/*/*/*"))

    def posts(self) -> int:
        """How many exports were posted to Microsoft."""
        return sum(request.method == "POST" for request in self.emulator.requests)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A small export of 6 blobs that lands in a folder."""
    emulator = Emulator(EmulatorOptions(blobs=6, rows=20, running_polls=2))
    gate = Gate(emulator.app, "/exports/")
    landing = tmp_path / "landing"
    with beside(served(gate)) as url:
        settings = QUICK | {"GRAPH_BASE_URL": f"{url}/v1.0", "LANDING_URL": landing.as_uri()}
        yield World(emulator, gate, landing, settings)
        gate.open()
