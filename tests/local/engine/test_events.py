"""External events: what is raised from outside, and what an orchestration that waits for it is told."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from azure.durable_functions import DurableOrchestrationContext as Context

from local.engine.protocol import EventType
from tests.local.engine.conftest import Lab

EARLY = pytest.mark.filterwarnings("ignore:Potential duplicate Task completion")
"""The SDK warns of each event that comes before it is awaited."""


async def echo(message: Any) -> Any:
    return message


def wait(context: Context) -> Any:
    return (yield context.wait_for_external_event("go", expected_type=str))


def begun(lab: Lab, name: str, input_json: str | None = None) -> None:
    """Starts the orchestration and plays its first turn."""
    lab.engine.start(name, "one", input_json)
    lab.engine._do_what_is_due()


def rest(lab: Lab) -> None:
    asyncio.run(lab.engine.run_until_idle())


def test_an_event_ends_the_wait_and_brings_its_payload(lab: Lab) -> None:
    """The payload stands in history under the event's name, as event 15."""
    lab.orchestrator(wait)
    begun(lab, "wait")
    assert lab.find().is_active
    assert lab.engine.raise_event("one", "go", '"now"')
    rest(lab)
    assert lab.output() == "now"
    (told,) = [e for e in lab.store.history(lab.find().execution) if e["EventType"] == EventType.EVENT_RAISED]
    assert (int(told["EventType"]), told["Name"], told["Input"]) == (15, "go", '"now"')


def test_a_wait_takes_no_task_id(lab: Lab) -> None:
    """What is called after a wait gets its own answers, not those of its neighbours."""

    def mixed(context: Context) -> Any:
        first = yield context.call_activity("echo", "first")
        told = yield context.wait_for_external_event("go", expected_type=str)
        both = yield context.task_all([context.call_activity("echo", n) for n in ("second", "third")])
        yield context.create_timer(context.current_utc_datetime + timedelta(hours=1))
        last = yield context.call_activity("echo", "last")
        return [first, told, *both, last]

    lab.activity(echo)
    lab.orchestrator(mixed)
    lab.engine.start("mixed", "one", None)
    rest(lab)
    lab.engine.raise_event("one", "go", '"now"')
    rest(lab)
    assert lab.output() == ["first", "now", "second", "third", "last"]


@EARLY
def test_an_event_that_comes_before_its_wait_is_kept(lab: Lab) -> None:
    """Also one that comes before the first turn."""

    def late(context: Context) -> Any:
        yield context.create_timer(context.current_utc_datetime + timedelta(hours=1))
        return (yield context.wait_for_external_event("go", expected_type=str))

    lab.orchestrator(late)
    lab.engine.start("late", "one", None)
    lab.engine.raise_event("one", "go", '"early"')
    rest(lab)
    assert lab.output() == "early"


@EARLY
def test_of_two_events_before_the_wait_the_second_is_delivered(lab: Lab) -> None:
    """As with the real extension; nobody should rely on either."""

    def late(context: Context) -> Any:
        yield context.create_timer(context.current_utc_datetime + timedelta(hours=1))
        return (yield context.wait_for_external_event("go", expected_type=str))

    lab.orchestrator(late)
    begun(lab, "late")
    for payload in ('"first"', '"second"'):
        lab.engine.raise_event("one", "go", payload)
    rest(lab)
    assert lab.output() == "second"


def test_each_wait_of_the_same_name_takes_an_event_of_its_own(lab: Lab) -> None:
    """What comes after the second wait is not scheduled by the first event."""
    calls = []

    async def note(message: str) -> None:
        calls.append(message)

    def twice(context: Context) -> Any:
        for _ in range(2):
            yield context.call_activity("note", (yield context.wait_for_external_event("go", expected_type=str)))

    lab.activity(note)
    lab.orchestrator(twice)

    async def scenario() -> None:
        lab.engine.start("twice", "one", None)
        lab.engine.raise_event("one", "go", '"a"')
        await lab.engine.run_until_idle()
        assert calls == ["a"]
        lab.engine.raise_event("one", "go", '"b"')
        await lab.engine.run_until_idle()

    asyncio.run(scenario())
    assert calls == ["a", "b"]
    assert lab.find().status == "Completed"


@pytest.mark.parametrize(("raised", "winner"), [(True, "event"), (False, "timer")])
def test_an_event_and_a_timer_can_race(lab: Lab, raised: bool, winner: str) -> None:
    """Whichever comes first lets the orchestration go on."""

    def race(context: Context) -> Any:
        event = context.wait_for_external_event("go", expected_type=str)
        timer = context.create_timer(context.current_utc_datetime + timedelta(hours=1))
        first = yield context.task_any([event, timer])
        if first is event:
            timer.cancel()
        return "event" if first is event else "timer"

    lab.orchestrator(race)
    begun(lab, "race")
    if raised:
        lab.engine.raise_event("one", "go", '"now"')
    rest(lab)
    assert lab.output() == winner


@EARLY
def test_names_are_compared_with_case(lab: Lab) -> None:
    """An event of another spelling ends no wait."""
    lab.orchestrator(wait)
    begun(lab, "wait")
    lab.engine.raise_event("one", "GO", '"no"')
    rest(lab)
    assert lab.find().is_active


@EARLY
def test_an_event_reaches_no_later_history(lab: Lab) -> None:
    """One that is raised before the instance continues as new is lost, as Durable's sources say."""
    reached, opened = asyncio.Event(), asyncio.Event()

    async def gated(message: None) -> None:
        reached.set()
        await opened.wait()

    def twice(context: Context) -> Any:
        if context.get_input() == "first":
            yield context.call_activity("gated", None)
            context.continue_as_new("second")
            return None
        event = context.wait_for_external_event("go", expected_type=str)
        timer = context.create_timer(context.current_utc_datetime + timedelta(hours=1))
        return (yield context.task_any([event, timer])) is timer

    lab.activity(gated)
    lab.orchestrator(twice)

    async def scenario() -> None:
        lab.engine.start("twice", "one", '"first"')
        working = asyncio.create_task(lab.engine.run_until_idle())
        await reached.wait()
        opened.set()
        lab.engine.raise_event("one", "go", '"lost"')
        await working

    asyncio.run(scenario())
    assert lab.output() is True


def test_what_has_ended_or_never_was_is_told_nothing(lab: Lab) -> None:
    """The answer says that nobody is there."""
    lab.orchestrator(wait)
    assert not lab.engine.raise_event("one", "go", '"now"')
    begun(lab, "wait")
    lab.engine.raise_event("one", "go", '"now"')
    rest(lab)
    assert not lab.engine.raise_event("one", "go", '"again"')
    assert lab.output() == "now"


def test_an_event_survives_the_host(reopened: Callable[[], Lab]) -> None:
    """Who was told that it was taken can rely on it."""
    lab = reopened()
    lab.orchestrator(wait)
    begun(lab, "wait")
    lab.engine.raise_event("one", "go", '"kept"')
    lab = reopened()
    lab.orchestrator(wait)
    rest(lab)
    assert lab.output() == "kept"


@EARLY
def test_one_event_is_not_enough_for_two_waits(lab: Lab) -> None:
    """The SDK gives an early event to both waits, but the instance runs on until a second one has come."""

    def twice(context: Context) -> Any:
        yield context.create_timer(context.current_utc_datetime + timedelta(hours=1))
        one = yield context.wait_for_external_event("go", expected_type=str)
        return [one, (yield context.wait_for_external_event("go", expected_type=str))]

    lab.orchestrator(twice)
    begun(lab, "twice")
    lab.engine.raise_event("one", "go", '"now"')
    rest(lab)
    assert lab.find().is_active
    lab.engine.raise_event("one", "go", '"then"')
    rest(lab)
    assert not lab.find().is_active
