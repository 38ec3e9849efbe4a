"""A host that is killed, and the next one on the same state file."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from azure.durable_functions import DurableOrchestrationContext as Context

from local.engine import Options
from local.engine.protocol import EventType
from tests.local.engine.conftest import Lab

Reopened = Callable[[], Lab]


class _Worker:
    """An activity that notes each call. What is in `hanging` never answers until the process is killed."""

    def __init__(self, *hanging: str) -> None:
        self.calls: list[str] = []
        self.hanging = set(hanging)
        self.hangs = asyncio.Event()

    async def __call__(self, message: str) -> str:
        self.calls.append(message)
        if message in self.hanging:
            self.hangs.set()
            await asyncio.Event().wait()
        return message.upper()


def _equip(lab: Lab, worker: _Worker) -> Lab:
    async def work(message: str) -> str:
        return await worker(message)

    lab.activity(work)
    for orchestrator in (fan_out, wait, parent):
        lab.orchestrator(orchestrator)
    return lab


def fan_out(context: Context) -> Any:
    return (yield context.task_all([context.call_activity("work", text) for text in context.get_input()]))


def wait(context: Context) -> Any:
    yield context.create_timer(context.current_utc_datetime + timedelta(hours=2))
    return context.current_utc_datetime.isoformat()


def parent(context: Context) -> Any:
    return (yield context.call_sub_orchestrator("fan_out", context.get_input(), "child"))


def _run_until_it_hangs(lab: Lab, worker: _Worker, name: str, input_json: str) -> None:
    """Lets the engine work until only hanging activities are left, and kills it."""

    async def scenario() -> None:
        lab.engine.start(name, "one", input_json)
        working = asyncio.create_task(lab.engine.run())
        await worker.hangs.wait()
        while len(lab.store.activities(lab.clock.now())) > len(worker.hanging):
            await asyncio.sleep(0)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)

    asyncio.run(scenario())


def test_unfinished_activities_are_called_again_and_finished_ones_are_not(reopened: Reopened) -> None:
    """After a restart only what was not answered is called, and the run ends as if nothing had happened."""
    first = _Worker("b")
    lab = _equip(reopened(), first)
    _run_until_it_hangs(lab, first, "fan_out", '["a", "b", "c"]')
    assert lab.find().status == "Running"

    second = _Worker()
    lab = _equip(reopened(), second)
    asyncio.run(lab.engine.run_until_idle())
    assert sorted(first.calls) == ["a", "b", "c"]
    assert second.calls == ["b"]
    assert lab.output() == ["A", "B", "C"]


def test_a_parent_hears_of_a_child_that_ended_after_the_restart(reopened: Reopened) -> None:
    """Sub-orchestrations survive as their parents do."""
    first = _Worker("b")
    _run_until_it_hangs(_equip(reopened(), first), first, "parent", '["b"]')
    lab = _equip(reopened(), _Worker())
    asyncio.run(lab.engine.run_until_idle())
    assert lab.output() == ["B"]


def test_timers_still_fire_after_a_restart(reopened: Reopened) -> None:
    """A timer fires at its own time, whoever is there to see it."""
    lab = _equip(reopened(), _Worker())
    start = lab.clock.now()
    lab.engine.start("wait", "one", None)
    lab.engine._do_what_is_due()

    lab = _equip(reopened(), _Worker())
    asyncio.run(lab.engine.run_until_idle())
    assert lab.output() == (start + timedelta(hours=2)).isoformat()


def test_a_run_that_was_only_accepted_begins_after_the_restart(reopened: Reopened) -> None:
    """Whoever was told that an export has started can rely on it, even if the host died the moment after."""
    _equip(reopened(), _Worker()).engine.start("fan_out", "one", '["a"]')
    lab = _equip(reopened(), _Worker())
    asyncio.run(lab.engine.run_until_idle())
    assert lab.output() == ["A"]


def test_an_activity_that_was_done_but_not_noted_runs_twice_and_counts_once(reopened: Reopened) -> None:
    """A kill between an activity's effect and its completion repeats the effect; the orchestration sees one result."""
    first, second = _Worker("a"), _Worker()
    _run_until_it_hangs(_equip(reopened(), first), first, "fan_out", '["a"]')
    lab = _equip(reopened(), second)
    asyncio.run(lab.engine.run_until_idle())
    assert (first.calls, second.calls) == (["a"], ["a"])
    history = lab.store.history(lab.find().execution)
    assert len([event for event in history if event["EventType"] == EventType.TASK_COMPLETED]) == 1
    assert lab.output() == ["A"]


def test_what_has_ended_stays_as_it_was(reopened: Reopened) -> None:
    """Status and result of a finished run can be read after any number of restarts, and nothing runs again."""
    ended = _equip(reopened(), _Worker()).run("fan_out", ["a"])
    worker = _Worker()
    lab = _equip(reopened(), worker)
    asyncio.run(lab.engine.run_until_idle())
    assert lab.find() == ended
    assert worker.calls == []


def test_what_a_killed_host_had_begun_is_called_again_when_its_time_is_over(reopened: Reopened) -> None:
    """Until then it is taken to be under way; nothing is lost, and nothing stands still for longer."""
    first, second = _Worker("a"), _Worker()
    held = Options(hold=timedelta(minutes=1))
    lab = _equip(reopened(), first)
    lab.options = held
    lab.engine.start("fan_out", "one", '["a", "b"]')

    async def begin_and_die() -> None:
        working = asyncio.create_task(lab.engine.run())
        await first.hangs.wait()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)

    asyncio.run(begin_and_die())
    lab = _equip(reopened(), second)
    lab.options = held
    killed = lab.clock.now()
    asyncio.run(lab.engine.run_until_idle())
    assert lab.output() == ["A", "B"]
    assert "a" in second.calls
    assert lab.clock.now() - killed == timedelta(minutes=1)
