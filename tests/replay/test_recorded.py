"""Runs that wait while a release is deployed go on: their histories, as they were left, are replayed by this code."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import function_app
from local.engine.protocol import EventType
from local.engine.turn import Position, Turn, play
from local.functions import index
from tests.replay.recorded_histories import FOLDER, recorded_now

WHAT_TO_DO = (
    "Runs that wait there would fail with this code. Keep the old branch for runs whose `context.version` is None "
    "(or an older one), do what is new for the others only, and set `defaultVersion` in host.json (extension bundle "
    "4.26.0 or newer). docs/upgrading.md says more."
)
every_history = pytest.mark.parametrize("file", sorted(FOLDER.glob("*.json")), ids=lambda file: file.stem)


def _replayed(record: Any) -> Turn:
    """What this code makes of the history, when nothing new has come."""
    told, orchestrator = record["history"], index(function_app.app).orchestrators[record["orchestrator"]]
    started = next(event for event in told if event["EventType"] == EventType.EXECUTION_STARTED)
    position = Position(record["instance"], None, started["Input"], told)
    return play(orchestrator, position, [], datetime.fromisoformat(told[-1]["Timestamp"]))


def require_replayed(record: Any) -> None:
    """The orchestration wants just what it wanted then, and goes on waiting.

    Raises:
        AssertionError: with what to do.
    """
    turn = _replayed(record)
    wants = [*turn.activities, *turn.children, *turn.timers]
    assert turn.state.failure is None, f"{turn.state.failure}. {WHAT_TO_DO}"
    assert not wants, f"It schedules {wants}, which it did not then. {WHAT_TO_DO}"
    assert not turn.state.is_done, f"It does not wait any more. {WHAT_TO_DO}"
    assert turn.continue_with is None, f"It does not wait any more. {WHAT_TO_DO}"


@every_history
def test_a_run_that_was_under_way_goes_on(file: Path) -> None:
    """Whatever it waits for, this code waits for it too."""
    require_replayed(json.loads(file.read_text(encoding="utf-8")))


def test_each_orchestration_is_recorded_at_every_kind_of_wait() -> None:
    """A new kind of wait is recorded before it is released, and kept for the releases after."""
    missing = recorded_now().keys() - {file.stem for file in FOLDER.glob("*.json")}
    assert not missing, f"Not recorded: {sorted(missing)}. Run: python -m tests.replay.recorded_histories"
    recorded = {name.partition(".")[0] for name in recorded_now()}
    assert recorded == set(index(function_app.app).orchestrators)


@pytest.mark.parametrize("changed", [0, 1, -1])
def test_a_history_that_this_code_would_not_have_left_is_found_out(changed: int) -> None:
    """Another step at the beginning, in the middle or at the end breaks the replay, and the message says what to do."""
    record = json.loads((FOLDER / "run_export.poll_operation.reuse_version.copy_blobs.json").read_text())
    scheduled = [
        event
        for event in record["history"]
        if event["EventType"] in {EventType.TASK_SCHEDULED, EventType.SUB_ORCHESTRATION_CREATED}
    ]
    scheduled[changed]["Name"] = "another_step"
    with pytest.raises(AssertionError, match=r"NotDeterministic.*`context\.version` is None.*defaultVersion"):
        require_replayed(record)


def test_a_step_that_was_added_is_found_out() -> None:
    """What the history does not know yet, while something else is waited for, is not scheduled in silence."""
    record = json.loads((FOLDER / "cancel_run.end_run.timer.json").read_text())
    record["history"] = [event for event in record["history"] if event["EventType"] != EventType.TIMER_CREATED]
    with pytest.raises(AssertionError, match="which it did not then"):
        require_replayed(record)
