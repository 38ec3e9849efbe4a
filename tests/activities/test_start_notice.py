"""Having the end of a run told: by one delivery, however often the activity runs."""

import asyncio
import inspect
from datetime import UTC, datetime
from typing import Any

import pytest

import function_app
from local.functions import index
from messages.names import START_NOTICE
from messages.notices import Notice
from tests.http_start.fake_durable import FakeDurable
from tests.replay.exports import result

ID = "5c2e1d0a-6c2e-5a0f-8f0e-2f6f3d6f6c11"
NOTICE = Notice(
    ID, "succeeded", "billedUsage-G016907411-full", datetime(2026, 10, 9, 6, tzinfo=UTC), result(2).to_json()
)


def _start(durable: FakeDurable) -> Any:
    # Below the SDK's middleware, which makes a client from the binding's JSON.
    activity: Any = inspect.unwrap(index(function_app.app).activities[START_NOTICE].call)
    return asyncio.run(activity(NOTICE.to_json(), durable))


def test_a_notice_is_delivered_by_an_orchestration_of_its_own() -> None:
    """Its id is the notice's, and its input the notice itself."""
    durable = FakeDurable()
    assert _start(durable) == {}
    assert durable.started == [("deliver_notice", f"notice-{ID}", NOTICE.to_json())]


@pytest.mark.parametrize("status", ["Pending", "Running", "Completed", "Failed"])
def test_a_second_try_finds_what_the_first_has_started(status: str) -> None:
    """A notice is not sent again because its start was not heard of, also when it has long been delivered."""
    durable = FakeDurable()
    durable.add(f"notice-{ID}", status)
    _start(durable)
    assert not durable.started


def test_a_start_that_fails_is_left_to_the_orchestrator() -> None:
    """It tries again."""

    class Broken(FakeDurable):
        async def start_new(self, name: str, instance_id: str, client_input: Any) -> str:
            raise Exception("The storage of the task hub is gone.")

    with pytest.raises(Exception, match="task hub"):
        _start(Broken())
