"""The door through which activities' errors leave."""

import asyncio
import traceback
from collections.abc import Mapping
from dataclasses import replace

import pytest
from azure.durable_functions.models.DurableOrchestrationStatus import DurableOrchestrationStatus

import function_app
from activities.door import ActivityFailed
from local.functions import index
from messages.names import COMMIT_EXPORT, COPY_BLOBS, REUSE_VERSION
from tests.activities.conftest import Bench


class _Broken:
    """A billing client with a mistake in it, which quotes what it should not."""

    async def start_export(self, request: object) -> None:
        raise KeyError("https://x.blob.core.windows.net/a?sv=1&sig=SECRET with Bearer TOKEN")


def test_whatever_an_activity_raises_leaves_without_secrets(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """An error that nobody foresaw reaches Durable as safe text; the log says where in the code it came from."""
    make = bench.clients
    bench.clients = lambda: replace(make(), billing=_Broken())  # type: ignore[method-assign, arg-type]
    with pytest.raises(ActivityFailed) as failed:
        bench.run(bench.start)
    assert "KeyError" in str(failed.value)
    assert "SECRET" not in str(failed.value)
    assert "TOKEN" not in str(failed.value)
    # The worker tells Durable the whole of it, with what it came from.
    assert "SECRET" not in "".join(traceback.format_exception(failed.value))
    (logged,) = [record.getMessage() for record in caplog.records if record.name == "activities.door"]
    assert "start_export failed" in logged
    assert "in start_export" in logged
    assert "SECRET" not in caplog.text
    assert "TOKEN" not in caplog.text


class _Garbled:
    """A billing client whose mistake holds text that no protobuf can write and no log line should."""

    async def start_export(self, request: object) -> None:
        raise ValueError("first\r\nERROR forged \ud800 " + "x" * 5000)


def test_what_an_activity_raises_is_one_line_that_can_be_stored(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """Half a surrogate pair would hang the run on Microsoft's worker, at every replay again."""
    make = bench.clients
    bench.clients = lambda: replace(make(), billing=_Garbled())  # type: ignore[method-assign, arg-type]
    with pytest.raises(ActivityFailed) as failed:
        bench.run(bench.start)
    assert "\nERROR forged" not in caplog.text
    text = str(failed.value)
    assert text.startswith("ValueError: first ERROR forged")
    assert len(text.encode()) <= 1000
    assert text.isprintable()


class _Statuses:
    """A Durable client of our own, which knows the states of some instances."""

    def __init__(self, states: Mapping[str, str]) -> None:
        self._states = states

    async def get_status(self, instance_id: str) -> DurableOrchestrationStatus:
        if instance_id not in self._states:
            return DurableOrchestrationStatus()
        moment = "2026-11-01T00:00:00Z"
        return DurableOrchestrationStatus("run", instance_id, moment, moment, runtimeStatus=self._states[instance_id])


EXPORT = "billedUsage-G016907411-full"
RUN_ID = f"monthly-2026-01-to-2026-03:2026-02:{EXPORT}"


@pytest.mark.parametrize(
    ("states", "begins"),
    [
        ({}, True),
        ({RUN_ID: "Running", "monthly-2026-01-to-2026-03": "Running"}, True),
        ({RUN_ID: "Terminated"}, False),
        ({RUN_ID: "Running", "monthly-2026-01-to-2026-03:2026-02": "Terminated"}, False),
        ({RUN_ID: "Running", "monthly-2026-01-to-2026-03": "Terminated"}, False),
        ({EXPORT: "Terminated"}, True),
    ],
)
@pytest.mark.parametrize("name", [REUSE_VERSION, COPY_BLOBS, COMMIT_EXPORT])
def test_nothing_is_begun_for_a_run_that_has_ended(name: str, states: Mapping[str, str], begins: bool) -> None:
    """Nor within a run that has; an order without a run, of a release before, is carried out."""
    # Below the SDK's middleware, which makes a client from the binding's JSON.
    activity = index(function_app.app).activities[name].call.__wrapped__  # type: ignore[attr-defined]

    async def play(run_id: str | None) -> bool:
        order = {"run_id": run_id} if run_id else {}
        try:
            told = await activity(order, _Statuses(states))
        except ActivityFailed:
            # The order says nothing else: who begins does not get far.
            return True
        return bool(told["not_done"]["problem"]["code"] != "Ended")

    begun = [asyncio.run(play(run_id)) for run_id in (RUN_ID, None)]
    assert begun == [begins, True]
