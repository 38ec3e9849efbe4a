"""A host is killed in each phase of an export, and started again with the next release's code on the same state."""

import json
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from local.running import PATIENCE, ROOT, environment, host
from tests.e2e.conftest import World

LOCATION = "/api/exports/billedUsage-G016907411-full"
PHASES = ["start_export", "check_operation", "reuse_version", "copy_blobs", "commit_export"]
SAID = "The new release's step was taken."
ACTIVITY = f'''
from activities.door import JsonObject, activity, log


@activity("new_step")
async def new_step(message: JsonObject) -> JsonObject:
    log.info("{SAID}")
    return {{}}
'''
BEFORE = "    result = yield from _attempt(run, order)\n"
STEP = '    yield run.context.call_activity("new_step", {})\n'
FOR_NEW_RUNS = "    if run.context.version is not None:\n    " + STEP


def _copy(folder: Path) -> Path:
    """The project's code, but for tests and benchmarks of the whole."""
    rooms = [room.parent for room in ROOT.glob("[a-z]*/__init__.py") if room.parent.name not in {"bench", "tests"}]
    for room in [*rooms, ROOT / "tests" / "replay"]:
        shutil.copytree(room, folder / room.relative_to(ROOT), ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("function_app.py", "host.json", "pyproject.toml", "tests/export_policy.py"):
        shutil.copy(ROOT / file, folder / file)
    return folder


def _next_release(folder: Path, step: str = FOR_NEW_RUNS) -> Path:
    """The code with one more step, and another version for the runs that it begins."""
    code = _copy(folder)
    code.joinpath("activities", "new_step.py").write_text(ACTIVITY)
    with code.joinpath("activities", "__init__.py").open("a") as activities:
        activities.write("\nimport activities.new_step\n")
    orchestration = code / "orchestrator" / "run_export.py"
    assert orchestration.read_text().count(BEFORE) == 1
    orchestration.write_text(orchestration.read_text().replace(BEFORE, step + BEFORE))
    settings = json.loads(code.joinpath("host.json").read_text())
    settings["extensions"]["durableTask"]["defaultVersion"] = "2"
    code.joinpath("host.json").write_text(json.dumps(settings))
    return code


@pytest.mark.parametrize("phase", PHASES)
def test_what_was_under_way_ends_well_under_the_next_release(world: World, tmp_path: Path, phase: str) -> None:
    """An old run goes on without the new step; a run that the new release begins takes it."""
    state = tmp_path / "state.sqlite"
    doomed = ("tests.e2e.dying_host", "before", phase, "1")
    with host(world.settings, tmp_path, state, program=doomed) as old, suppress(httpx.TransportError):
        old.post()
        assert old.process.wait(PATIENCE) == -signal.SIGKILL
    code = _next_release(tmp_path / "code")
    with host(world.settings | {"PYTHONPATH": str(code)}, tmp_path, state) as new:
        assert new.ended(LOCATION)["state"] == "succeeded"
        assert SAID not in new.log.read_text()
        assert new.export()["state"] == "succeeded"
        assert SAID in new.log.read_text()


def test_a_step_for_all_runs_breaks_the_recorded_histories(tmp_path: Path) -> None:
    """Who forgets the old runs is told by the tests, and what to do."""
    code = _next_release(tmp_path, STEP)
    replayed = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/replay/test_recorded.py"],
        cwd=code,
        env=environment({"PYTHONPATH": str(code)}),
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE,
        check=False,
    )
    assert replayed.returncode == 1, replayed.stdout + replayed.stderr
    assert "test_a_run_that_was_under_way_goes_on[run_export" in replayed.stdout
    assert "set `defaultVersion` in host.json" in replayed.stdout.replace("\n", " ")
