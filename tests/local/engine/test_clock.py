"""Time that passes by jumping."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.durable_functions import DurableOrchestrationContext as Context

from local.engine import SystemClock, VirtualClock
from tests.local.engine.conftest import Lab


def wait(context: Context) -> Any:
    yield context.create_timer(context.current_utc_datetime + timedelta(hours=context.get_input()))
    return "waited"


def for_ever(context: Context) -> Any:
    yield context.create_timer(context.current_utc_datetime + timedelta(hours=1))
    context.continue_as_new(None)


@pytest.mark.parametrize("hours", [24, 30 * 24])
def test_days_of_waiting_take_milliseconds(lab: Lab, hours: int) -> None:
    """On the virtual clock a day or a month passes at once, to the microsecond."""
    start, began = lab.clock.now(), time.process_time()
    lab.orchestrator(wait)
    lab.run("wait", hours)
    assert lab.output() == "waited"
    assert lab.clock.now() == start + timedelta(hours=hours)
    assert time.process_time() - began < 1


def test_instances_wake_in_the_order_of_their_timers(lab: Lab) -> None:
    """The clock never jumps past a timer, nor backwards."""
    woken = []

    async def note(message: int) -> None:
        woken.append((message, lab.clock.now()))

    def wait_and_note(context: Context) -> Any:
        yield context.create_timer(context.current_utc_datetime + timedelta(hours=context.get_input()))
        yield context.call_activity("note", context.get_input())

    lab.activity(note)
    lab.orchestrator(wait_and_note)
    start = lab.clock.now()
    for hours in (3, 1, 2):
        lab.engine.start("wait_and_note", str(hours), str(hours))
    asyncio.run(lab.engine.run_until_idle())
    assert woken == [(hours, start + timedelta(hours=hours)) for hours in (1, 2, 3)]


def test_no_time_passes_while_an_activity_runs(lab: Lab) -> None:
    """A timer does not fire before an activity that was called earlier is done."""
    moments = []

    async def busy(message: None) -> None:
        for _ in range(100):
            await asyncio.sleep(0)
        moments.append(lab.clock.now())

    def race(context: Context) -> Any:
        timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=1))
        activity = context.call_activity("busy", None)
        winner = yield context.task_any([timer, activity])
        return winner is activity

    start = lab.clock.now()
    lab.activity(busy)
    lab.orchestrator(race)
    lab.run("race")
    assert lab.output() is True
    assert moments == [start]


def test_an_engine_with_nothing_but_timers_lets_others_work_and_can_be_stopped(lab: Lab) -> None:
    """However often the virtual clock jumps, other tasks of the process get their turn."""
    lab.orchestrator(for_ever)

    async def scenario() -> None:
        lab.engine.start("for_ever", "one", None)
        working = asyncio.create_task(lab.engine.run())
        for _ in range(20):
            await asyncio.sleep(0)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)

    asyncio.run(scenario())
    assert lab.find().is_active


def test_the_system_clock_does_not_wait_for_what_is_past() -> None:
    """A timer that was due while no host ran fires at once."""
    asyncio.run(SystemClock().wait(datetime(2020, 1, 1, tzinfo=UTC), asyncio.Event(), busy=False))


def test_the_system_clock_is_woken() -> None:
    """News ends a wait of a day, and one without end."""

    async def scenario() -> None:
        clock, woken = SystemClock(), asyncio.Event()
        for until in (clock.now() + timedelta(days=1), None):
            waiting = asyncio.create_task(clock.wait(until, woken, busy=True))
            await asyncio.sleep(0)
            assert not waiting.done()
            woken.set()
            await waiting
            woken.clear()

    asyncio.run(scenario())


def test_the_virtual_clock_never_goes_back() -> None:
    """A timer that is overdue fires now."""
    clock = VirtualClock()
    start = clock.now()
    asyncio.run(clock.wait(start - timedelta(hours=1), asyncio.Event(), busy=False))
    assert clock.now() == start
