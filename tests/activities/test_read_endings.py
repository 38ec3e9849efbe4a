"""How those ended that failed is read from Durable."""

import asyncio

import pytest
from azure.durable_functions.models.DurableOrchestrationStatus import DurableOrchestrationStatus

import function_app
from activities import read_endings
from local.functions import index
from messages.endings import EndedInstances, Ending, Endings
from messages.names import READ_ENDINGS
from messages.problems import Problem
from tests.http_start.fake_durable import FakeDurable

PROBLEM = Problem("Forbidden", "The identity may not read it.", "Grant the role.", "1f0c3b2a")


def _read(durable: FakeDurable, *ids: str) -> Endings:
    # Below the SDK's middleware, which makes a client from the binding's JSON.
    activity = index(function_app.app).activities[READ_ENDINGS].call.__wrapped__  # type: ignore[attr-defined]
    return Endings.from_json(asyncio.run(activity(EndedInstances(list(ids)).to_json(), durable)))


def test_what_somebody_cancelled_is_told_from_what_failed() -> None:
    """A failure tells its problem, as its status does; of what nobody knows nothing is told."""
    durable = FakeDurable()
    durable.add("failed", "Failed", customStatus={"phase": "polling", "error": PROBLEM.to_json()})
    durable.add("crashed", "Failed")
    durable.add("cancelled", "Terminated", customStatus={"phase": "polling"})
    assert _read(durable, "failed", "crashed", "cancelled", "unknown").endings == [
        Ending("failed", problem=PROBLEM),
        Ending("crashed"),
        Ending("cancelled", cancelled=True),
        Ending("unknown"),
    ]


def test_an_end_that_cannot_be_read_yet_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A parent hears of it first; its own problem is not lost for that."""

    class Late(FakeDurable):
        async def get_status(self, instance_id: str) -> DurableOrchestrationStatus:
            shown = await super().get_status(instance_id)
            self.add(instance_id, "Failed", customStatus={"error": PROBLEM.to_json()})
            return shown

    monkeypatch.setattr(read_endings, "LOOK_SECONDS", 0)
    durable = Late()
    durable.add("failed", "Running")
    assert _read(durable, "failed").endings == [Ending("failed", problem=PROBLEM)]
