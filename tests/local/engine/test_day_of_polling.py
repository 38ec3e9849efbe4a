"""The project's own orchestrations on the virtual clock, with activities that a test stands in for."""

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

import function_app
from catalog.export_request import ExportRequest
from failures import ANEW
from local.engine import DurableEngine, Instance, Options, Store, VirtualClock
from local.engine.protocol import Event
from local.functions import ActivityFunction, index
from messages.encoding import Message
from messages.exports import ExportOrder, OperationAnswer, Policy, StartAnswer
from messages.months import InvoicesAnswer, MonthlyOrder
from messages.names import CHECK_OPERATION, LIST_INVOICES, MONTHLY_EXPORTS, RUN_EXPORT, START_EXPORT
from messages.problems import Answer
from tests.export_policy import POLICY
from tests.replay.exports import failed

MOST_EVENTS = 1000

OPERATION = "https://graph.microsoft.com/v1.0/reports/partners/billing/operations/7b7b3a3e"
REQUEST = ExportRequest.of_invoice("G016907411")


class _CountingStore(Store):
    """Remembers the length of the longest history of any execution, and how many executions there were."""

    def __init__(self) -> None:
        super().__init__()
        self.lengths: dict[str, int] = {}

    def append(self, execution: str, position: int, events: Sequence[Event]) -> None:
        super().append(execution, position, events)
        self.lengths[execution] = position + len(events)


class _World:
    """An engine with the real orchestrations, and activities that a test gives."""

    def __init__(self, store: _CountingStore) -> None:
        self.store = store
        self.clock = VirtualClock()
        self.options = Options()
        self.calls: list[str] = []

    def export(self, policy: Policy, **answers: Callable[[], Answer]) -> Instance:
        """How an export ends where activities of these names answer so."""
        return self.run(RUN_EXPORT, REQUEST.export_id, ExportOrder(REQUEST, policy), answers)

    def run(self, name: str, id_: str, order: Message, answers: Mapping[str, Callable[[], Answer]]) -> Instance:
        """How an orchestration ends where activities of these names answer so."""
        activities = {name: self._activity(name, answer) for name, answer in answers.items()}
        functions = replace(index(function_app.app), activities=activities)
        engine = DurableEngine(functions, self.store, self.clock, options=self.options)
        engine.start(name, id_, json.dumps(order.to_json()))
        asyncio.run(engine.run_until_idle())
        ended = self.store.find(id_)
        assert ended is not None
        return ended

    def _activity(self, name: str, answer: Callable[[], Answer]) -> ActivityFunction:
        async def called(message: Any) -> Any:
            self.calls.append(name)
            return answer().to_json()

        return ActivityFunction(name, called, "message", None)


@pytest.fixture
def world() -> Iterator[_World]:
    store = _CountingStore()
    yield _World(store)
    store.close()


def _error(instance: Instance) -> Any:
    return json.loads(str(instance.custom_status_json))["error"]


def test_a_day_of_polling_ends_at_the_deadline_in_seconds(world: _World) -> None:
    """An operation that runs for ever fails its export after 24 hours, and no history has 1,000 events."""
    start, began = world.clock.now(), time.process_time()
    ended = world.export(
        POLICY, start_export=lambda: StartAnswer(OPERATION), check_operation=lambda: OperationAnswer("running")
    )
    assert ended.status == "Failed"
    assert _error(ended)["code"] == "DeadlineExceeded"
    assert timedelta(hours=23, minutes=50) < world.clock.now() - start < timedelta(hours=24)
    assert world.calls.count(START_EXPORT) == 1
    assert world.calls.count(CHECK_OPERATION) > 280
    assert max(world.store.lengths.values()) < MOST_EVENTS
    assert not any(instance.is_active for instance in world.store.instances())
    assert time.process_time() - began < 30


def test_operations_that_are_gone_are_posted_anew_as_often_as_is_allowed(world: _World) -> None:
    """Each attempt posts one export and polls it under an id of its own; then the run fails."""
    gone = failed(ANEW)
    ended = world.export(POLICY, start_export=lambda: StartAnswer(OPERATION), check_operation=lambda: gone)
    assert ended.status == "Failed"
    assert world.calls == [START_EXPORT, CHECK_OPERATION] * POLICY.export_attempts
    polls = [instance.id for instance in world.store.instances() if instance.parent]
    assert len(set(polls)) == POLICY.export_attempts


def test_no_poll_comes_sooner_than_was_asked_for_though_timers_fire_early(world: _World) -> None:
    """What the post and the operation's answers ask for has passed, by the clock, whenever it is asked again."""
    world.options = Options(early_timers=True)
    moments: list[datetime] = []

    def running_for_a_while() -> Answer:
        moments.append(world.clock.now())
        return OperationAnswer("running", 42.7) if len(moments) < 5 else failed()

    began = world.clock.now()
    start = StartAnswer(OPERATION, 42.7, began)
    world.export(POLICY, start_export=lambda: start, check_operation=running_for_a_while)
    assert len(moments) == 5
    assert all(later - earlier >= timedelta(seconds=42.7) for earlier, later in itertools.pairwise([began, *moments]))


def test_a_months_last_look_is_the_last_though_timers_fire_early(world: _World) -> None:
    """A day of waiting, with a look every thirteen hours, is three looks, however the seconds fall."""
    world.options = Options(early_timers=True)
    order = MonthlyOrder("2026-09", POLICY, ["billedUsage"], recheck_hours=13, wait_days=1.00001)
    ended = world.run(MONTHLY_EXPORTS, "monthly-2026-09", order, {LIST_INVOICES: lambda: InvoicesAnswer([])})
    assert _error(ended)["code"] == "NoInvoice"
    assert world.calls.count(LIST_INVOICES) == 3


def test_an_api_that_cannot_be_reached_for_hours_is_waited_for(world: _World) -> None:
    """A start that keeps failing is tried again, later each time, and then told with its reason."""

    def unreachable() -> StartAnswer:
        raise ConnectionError("nobody answers")

    start = world.clock.now()
    ended = world.export(POLICY, start_export=unreachable)
    assert _error(ended)["code"] == "KeptFailing"
    assert "nobody answers" in _error(ended)["message"]
    assert world.calls.count(START_EXPORT) == 10
    assert world.clock.now() - start > timedelta(hours=1)
