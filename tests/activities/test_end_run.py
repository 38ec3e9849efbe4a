"""What is found and ended of a run that was cancelled."""

import asyncio

import pytest

import function_app
from local.functions import index
from messages.cancelling import EndAnswer, EndOrder
from messages.encoding import Message
from messages.names import END_RUN
from tests.http_start.fake_durable import FakeDurable

ID = "monthly-2026-10"
OTHERS = ["monthly-2026-10-to-2026-11", "monthly-2026-09:billedUsage-G000000001-full", f"cancel-{ID}"]


@pytest.fixture
def durable() -> FakeDurable:
    """Other runs, whose ids begin alike."""
    durable = FakeDurable()
    for id_ in OTHERS:
        durable.add(id_, "Running")
    return durable


def _call(name: str, message: Message, durable: FakeDurable) -> object:
    # Below the SDK's middleware, which makes a client from the binding's JSON.
    activity = index(function_app.app).activities[name].call.__wrapped__  # type: ignore[attr-defined]
    return asyncio.run(activity(message.to_json(), durable))


def _end(durable: FakeDurable, *, ended: bool = False) -> EndAnswer:
    return EndAnswer.from_json(_call(END_RUN, EndOrder(ID, ended), durable))  # type: ignore[arg-type]


def _terminated(durable: FakeDurable) -> set[str]:
    return {id_ for id_, status in durable.instances.items() if status.runtime_status.value == "Terminated"}


def test_a_run_is_ended_with_all_that_runs_within_it(durable: FakeDurable) -> None:
    """The answer counts what had not ended; a second look finds nothing."""
    within = [f"{ID}:billedUsage-G000000001-full", f"{ID}:billedUsage-G000000001-full:poll:5d1c"]
    for id_ in (ID, *within):
        durable.add(id_, "Running")
    durable.add(f"{ID}:billedUsage-G000000002-full", "Completed")
    assert _end(durable) == EndAnswer(ended=False, found=3)
    assert _terminated(durable) == {ID, *within}
    assert _end(durable) == EndAnswer(ended=True, found=0)


def test_once_the_run_has_ended_only_what_runs_within_it_is_ended(durable: FakeDurable) -> None:
    """A run of the same id that somebody else has started since goes on."""
    durable.add(ID, "Running")
    durable.add(f"{ID}:late", "Running")
    assert _end(durable, ended=True) == EndAnswer(ended=True, found=1)
    assert _terminated(durable) == {f"{ID}:late"}


def test_a_run_is_ended_however_many_exports_it_began(durable: FakeDurable) -> None:
    """Durable lists a hundred instances at once; none of 240 is left running."""
    durable.add(ID, "Running")
    within = [f"{ID}:billedUsage-G{number:09d}-full" for number in range(240)]
    for id_ in within:
        durable.add(id_, "Running")
    assert _end(durable).found == 241
    assert _terminated(durable) == {ID, *within}
