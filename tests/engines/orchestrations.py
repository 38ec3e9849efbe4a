"""The functions that the tests of both engines start: small orchestrations, and the activities that they call."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Generator
from datetime import timedelta
from typing import Any

import azure.durable_functions as df
from azure.durable_functions import DurableOrchestrationClient
from azure.durable_functions import DurableOrchestrationContext as Context
from azure.durable_functions.models.history import HistoryEventType

from local.running import PATIENCE

app = df.DFApp()
Steps = Generator[Any, Any, Any]


class Gates:
    """Where activities wait until a test lets them go, each under a name of its own."""

    def __init__(self) -> None:
        self._reached: defaultdict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(0))
        self._opened: defaultdict[str, threading.Event] = defaultdict(threading.Event)

    def reached(self, name: str) -> None:
        """Waits until an activity has come to the gate."""
        assert self._reached[name].acquire(timeout=PATIENCE), f"No activity came to {name}."

    def open(self, name: str) -> None:
        """Lets the activity go, and all that come later."""
        self._opened[name].set()

    async def pass_(self, name: str) -> None:
        """Waits until the gate is opened."""
        self._reached[name].release()
        async with asyncio.timeout(PATIENCE):
            while not self._opened[name].is_set():
                await asyncio.sleep(0.01)


gates = Gates()


@app.activity_trigger(input_name="message")
async def echo(message: Any) -> Any:
    """Answers with what it is given."""
    return message


@app.activity_trigger(input_name="message")
async def fail(message: Any) -> Any:
    """Raises."""
    raise ValueError(f"{message} does not work")


@app.activity_trigger(input_name="gate")
async def wait_at(gate: str) -> str:
    """Waits until the gate is opened."""
    await gates.pass_(gate)
    return gate


@app.activity_trigger(input_name="length")
async def long_text(length: int) -> str:
    """A text of this length."""
    return "ü" * length


@app.activity_trigger(input_name="id")
@app.durable_client_input(client_name="client")
async def start_another(id: str, client: DurableOrchestrationClient) -> list[Any]:  # noqa: A002
    """Starts an orchestration of its own, and waits until it has ended."""
    started = await client.start_new("answer", id, "from an activity")
    for _ in range(500):
        status = await client.get_status(started)
        if status and status.output is not None:
            return [started, status.output]
        await asyncio.sleep(0.05)
    return [started, None]


@app.orchestration_trigger(context_name="context")
def answer(context: Context) -> Any:
    """Answers with its input, at once."""
    return context.get_input()


@app.orchestration_trigger(context_name="context")
def relay(context: Context) -> Steps:
    """Calls the activity that it is told to: its answer, or what it raised."""
    name, message = context.get_input()
    try:
        return (yield context.call_activity(name, message))
    except Exception as fault:
        return f"raised: {fault}"


@app.orchestration_trigger(context_name="context")
def strict(context: Context) -> Steps:
    """Says what it does, and does not catch what its activity raises."""
    context.set_custom_status({"trying": context.get_input()})
    return (yield context.call_activity("fail", context.get_input()))


@app.orchestration_trigger(context_name="context")
def fan_out(context: Context) -> Steps:
    """Echoes of the numbers below its input."""
    return (yield context.task_all([context.call_activity("echo", n) for n in range(context.get_input())]))


@app.orchestration_trigger(context_name="context")
def await_event(context: Context) -> Steps:
    """Waits for an event of the name that it is given."""
    context.set_custom_status("waiting")
    return (yield context.wait_for_external_event(context.get_input(), expected_type=str))


@app.orchestration_trigger(context_name="context")
def await_two_events(context: Context) -> Steps:
    """Waits at a gate, then for two events of one name."""
    yield context.call_activity("wait_at", context.get_input())
    first = yield context.wait_for_external_event("go", expected_type=str)
    context.set_custom_status("one more")
    return [first, (yield context.wait_for_external_event("go", expected_type=str))]


@app.orchestration_trigger(context_name="context")
def event_or_timer(context: Context) -> Steps:
    """Waits for the event `go`, for at most so many seconds."""
    context.set_custom_status("waiting")
    event = context.wait_for_external_event("go", expected_type=str)
    timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=context.get_input()))
    winner = yield context.task_any([event, timer])
    if winner is event:
        timer.cancel()
        return event.result
    return "too late"


@app.orchestration_trigger(context_name="context")
def sleep(context: Context) -> Steps:
    """Waits for so many seconds; how many have passed by its own clock."""
    start = context.current_utc_datetime
    context.set_custom_status("asleep")
    yield context.create_timer(start + timedelta(seconds=context.get_input()))
    return (context.current_utc_datetime - start).total_seconds()


@app.orchestration_trigger(context_name="context")
def sleep_or_echo(context: Context) -> Steps:
    """An activity that wins against a timer of so many seconds."""
    activity = context.call_activity("echo", "activity")
    timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=context.get_input()))
    winner = yield context.task_any([activity, timer])
    timer.cancel()
    return [winner is activity, winner.result]


@app.orchestration_trigger(context_name="context")
def sleep_or_wait(context: Context) -> Steps:
    """A timer that wins against a child, which waits at a gate."""
    child = context.call_sub_orchestrator("relay", ["wait_at", context.get_input()], f"{context.instance_id}:child")
    timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=1))
    winner = yield context.task_any([child, timer])
    context.set_custom_status("the timer won")
    return winner is timer


@app.orchestration_trigger(context_name="context")
def count_down(context: Context) -> Steps:
    """Continues as new until its input is 0; how many activities its last history knows of."""
    left = context.get_input()
    yield context.call_activity("echo", left)
    if left > 0:
        context.continue_as_new(left - 1)
        return None
    return sum(event.event_type == HistoryEventType.TASK_COMPLETED for event in context.histories)


@app.orchestration_trigger(context_name="context")
def sleep_and_continue(context: Context) -> Steps:
    """Sleeps for so many seconds, and then once more as new, for none."""
    seconds = context.get_input()
    if seconds > 0:
        yield context.create_timer(context.current_utc_datetime + timedelta(seconds=seconds))
        context.continue_as_new(0)


@app.orchestration_trigger(context_name="context")
def tick(context: Context) -> Steps:
    """Waits for an event or a short timer, again and again as new, until the event has come."""
    context.set_custom_status(context.get_input())
    event = context.wait_for_external_event("stop", expected_type=str)
    timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=1))
    winner = yield context.task_any([event, timer])
    if winner is event:
        timer.cancel()
        return [event.result, context.get_input()]
    context.continue_as_new(context.get_input() + 1)
    return None


@app.orchestration_trigger(context_name="context")
def parent(context: Context) -> Steps:
    """Calls a sub-orchestration under an id made of its own: its answer, or what became of it."""
    name, input_ = context.get_input()
    context.set_custom_status("waiting")
    try:
        return (yield context.call_sub_orchestrator(name, input_, f"{context.instance_id}:child"))
    except Exception as fault:
        return f"raised: {fault}"


@app.orchestration_trigger(context_name="context")
def family(context: Context) -> Steps:
    """Calls so many sub-orchestrations at once."""
    ids = [f"{context.instance_id}:{n}" for n in range(context.get_input())]
    return (yield context.task_all([context.call_sub_orchestrator("answer", id_, id_) for id_ in ids]))


@app.orchestration_trigger(context_name="context")
def who(context: Context) -> list[str | None]:
    """Itself, and its parent."""
    return [context.instance_id, context.parent_instance_id]


@app.orchestration_trigger(context_name="context")
def say(context: Context) -> Steps:
    """Says what it is given, and then waits for the event `go`."""
    context.set_custom_status(context.get_input())
    yield context.wait_for_external_event("go", expected_type=str)


@app.orchestration_trigger(context_name="context")
def leave_open(context: Context) -> Steps:
    """Ends in the way that it is told to, while an activity of its waits at a gate."""
    gate, ending = context.get_input()
    if gate is None:
        return "as new"
    left = context.call_activity("wait_at", gate)
    timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=1))
    yield context.task_any([left, timer])
    context.set_custom_status(ending)
    if ending == "raise":
        raise ValueError("that was it")
    if ending == "continue":
        context.continue_as_new([None, None])
        return None
    return "returned"


@app.orchestration_trigger(context_name="context")
def version(context: Context) -> Any:
    """Answers with its own version."""
    return context.version


@app.orchestration_trigger(context_name="context")
def versions_of_children(context: Context) -> Steps:
    """Answers with the versions of a child that is given none, and of one that is given the input."""
    default = yield context.call_sub_orchestrator("version")
    given = yield context.call_sub_orchestrator("version", version=context.get_input())
    return [default, given]


@app.orchestration_trigger(context_name="context")
def version_after_continuing(context: Context) -> Steps:
    """Continues as new; answers then with its version."""
    if context.get_input() == "first":
        yield context.call_activity("echo", "anything")
        context.continue_as_new("second")
        return None
    return context.version
