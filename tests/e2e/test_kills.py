"""A host whose process is killed around one step of an export, at every step in turn."""

import json
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from local.running import PATIENCE, host
from tests.e2e.conftest import World
from tests.faults import invariants

BLOBS = {f"part-{number:05d}.json.gz": bytes([number]) * 5000 for number in range(6)}
LOCATION = "/api/exports/billedUsage-G016907411-full"


class Death(NamedTuple):
    """What kills the process: `before` or `after` the call of this number of an activity, or of writing a file.

    `blobs` and `markers` are what has landed by then.
    """

    moment: str
    name: str
    call: int
    blobs: int
    markers: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.moment}-{self.name}"


VERIFIED = frozenset({"_manifest.json"})
COMMITTED = VERIFIED | {"_SUCCESS"}
POINTED_AT = COMMITTED | {"_latest.json"}

DEATHS = [
    Death("before", "start_export", 1, 0),
    Death("after", "start_export", 1, 0),
    Death("before", "check_operation", 2, 0),
    Death("after", "check_operation", 2, 0),
    Death("before", "reuse_version", 1, 0),
    Death("after", "reuse_version", 1, 0),
    Death("before", "copy_blobs", 2, 2),
    Death("before", "_00002-00004.json", 1, 4),
    Death("after", "copy_blobs", 2, 4),
    Death("before", "commit_export", 1, 6),
    Death("before", "_SUCCESS", 1, 6, VERIFIED),
    Death("after", "_SUCCESS", 1, 6, COMMITTED),
    Death("after", "commit_export", 1, 6, POINTED_AT),
    Death("after", "start_notice", 1, 6, POINTED_AT),
]
"""At every step of an export, and within those that write several files."""


@dataclass
class Story:
    """An export that is cut off by the death of its host, and what must be true at its end."""

    world: World
    folder: Path

    @property
    def state(self) -> Path:
        """Where a host keeps its state, if it does."""
        return self.folder / "state.sqlite"

    def die(self, death: Death, state: Path | None) -> None:
        """Begins the export on a host that dies this death."""
        program = ["tests.e2e.dying_host", death.moment, death.name, str(death.call)]
        with host(self.world.settings, self.folder, state, program=program) as app:
            # Death may come before the answer.
            with suppress(httpx.TransportError):
                app.post()
            assert app.process.wait(PATIENCE) == -signal.SIGKILL
        assert len(list(self.world.landing.rglob("part-*"))) == death.blobs
        assert {marker for marker in POINTED_AT if list(self.world.landing.rglob(marker))} == death.markers
        self.require_invariants()

    def require_whole(self, status: dict[str, Any]) -> None:
        """The export succeeded, all of it has landed, and no blob was fetched twice."""
        assert status["state"] == "succeeded", status["error"]
        pointer = json.loads((self.world.export_folder / "_latest.json").read_text())
        assert pointer["version"] == status["result"]["version"]
        files = self.world.export_folder.glob(pointer["glob"])
        assert {path.name: path.read_bytes() for path in files} == BLOBS
        assert len(list(self.world.landing.rglob("_SUCCESS"))) == 1
        assert sorted(Path(path).name for path in self.world.gate.passed) == sorted(BLOBS)
        self.require_invariants()

    def require_invariants(self) -> None:
        """Nothing is half, outside or secret."""
        invariants.require_whole_versions(self.world.landing)
        invariants.require_committed_pointers(self.world.landing)
        invariants.require_nothing_unfinished(self.world.landing, ())
        endings = ("", "-wal", "-shm", "-lock")
        state = {f"state.sqlite{ending}" for ending in endings}
        invariants.require_nothing_outside(self.folder, {"landing", "host.log", *state})
        secrets = self.world.emulator.signatures | {"emulator-token"}
        files = (path for path in self.folder.rglob("*") if path.is_file())
        invariants.require_no_secret({str(file): file.read_bytes() for file in files}, secrets)


@pytest.fixture
def story(world: World, tmp_path: Path) -> Story:
    """An export of 6 blobs in 3 ranges."""
    world.emulator.use_data("G016907411", BLOBS, e_tag="first")
    return Story(world, tmp_path)


@pytest.mark.parametrize("death", DEATHS, ids=str)
def test_a_host_that_comes_back_goes_on_by_itself(story: Story, death: Death) -> None:
    """With a state file, an export ends whole after a restart, with nothing posted and nothing copied again."""
    story.die(death, story.state)
    with host(story.world.settings, story.folder, story.state) as app:
        status = app.ended(LOCATION)
    story.require_whole(status)
    assert story.world.posts() == (2 if str(death) == "after-start_export" else 1)


@pytest.mark.parametrize("death", DEATHS, ids=str)
def test_an_export_that_is_posted_again_finds_what_had_landed(story: Story, death: Death) -> None:
    """Without a state file, the same call to a new host ends whole, and what had landed is not copied again."""
    story.die(death, None)
    with host(story.world.settings, story.folder) as app:
        status = app.export()
    story.require_whole(status)
