"""What an orchestrator may do on the engine, through the SDK's own executor."""

import asyncio
import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from azure.durable_functions import DurableOrchestrationContext as Context

from local.engine import InstanceActive
from local.engine.calls import MOST_ACTIVITIES
from local.engine.protocol import EventType
from tests.local.engine.conftest import Lab


async def echo(message: Any) -> Any:
    return message


def answer_input(context: Context) -> Any:
    return context.get_input()


async def fail(message: str) -> str:
    raise ValueError(f"{message} does not work")


@pytest.mark.parametrize("value", [None, "", "grün", 0, 1.5, True, [], [1, {"a": None}], {"a": ["b"]}])
def test_what_an_activity_is_given_and_answers_is_any_json(lab: Lab, value: Any) -> None:
    """Inputs and results pass through the worker's own converters unchanged."""

    def relay(context: Context) -> Any:
        return (yield context.call_activity("echo", context.get_input()))

    lab.activity(echo)
    lab.orchestrator(relay)
    lab.run("relay", value)
    assert lab.output() == value


def test_a_synchronous_activity_does_not_block_the_others(lab: Lab) -> None:
    """An activity that is a plain function runs on a thread of its own."""

    def thread(message: Any) -> bool:
        return threading.current_thread() is threading.main_thread()

    def ask(context: Context) -> Any:
        return (yield context.call_activity("thread", None))

    lab.activity(thread)
    lab.orchestrator(ask)
    lab.run("ask")
    assert lab.output() is False


def test_results_of_task_all_stand_in_the_order_of_the_calls(lab: Lab) -> None:
    """Whichever activity is done first, each result is where its call was."""
    done: list[int] = []

    async def late(message: int) -> int:
        while len(done) < message:
            await asyncio.sleep(0)
        done.append(message)
        return message

    def fan_out(context: Context) -> Any:
        return (yield context.task_all([context.call_activity("late", n) for n in (2, 1, 0)]))

    lab.activity(late)
    lab.orchestrator(fan_out)
    lab.run("fan_out")
    assert lab.output() == [2, 1, 0]
    assert done == [0, 1, 2]


def test_no_more_activities_run_at_once_than_a_worker_takes(lab: Lab) -> None:
    """Twenty activities are called in turn, as many at once as `host.json` allows."""
    running: list[int] = []
    most: list[int] = []

    async def busy(message: int) -> int:
        running.append(message)
        most.append(len(running))
        await asyncio.sleep(0)
        running.remove(message)
        return message

    def fan_out(context: Context) -> Any:
        return (yield context.task_all([context.call_activity("busy", n) for n in range(20)]))

    lab.activity(busy)
    lab.orchestrator(fan_out)
    lab.run("fan_out")
    assert lab.output() == list(range(20))
    assert max(most) == MOST_ACTIVITIES


def test_an_activity_that_wins_against_a_timer_cancels_it(lab: Lab) -> None:
    """A losing timer that is cancelled never fires, though the instance lives on beyond its time."""
    start = lab.clock.now()

    def race(context: Context) -> Any:
        activity = context.call_activity("echo", "activity")
        timer = context.create_timer(context.current_utc_datetime + timedelta(hours=1))
        winner = yield context.task_any([activity, timer])
        timer.cancel()
        yield context.create_timer(context.current_utc_datetime + timedelta(hours=2))
        return [winner is activity, winner.result]

    lab.activity(echo)
    lab.orchestrator(race)
    ended = lab.run("race")
    assert lab.output() == [True, "activity"]
    assert lab.clock.now() == start + timedelta(hours=2)
    fired = [event for event in lab.store.history(ended.execution) if event["EventType"] == EventType.TIMER_FIRED]
    assert len(fired) == 1


def test_an_instance_that_has_ended_leaves_no_timer(lab: Lab) -> None:
    """No time passes for a timer that nobody waits for any more."""
    start = lab.clock.now()

    def race(context: Context) -> Any:
        activity = context.call_activity("echo", "activity")
        timer = context.create_timer(context.current_utc_datetime + timedelta(hours=1))
        yield context.task_any([activity, timer])
        timer.cancel()

    lab.activity(echo)
    lab.orchestrator(race)
    lab.run("race")
    assert lab.find().status == "Completed"
    assert lab.clock.now() == start


def test_a_timer_that_wins_leaves_the_loser_to_itself(lab: Lab) -> None:
    """What the orchestration does not wait for any more changes nothing."""

    def race(context: Context) -> Any:
        child = context.call_sub_orchestrator("slow")
        timer = context.create_timer(context.current_utc_datetime + timedelta(hours=1))
        winner = yield context.task_any([child, timer])
        return winner is timer

    def slow(context: Context) -> Any:
        yield context.create_timer(context.current_utc_datetime + timedelta(hours=2))
        return "too late"

    lab.orchestrator(race)
    lab.orchestrator(slow)
    lab.run("race")
    assert lab.output() is True


def test_an_orchestration_sees_the_engines_time(lab: Lab) -> None:
    """`current_utc_datetime` is UTC, moves with the timers, and is the same in every replay."""
    start = lab.clock.now()
    seen = set()

    def wait(context: Context) -> Any:
        seen.add(context.current_utc_datetime)
        yield context.create_timer(context.current_utc_datetime + timedelta(hours=3))
        seen.add(context.current_utc_datetime)
        yield context.create_timer(context.current_utc_datetime + timedelta(hours=4))
        return context.current_utc_datetime.isoformat()

    lab.orchestrator(wait)
    lab.run("wait")
    assert seen == {start, start + timedelta(hours=3)}
    assert lab.output() == (start + timedelta(hours=7)).isoformat()


def test_a_failed_activity_is_an_exception_that_can_be_caught(lab: Lab) -> None:
    """The orchestrator may go on after an activity raised."""

    def forgiving(context: Context) -> Any:
        try:
            yield context.call_activity("fail", "this")
        except Exception as fault:
            return str(fault)
        return None

    lab.activity(fail)
    lab.orchestrator(forgiving)
    lab.run("forgiving")
    assert "this does not work" in lab.output()


def test_a_failed_activity_that_nobody_catches_fails_the_instance(lab: Lab) -> None:
    """The instance ends as failed, with the activity's reason and the custom status it had set."""

    def strict(context: Context) -> Any:
        context.set_custom_status("trying")
        yield context.call_activity("fail", "this")

    lab.activity(fail)
    lab.orchestrator(strict)
    failed = lab.run("strict")
    assert failed.status == "Failed"
    assert "this does not work" in str(failed.output_json)
    assert failed.custom_status_json == '"trying"'


def test_an_activity_that_is_not_there_fails_its_task(lab: Lab) -> None:
    """A call by a wrong name is told to the orchestrator, and does not stop the engine."""

    def mistaken(context: Context) -> Any:
        yield context.call_activity("nobody", None)

    lab.orchestrator(mistaken)
    failed = lab.run("mistaken")
    assert failed.status == "Failed"
    assert "nobody" in str(failed.output_json)


def test_an_orchestrator_may_end_without_waiting_for_anything(lab: Lab) -> None:
    """A function without any yield is an orchestrator too."""
    lab.orchestrator(answer_input)
    lab.run("answer_input", {"a": 1})
    assert lab.output() == {"a": 1}


def test_a_sub_orchestrations_result_reaches_its_parent(lab: Lab) -> None:
    """Children run under the id that was given to them, or one of their own, and answer with any JSON."""

    def parent(context: Context) -> Any:
        named = yield context.call_sub_orchestrator("child", [1], "one:child")
        unnamed = yield context.call_sub_orchestrator("child", None)
        return [named, unnamed]

    def child(context: Context) -> Any:
        return (yield context.call_activity("echo", [context.get_input(), context.parent_instance_id]))

    lab.activity(echo)
    lab.orchestrator(parent)
    lab.orchestrator(child)
    lab.run("parent")
    assert lab.output() == [[[1], "one"], [None, "one"]]
    assert lab.output("one:child") == [[1], "one"]
    assert len(lab.store.instances()) == 3


def test_a_failed_child_is_an_exception_in_its_parent(lab: Lab) -> None:
    """The parent learns why its child failed, and may go on."""

    def parent(context: Context) -> Any:
        try:
            yield context.call_sub_orchestrator("child", None, "one:child")
        except Exception as fault:
            return str(fault)
        return None

    def child(context: Context) -> Any:
        yield context.call_activity("fail", "this")

    lab.activity(fail)
    lab.orchestrator(parent)
    lab.orchestrator(child)
    lab.run("parent")
    assert "this does not work" in lab.output()
    assert lab.find("one:child").status == "Failed"


def test_a_child_that_is_not_there_fails_its_parents_task(lab: Lab) -> None:
    """A sub-orchestration by a wrong name is told to the parent, and does not stop the engine."""

    def parent(context: Context) -> Any:
        try:
            yield context.call_sub_orchestrator("nobody", None, "one:child")
        except Exception as fault:
            return str(fault)
        return None

    lab.orchestrator(parent)
    lab.run("parent")
    assert "nobody" in lab.output()


def test_continuing_as_new_begins_an_empty_history(lab: Lab) -> None:
    """The next execution has the new input, the same id, and no event of the one before."""
    lengths = []

    def count_down(context: Context) -> Any:
        left = context.get_input()
        yield context.call_activity("echo", left)
        lengths.append(len(context.histories))
        if left > 0:
            context.continue_as_new(left - 1)
            return None
        return "launched"

    lab.activity(echo)
    lab.orchestrator(count_down)
    lab.run("count_down", 5)
    assert lab.output() == "launched"
    assert len(set(lengths)) == 1
    assert len(lengths) == 6


def test_a_child_that_continues_as_new_still_answers_its_parent(lab: Lab) -> None:
    """The parent waits for the last of the child's executions."""

    def parent(context: Context) -> Any:
        return (yield context.call_sub_orchestrator("child", 3, "one:child"))

    def child(context: Context) -> Any:
        yield context.create_timer(context.current_utc_datetime + timedelta(days=1))
        if context.get_input() > 0:
            context.continue_as_new(context.get_input() - 1)
            return None
        return "grown up"

    lab.orchestrator(parent)
    lab.orchestrator(child)
    lab.run("parent")
    assert lab.output() == "grown up"


@pytest.mark.parametrize(
    ("ending", "status", "output"),
    [("return", "Completed", "first"), ("raise", "Failed", None), ("continue", "Completed", "second")],
)
def test_nothing_ends_while_a_task_of_its_is_open(lab: Lab, ending: str, status: str, output: str | None) -> None:
    """However the orchestrator ended: an activity that lost against a timer is waited for, and then reaches nobody."""
    seen = []

    async def slow(message: None) -> str:
        while lab.find().custom_status_json != '"ended"':
            await asyncio.sleep(0)
        seen.append((lab.find().status, lab.find().input_json))
        return "of the first"

    def leave(context: Context) -> Any:
        if context.get_input() == "second":
            return (yield context.call_activity("echo", "second"))
        left = context.call_activity("slow", None)
        yield context.task_any([left, context.create_timer(context.current_utc_datetime + timedelta(seconds=1))])
        context.set_custom_status("ended")
        if ending == "raise":
            raise ValueError("that was it")
        if ending == "continue":
            context.continue_as_new("second")
            return None
        return "first"

    lab.activity(slow)
    lab.activity(echo)
    lab.orchestrator(leave)
    lab.clock = _RestlessClock(lab.clock.now())
    ended = lab.run("leave", "first")
    assert seen == [("Running", '"first"')]
    assert ended.status == status
    assert output is None or lab.output() == output


def test_a_timer_that_lost_and_is_not_cancelled_is_waited_for(lab: Lab) -> None:
    """Whoever forgets to cancel it sees the instance run on."""
    start = lab.clock.now()

    def race(context: Context) -> Any:
        activity = context.call_activity("echo", "activity")
        yield context.task_any([activity, context.create_timer(context.current_utc_datetime + timedelta(hours=1))])
        return "done"

    lab.activity(echo)
    lab.orchestrator(race)
    lab.run("race")
    assert lab.output() == "done"
    assert lab.clock.now() == start + timedelta(hours=1)


class _RestlessClock:
    """A clock that jumps to the next timer even while activities run."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    async def wait(self, until: datetime | None, woken: asyncio.Event, *, busy: bool) -> None:
        if until is None:
            await woken.wait()
        else:
            self._now = until


def test_the_custom_status_is_what_was_set_last(lab: Lab) -> None:
    """Whoever looks in between sees the status of the last turn."""
    seen = []

    async def look(message: None) -> None:
        seen.append(lab.find().custom_status_json)

    def show(context: Context) -> Any:
        for step in range(3):
            context.set_custom_status({"step": step})
            yield context.call_activity("look", None)

    lab.activity(look)
    lab.orchestrator(show)
    ended = lab.run("show")
    assert seen == ['{"step": 0}', '{"step": 1}', '{"step": 2}']
    assert ended.custom_status_json == '{"step": 2}'


def test_an_unknown_orchestrator_is_accepted_and_fails(lab: Lab) -> None:
    """As with the real extension: who starts it is told nothing, the instance says why."""
    lab.orchestrator(answer_input)
    assert lab.run("nobody").status == "Failed"
    assert "'nobody' doesn't exist" in str(lab.find().output_json)


def test_an_instance_that_is_active_is_not_started_again(lab: Lab) -> None:
    """A second start under the same id raises, and the first run goes on undisturbed."""
    lab.orchestrator(answer_input)
    lab.engine.start("answer_input", "one", '"first"')
    with pytest.raises(InstanceActive, match="'one'"):
        lab.engine.start("answer_input", "one", '"second"')
    asyncio.run(lab.engine.run_until_idle())
    assert lab.output() == "first"


def test_an_instance_that_has_ended_is_overwritten(lab: Lab) -> None:
    """The same id may be used again; of the earlier run nothing is left."""
    lab.orchestrator(answer_input)
    earlier = lab.run("answer_input", "first")
    lab.run("answer_input", "second")
    assert lab.output() == "second"
    assert lab.store.history(earlier.execution) == []
    assert len(lab.store.instances()) == 1


def test_an_orchestrator_that_schedules_something_else_is_found_out(lab: Lab) -> None:
    """Replay that does not repeat what history says fails the instance instead of mixing up results."""
    names = iter(["echo", "other", "other"])

    def fickle(context: Context) -> Any:
        yield context.call_activity(next(names), 1)
        yield context.call_activity("echo", 2)

    lab.activity(echo)
    lab.orchestrator(fickle)
    failed = lab.run("fickle")
    assert failed.status == "Failed"
    assert "NotDeterministic" in str(failed.output_json)


def test_an_orchestrator_that_forgets_what_it_scheduled_is_found_out(lab: Lab) -> None:
    """Replay that leaves out a task of its history fails the instance."""
    replays = iter(range(10))

    def forgetful(context: Context) -> Any:
        if next(replays) < 1:
            yield context.create_timer(context.current_utc_datetime + timedelta(hours=1))
        return "done"

    lab.orchestrator(forgetful)
    failed = lab.run("forgetful")
    assert failed.status == "Failed"
    assert "NotDeterministic" in str(failed.output_json)


def test_an_action_that_the_engine_does_not_know_is_reported(lab: Lab) -> None:
    """An orchestrator that wants more than the engine can do fails, and the reason says so."""

    def calling(context: Context) -> Any:
        yield context.call_http("GET", "https://example.com")

    lab.orchestrator(calling)
    failed = lab.run("calling")
    assert failed.status == "Failed"
    assert "does not know actions of type" in str(failed.output_json)
