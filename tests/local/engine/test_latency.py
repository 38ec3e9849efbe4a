"""Queues take their time, and timers may come early, where the engine is told so."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from azure.durable_functions import DurableOrchestrationContext as Context

from local.engine import Options, VirtualClock
from tests.local.engine.conftest import Lab

LATENCY = timedelta(seconds=0.5)


@pytest.fixture
def slow(lab: Lab) -> Lab:
    """A lab whose queues take half a second."""
    lab.options = Options(latency=LATENCY)
    return lab


async def echo(message: Any) -> Any:
    return message


def sleep(context: Context) -> Any:
    yield context.create_timer(context.current_utc_datetime + timedelta(hours=1))


def parent(context: Context) -> Any:
    yield context.call_activity("echo", 1)
    return (yield context.call_sub_orchestrator("sleep", None, "one:child"))


def _pass(lab: Lab, *steps: timedelta) -> None:
    """Lets the engine work, and after each of these times again."""
    asyncio.run(_work_and_pass(lab, steps))


async def _work_and_pass(lab: Lab, steps: tuple[timedelta, ...]) -> None:
    clock = lab.clock
    assert isinstance(clock, VirtualClock)
    lab.engine._do_what_is_due()
    for step in steps:
        while lab.engine._calls:
            await asyncio.sleep(0)
        woken = asyncio.Event()
        await clock.wait(clock.now() + step, woken, busy=False)
        lab.engine._do_what_is_due()


def test_a_start_takes_effect_after_the_latency(slow: Lab) -> None:
    """It is there at once, as pending."""
    slow.orchestrator(sleep)
    slow.engine.start("sleep", "one", None)
    slow.engine._do_what_is_due()
    assert slow.find().status == "Pending"
    _pass(slow, LATENCY)
    assert slow.find().status == "Running"


def test_a_child_can_be_found_only_with_its_first_turn(slow: Lab) -> None:
    """Whoever lists, reads or ends children before finds nothing of it."""
    slow.activity(echo)
    slow.orchestrator(parent)
    slow.orchestrator(sleep)
    slow.engine.start("parent", "one", None)
    # The start, and what the activity answered.
    _pass(slow, LATENCY, LATENCY)
    assert [instance.id for instance in slow.store.instances()] == ["one"]
    assert not slow.engine.terminate("one:child", "nobody there yet")
    _pass(slow, LATENCY)
    assert slow.find("one:child").status == "Running"


def test_a_completion_ahead_of_a_termination_may_still_start_children(slow: Lab) -> None:
    """They are found only after their parent has ended, and go on: nobody has ended them."""
    slow.activity(echo)
    slow.orchestrator(parent)
    slow.orchestrator(sleep)
    slow.engine.start("parent", "one", None)
    _pass(slow, LATENCY)
    assert slow.engine.terminate("one", "enough")
    assert slow.find().status == "Running"
    _pass(slow, LATENCY)
    assert slow.find().status == "Terminated"
    assert len(slow.store.instances()) == 1
    _pass(slow, LATENCY)
    assert slow.find("one:child").status == "Running"


def test_every_delivery_takes_its_time(slow: Lab) -> None:
    """The start, the activity's result, the child's start and its answer: each half a second."""

    def relay(context: Context) -> Any:
        yield context.call_activity("echo", 1)
        yield context.call_sub_orchestrator("at_once", None, "one:child")

    def at_once(context: Context) -> Any:
        return "done"

    slow.activity(echo)
    slow.orchestrator(relay)
    slow.orchestrator(at_once)
    began = slow.clock.now()
    slow.run("relay")
    assert slow.find().status == "Completed"
    assert slow.clock.now() - began == 4 * LATENCY


def test_a_second_termination_ends_the_next_instance_too(slow: Lab) -> None:
    """It is addressed to the id, as in Durable: who terminates twice and starts again ends the new one."""
    slow.orchestrator(sleep)
    slow.engine.start("sleep", "one", None)
    _pass(slow, LATENCY)
    slow.engine.terminate("one", "first")
    _pass(slow, LATENCY / 2)
    slow.engine.terminate("one", "second")
    _pass(slow, LATENCY / 2)
    slow.engine.start("sleep", "one", None)
    _pass(slow, LATENCY / 2)
    assert slow.find().status == "Terminated"


@pytest.mark.parametrize(("asked", "waited"), [(2, 2), (2.7, 2), (1.2, 1), (0.7, 0), (0, 0), (-5, 0)])
def test_timers_may_fire_up_to_a_second_early(lab: Lab, asked: float, waited: float) -> None:
    """Queues on Azure count whole seconds; the orchestration's own time is then before what it asked for."""
    lab.options = Options(early_timers=True)
    start = lab.clock.now()

    def wait(context: Context) -> Any:
        yield context.create_timer(context.current_utc_datetime + timedelta(seconds=asked))
        return (context.current_utc_datetime - start).total_seconds()

    lab.orchestrator(wait)
    lab.run("wait")
    assert lab.output() == waited


def test_timers_are_exact_where_nothing_else_is_asked(lab: Lab) -> None:
    """Tests of waits can say how long they are."""
    start = lab.clock.now()

    def wait(context: Context) -> Any:
        yield context.create_timer(context.current_utc_datetime + timedelta(seconds=2.7))
        return (context.current_utc_datetime - start).total_seconds()

    lab.orchestrator(wait)
    lab.run("wait")
    assert lab.output() == 2.7
