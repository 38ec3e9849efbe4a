"""Every change of state happens whole, or not at all."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from azure.durable_functions import DurableOrchestrationContext

from local.engine import Instance, Start, StateUnusable, Store, VirtualClock
from local.engine.store import Activity
from tests.local.engine.conftest import Lab

NOW = datetime(2026, 10, 8, 6, tzinfo=UTC)


class _DiskFull(Exception):
    """The store could not write."""


class _FailingStore(Store):
    """Fails in the call of the method that is named in `failing`, once."""

    failing: str | None = None

    def _may_fail(self, method: str) -> None:
        if self.failing == method:
            self.failing = None
            raise _DiskFull(method)

    def show(self, *args: Any) -> None:
        super().show(*args)
        self._may_fail("show")

    def add_activity(self, *args: Any) -> None:
        super().add_activity(*args)
        self._may_fail("add_activity")

    def end(self, *args: Any) -> None:
        super().end(*args)
        self._may_fail("end")

    def renew(self, *args: Any) -> Instance:
        renewed = super().renew(*args)
        self._may_fail("renew")
        return renewed

    def deliver(self, *args: Any) -> None:
        super().deliver(*args)
        self._may_fail("deliver")

    def snapshot(self) -> list[str]:
        """All that the store holds."""
        return list(self._database.iterdump())


@pytest.fixture
def store() -> Iterator[_FailingStore]:
    store = _FailingStore()
    yield store
    store.close()


def test_a_transaction_that_raises_changes_nothing(store: _FailingStore) -> None:
    """Whatever was changed before the error is as it was."""
    with store.transaction():
        instance = store.create(Start("kept", "work", None), None, NOW)
    before = store.snapshot()

    def change_much() -> None:
        with store.transaction():
            store.create(Start("lost", "work", None), None, NOW)
            store.deliver(instance.id, instance.execution, {"EventType": 0}, NOW)
            store.add_timer(instance, 0, "2026-10-08T07:00:00.000000Z", NOW)
            store.remove("kept")
            raise _DiskFull

    with pytest.raises(_DiskFull):
        change_much()
    assert store.snapshot() == before


def relay(context: DurableOrchestrationContext) -> Any:
    yield context.call_activity("echo", context.get_input())
    if context.get_input() > 0:
        context.continue_as_new(context.get_input() - 1)
        return None
    return "done"


@pytest.mark.parametrize("failing", ["show", "add_activity", "end", "renew"])
def test_a_turn_that_cannot_be_stored_is_played_again(store: _FailingStore, failing: str) -> None:
    """An engine that dies in the middle of a turn loses nothing of it: the next one plays the same turn."""
    lab = Lab(store, VirtualClock())
    calls = []

    async def echo(message: int) -> int:
        calls.append(message)
        return message

    lab.activity(echo)
    lab.orchestrator(relay)
    lab.engine.start("relay", "one", "1")
    store.failing = failing
    with pytest.raises(_DiskFull):
        asyncio.run(lab.engine.run_until_idle())
    asyncio.run(lab.engine.run_until_idle())
    assert lab.output() == "done"
    assert calls == [1, 0]


def test_a_start_that_cannot_be_stored_leaves_nothing(store: _FailingStore) -> None:
    """Who is told that the start failed finds no instance, and may start again."""
    lab = Lab(store, VirtualClock())
    lab.orchestrator(relay)
    before = store.snapshot()
    store.failing = "deliver"
    with pytest.raises(_DiskFull):
        lab.engine.start("relay", "one", "1")
    assert store.snapshot() == before


def test_a_run_that_cannot_be_overwritten_stays_as_it_was(store: _FailingStore) -> None:
    """The finished run's result is there until the new one has begun."""
    lab = Lab(store, VirtualClock())

    def at_once(context: DurableOrchestrationContext) -> Any:
        return "done"

    lab.orchestrator(at_once)
    ended = lab.run("at_once")
    store.failing = "deliver"
    with pytest.raises(_DiskFull):
        lab.engine.start("at_once", "one", None)
    assert lab.find() == ended


def test_a_removed_instance_leaves_nothing(store: _FailingStore) -> None:
    """Purging forgets history and timers too; a second time there is nothing to purge."""
    before = [line for line in store.snapshot() if "sqlite_sequence" not in line]
    instance = store.create(Start("one", "work", None), None, NOW)
    store.append(instance.execution, 0, [{"EventType": 0}])
    store.deliver("one", instance.execution, {"EventType": 0}, NOW)
    store.add_timer(instance, 1, "2026-10-08T07:00:00.000000Z", NOW)
    assert store.remove("one")
    assert [line for line in store.snapshot() if "sqlite_sequence" not in line] == before
    assert not store.remove("one")


def test_an_activity_that_waits_outlives_its_instance(store: _FailingStore) -> None:
    """What is queued is called, whatever became of the orchestration."""
    instance = store.create(Start("one", "work", None), None, NOW)
    waiting = Activity("one", instance.execution, 0, "work", json.dumps(None))
    store.add_activity(waiting, NOW)
    store.end(instance, "Terminated", None, NOW)
    store.remove("one")
    assert store.activities(NOW) == [waiting]


def test_instances_are_listed_in_the_order_of_their_start(store: _FailingStore) -> None:
    """The oldest comes first, also among those of the same moment."""
    for number in range(12):
        store.create(Start(f"{12 - number}", "work", None), None, NOW)
    assert [instance.id for instance in store.instances()] == [f"{12 - number}" for number in range(12)]


def test_a_file_is_one_engines_alone(tmp_path: Path) -> None:
    """A second engine would play the same turns; it is refused, until the first has closed its state."""
    first = Store(tmp_path / "state")
    with pytest.raises(StateUnusable, match=r"^Another host works on .*state: end it, or give another file.*\.$"):
        Store(tmp_path / "state")
    first.close()
    Store(tmp_path / "state").close()


def test_a_refused_engine_takes_nothing_from_the_first(tmp_path: Path) -> None:
    """Whoever was there first goes on, and still keeps others out."""
    first = Store(tmp_path / "state")
    for _ in range(2):
        with pytest.raises(StateUnusable):
            Store(tmp_path / "state")
    first.create(Start("one", "work", None), None, NOW)
    first.close()


def test_others_may_read_the_file(tmp_path: Path) -> None:
    """Only a second engine is kept out, not who looks into the state."""
    store = Store(tmp_path / "state")
    store.create(Start("one", "work", None), None, NOW)
    with closing(sqlite3.connect(tmp_path / "state")) as reader:
        assert reader.execute("SELECT id FROM instances").fetchall() == [("one",)]
    store.close()


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    """What cannot hold the state is refused in a sentence, and left as it is."""
    notes = tmp_path / "notes.txt"
    notes.write_text("Nothing that SQLite reads.\n" * 100)
    for path in (notes, tmp_path, tmp_path / "no folder" / "state"):
        with pytest.raises(StateUnusable, match="cannot hold the durable state"):
            Store(path)
    assert notes.read_text() == "Nothing that SQLite reads.\n" * 100
