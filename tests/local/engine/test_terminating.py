"""Ending an instance from outside, and what still arrives for it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from azure.durable_functions import DurableOrchestrationContext as Context

from local.engine.calls import MOST_ACTIVITIES
from tests.local.engine.conftest import Lab


class _Gate:
    """An activity that waits until it is let go, and says when it was reached."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    async def __call__(self, message: str) -> str:
        self.reached.set()
        await self.opened.wait()
        return message


def _gated(lab: Lab) -> _Gate:
    gate = _Gate()

    async def gated(message: str) -> str:
        return await gate(message)

    lab.activity(gated)
    return gate


def _with_engine(lab: Lab, scenario: Callable[[], Awaitable[None]]) -> None:
    """Plays the scenario while the engine works, then lets it work until nothing is under way."""

    async def play() -> None:
        working = asyncio.create_task(lab.engine.run())
        await scenario()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await lab.engine.run_until_idle()

    asyncio.run(play())


def work(context: Context) -> Any:
    return (yield context.call_activity("gated", context.get_input()))


def test_a_terminated_instance_has_ended(lab: Lab) -> None:
    """Its status is Terminated and its output the reason."""
    gate = _gated(lab)
    lab.orchestrator(work)

    async def scenario() -> None:
        lab.engine.start("work", "one", '"first"')
        await gate.reached.wait()
        assert lab.engine.terminate("one", "enough")
        await lab.ended()
        gate.opened.set()

    _with_engine(lab, scenario)
    assert lab.find().status == "Terminated"
    assert json.loads(str(lab.find().output_json)) == "enough"


def test_what_has_ended_or_never_was_cannot_be_terminated(lab: Lab) -> None:
    """Only an active instance can be; the answer says whether it was."""
    lab.orchestrator(at_once)
    lab.run("at_once")
    assert not lab.engine.terminate("one", "too late")
    assert not lab.engine.terminate("nobody", "no such")
    assert lab.find().status == "Completed"


def at_once(context: Context) -> Any:
    return "done"


def test_what_is_ahead_of_a_termination_is_played_first(lab: Lab) -> None:
    """An instance that is ended right after its start still takes its first turn."""
    ran = []

    def sleep(context: Context) -> Any:
        ran.append(context.instance_id)
        yield context.create_timer(context.current_utc_datetime + timedelta(hours=1))

    lab.orchestrator(sleep)
    lab.engine.start("sleep", "one", None)
    assert lab.engine.terminate("one", "changed my mind")
    assert lab.find().status == "Pending"
    asyncio.run(lab.engine.run_until_idle())
    assert ran == ["one"]
    assert lab.find().status == "Terminated"


def test_activities_that_wait_run_although_their_orchestration_was_terminated(lab: Lab) -> None:
    """They are in a queue of their own; their results reach nobody."""
    gate, ran = _gated(lab), []

    async def note(message: int) -> None:
        ran.append(message)

    def fan_out(context: Context) -> Any:
        busy = [context.call_activity("gated", str(number)) for number in range(MOST_ACTIVITIES)]
        yield context.task_all([*busy, *(context.call_activity("note", number) for number in range(3))])

    lab.activity(note)
    lab.orchestrator(fan_out)

    async def scenario() -> None:
        lab.engine.start("fan_out", "one", None)
        await gate.reached.wait()
        lab.engine.terminate("one", "enough")
        await lab.ended()
        assert ran == []
        gate.opened.set()

    _with_engine(lab, scenario)
    assert ran == [0, 1, 2]
    assert lab.find().status == "Terminated"


def test_the_result_of_a_terminated_run_never_reaches_the_next_one(lab: Lab) -> None:
    """A new run under the same id gets its own activity's result, though the old one's comes first."""
    gate = _gated(lab)
    lab.orchestrator(work)

    async def scenario() -> None:
        lab.engine.start("work", "one", '"first"')
        await gate.reached.wait()
        lab.engine.terminate("one", "again, please")
        await lab.ended()
        gate.reached.clear()
        lab.engine.start("work", "one", '"second"')
        await gate.reached.wait()
        gate.opened.set()
        await lab.ended()

    _with_engine(lab, scenario)
    assert lab.output() == "second"


def test_timers_of_a_terminated_run_never_reach_the_next_one(lab: Lab) -> None:
    """A new run under the same id waits for its own timer."""
    start = lab.clock.now()

    def wait(context: Context) -> Any:
        yield context.create_timer(context.current_utc_datetime + timedelta(hours=context.get_input()))
        return context.current_utc_datetime.isoformat()

    lab.orchestrator(wait)
    lab.engine.start("wait", "one", "1")
    # One turn is enough: the timer is set then.
    lab.engine._do_what_is_due()
    lab.engine.terminate("one", "again, please")
    lab.engine._do_what_is_due()
    lab.run("wait", 5)
    assert lab.output() == (start + timedelta(hours=5)).isoformat()


def test_children_of_a_terminated_parent_go_on(lab: Lab) -> None:
    """As in Durable, a sub-orchestration lives on, and its result reaches nobody."""
    gate = _gated(lab)

    def parent(context: Context) -> Any:
        return (yield context.call_sub_orchestrator("work", context.get_input(), f"child of {context.get_input()}"))

    lab.orchestrator(parent)
    lab.orchestrator(work)

    async def scenario() -> None:
        lab.engine.start("parent", "one", '"first"')
        await gate.reached.wait()
        lab.engine.terminate("one", "enough")
        await lab.ended()
        lab.engine.start("parent", "one", '"second"')
        gate.opened.set()
        await lab.ended()

    _with_engine(lab, scenario)
    assert lab.output("child of first") == "first"
    assert lab.output() == "second"


def test_a_terminated_child_fails_its_parents_task(lab: Lab) -> None:
    """The parent learns that its child will not answer."""
    gate = _gated(lab)

    def parent(context: Context) -> Any:
        try:
            yield context.call_sub_orchestrator("work", "x", "child")
        except Exception as fault:
            return str(fault)
        return None

    lab.orchestrator(parent)
    lab.orchestrator(work)

    async def scenario() -> None:
        lab.engine.start("parent", "one", None)
        await gate.reached.wait()
        lab.engine.terminate("child", "not needed")
        await lab.ended()
        gate.opened.set()

    _with_engine(lab, scenario)
    assert "not needed" in lab.output()
