"""The engine's state, in SQLite: instances, histories, what is under way. Each change of state is one transaction."""

import json
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from local.engine.protocol import Event, timestamp

_SCHEMA_VERSION = 3
"""To be raised with each change of the schema."""

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS instances (
    id TEXT PRIMARY KEY, execution TEXT NOT NULL, name TEXT NOT NULL, version TEXT, status TEXT NOT NULL,
    input TEXT, output TEXT, custom_status TEXT, created TEXT NOT NULL, updated TEXT NOT NULL,
    parent TEXT, parent_execution TEXT, parent_task INTEGER);
CREATE TABLE IF NOT EXISTS history (
    execution TEXT NOT NULL, position INTEGER NOT NULL, event TEXT NOT NULL, PRIMARY KEY (execution, position));
CREATE TABLE IF NOT EXISTS inbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT, due TEXT NOT NULL,
    instance TEXT NOT NULL, execution TEXT NOT NULL, event TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS starts (
    number INTEGER PRIMARY KEY, due TEXT NOT NULL, instance TEXT NOT NULL, name TEXT NOT NULL, input TEXT, version TEXT,
    parent TEXT NOT NULL, parent_execution TEXT NOT NULL, parent_task INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS terminations (
    number INTEGER PRIMARY KEY, due TEXT NOT NULL, instance TEXT NOT NULL, reason TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS activities (
    execution TEXT NOT NULL, task INTEGER NOT NULL, instance TEXT NOT NULL, name TEXT NOT NULL, input TEXT,
    due TEXT NOT NULL, PRIMARY KEY (execution, task));
CREATE TABLE IF NOT EXISTS timers (
    execution TEXT NOT NULL, task INTEGER NOT NULL, instance TEXT NOT NULL, fire_at TEXT NOT NULL, due TEXT NOT NULL,
    PRIMARY KEY (execution, task));
CREATE INDEX IF NOT EXISTS timers_by_time ON timers (due);
PRAGMA user_version = {_SCHEMA_VERSION};
"""

_NEXT_MOMENT = """
SELECT min(due) FROM (
    SELECT due FROM inbox UNION ALL SELECT due FROM starts UNION ALL SELECT due FROM terminations
    UNION ALL SELECT due FROM timers UNION ALL SELECT due FROM activities)
WHERE due > ?
"""

ACTIVE = ("Pending", "Running")


@dataclass(frozen=True)
class Parent:
    """Who waits for a sub-orchestration: the instance, its execution, and the task in it."""

    instance_id: str
    execution: str
    task_id: int


@dataclass(frozen=True)
class Instance:
    """An orchestration instance. `execution` is new for each history under the same id; times are protocol timestamps.

    `created` is when the present history began, as on Azure: it begins again with each continue-as-new.
    """

    id: str
    execution: str
    name: str
    version: str | None
    status: str
    input_json: str | None
    output_json: str | None
    custom_status_json: str | None
    created: str
    updated: str
    parent: Parent | None

    @property
    def is_active(self) -> bool:
        """Whether it has not ended."""
        return self.status in ACTIVE


@dataclass(frozen=True)
class Start:
    """An instance that is to begin. Without a `version` of its own it gets the host's."""

    instance_id: str
    name: str
    input_json: str | None
    version: str | None = None
    parent: Parent | None = None


@dataclass(frozen=True)
class Activity:
    """A call of an activity that has not been answered."""

    instance_id: str
    execution: str
    task_id: int
    name: str
    input_json: str | None

    @property
    def key(self) -> tuple[str, int]:
        """What tells it from all others."""
        return self.execution, self.task_id


class StateUnusable(Exception):
    """The file cannot hold an engine's state. The text is one sentence: why, and what to do."""


class Store:
    """The state of one engine. `path` None keeps it in memory; a file is one engine's alone while it is open."""

    def __init__(self, path: Path | None = None) -> None:
        """Opens the file, or makes it.

        Raises:
            StateUnusable: when another engine has it open, or it is no such file.
        """
        with ExitStack() as opened:
            if path:
                opened.enter_context(_reserved(path))
            self._database = opened.enter_context(_prepared(path))
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Closes the file."""
        self._opened.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes made inside happen, or none."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def create(self, start: Start, version: str | None, now: datetime) -> Instance:
        """A new pending instance of this version; of an earlier one under the same id nothing is left."""
        self.remove(start.instance_id)
        id_, moment, parent = start.instance_id, timestamp(now), start.parent
        row = (id_, uuid.uuid4().hex, start.name, version, "Pending", start.input_json, None, None, moment, moment)
        about_parent = (parent.instance_id, parent.execution, parent.task_id) if parent else (None, None, None)
        self._database.execute(f"INSERT INTO instances VALUES ({', '.join('?' * 13)})", row + about_parent)
        return Instance(*row, parent)

    def remove(self, id_: str) -> bool:
        """Forgets the instance, but for activities that were to be called; whether there was one."""
        instance = self.find(id_)
        if instance is None:
            return False
        self._drop_execution(instance)
        self._database.execute("DELETE FROM instances WHERE id = ?", (id_,))
        return True

    def find(self, id_: str) -> Instance | None:
        """The instance of this id."""
        row = self._database.execute("SELECT * FROM instances WHERE id = ?", (id_,)).fetchone()
        return _instance(row) if row else None

    def instances(self) -> list[Instance]:
        """All instances, the oldest first."""
        return [_instance(row) for row in self._database.execute("SELECT * FROM instances ORDER BY created, rowid")]

    def history(self, execution: str) -> list[Event]:
        """The events of one execution."""
        rows = self._database.execute("SELECT event FROM history WHERE execution = ? ORDER BY position", (execution,))
        return [json.loads(event) for (event,) in rows]

    def append(self, execution: str, position: int, events: Sequence[Event]) -> None:
        """Appends to an execution's history of `position` events."""
        rows = [(execution, position + offset, json.dumps(event)) for offset, event in enumerate(events)]
        self._database.executemany("INSERT INTO history VALUES (?, ?, ?)", rows)

    def show(self, instance: Instance, status: str, custom_status: str | None, now: datetime) -> None:
        """Sets status and custom status."""
        self._database.execute(
            "UPDATE instances SET status = ?, custom_status = ?, updated = ? WHERE id = ? AND execution = ?",
            (status, custom_status, timestamp(now), instance.id, instance.execution),
        )

    def end(self, instance: Instance, status: str, output: str | None, now: datetime) -> None:
        """Ends the instance: what was under way for it will reach nobody. Activities are called nevertheless."""
        for table in ("inbox", "timers"):
            self._database.execute(f"DELETE FROM {table} WHERE execution = ?", (instance.execution,))
        self._database.execute(
            "UPDATE instances SET status = ?, output = ?, updated = ? WHERE id = ? AND execution = ?",
            (status, output, timestamp(now), instance.id, instance.execution),
        )

    def renew(self, instance: Instance, input_json: str, now: datetime) -> Instance:
        """The instance with an empty history and a new input: continued as new."""
        self._drop_execution(instance)
        execution = uuid.uuid4().hex
        self._database.execute(
            "UPDATE instances SET execution = ?, input = ?, created = ?, updated = ? WHERE id = ?",
            (execution, input_json, timestamp(now), timestamp(now), instance.id),
        )
        renewed = self.find(instance.id)
        assert renewed is not None
        return renewed

    def deliver(self, instance_id: str, execution: str, event: Event, due: datetime) -> None:
        """Puts the event into the instance's inbox, if that execution of it still runs. It is there when it is due."""
        instance = self.find(instance_id)
        if instance and instance.execution == execution and instance.is_active:
            row = (timestamp(due), instance_id, execution, json.dumps(event))
            self._database.execute("INSERT INTO inbox (due, instance, execution, event) VALUES (?, ?, ?, ?)", row)

    def waiting(self, now: datetime) -> Iterator[Instance]:
        """The instances that events wait for, the one whose event has waited longest first."""
        rows = self._database.execute(
            "SELECT instance FROM inbox WHERE due <= ? GROUP BY instance ORDER BY min(number)", (timestamp(now),)
        )
        return (instance for (id_,) in rows.fetchall() if (instance := self.find(id_)))

    def take_inbox(self, execution: str, now: datetime) -> list[Event]:
        """The execution's events that are there by now, in their order, which leave the inbox."""
        taken = (execution, timestamp(now))
        rows = self._database.execute(
            "SELECT event FROM inbox WHERE execution = ? AND due <= ? ORDER BY due, number", taken
        )
        events = [json.loads(event) for (event,) in rows]
        self._database.execute("DELETE FROM inbox WHERE execution = ? AND due <= ?", taken)
        return events

    def add_start(self, start: Start, due: datetime) -> None:
        """A sub-orchestration is to begin."""
        assert start.parent is not None
        parent = (start.parent.instance_id, start.parent.execution, start.parent.task_id)
        row = (timestamp(due), start.instance_id, start.name, start.input_json, start.version, *parent)
        self._database.execute(
            "INSERT INTO starts (due, instance, name, input, version, parent, parent_execution, parent_task)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            row,
        )

    def take_starts(self, now: datetime) -> list[Start]:
        """The sub-orchestrations that are to begin by now, in their order; they leave the store."""
        rows = self._take("starts", "instance, name, input, version, parent, parent_execution, parent_task", now)
        return [Start(id_, name, input_, version, Parent(*parent)) for id_, name, input_, version, *parent in rows]

    def add_termination(self, instance_id: str, reason: str, due: datetime) -> None:
        """The instance is to end."""
        row = (timestamp(due), instance_id, reason)
        self._database.execute("INSERT INTO terminations (due, instance, reason) VALUES (?, ?, ?)", row)

    def take_terminations(self, now: datetime) -> list[tuple[str, str]]:
        """The ids of instances that are to end by now, each with the reason; they leave the store."""
        return self._take("terminations", "instance, reason", now)

    def add_activity(self, activity: Activity, due: datetime) -> None:
        """An activity is to be called when it is due."""
        row = (*activity.key, activity.instance_id, activity.name, activity.input_json, timestamp(due))
        self._database.execute("INSERT INTO activities VALUES (?, ?, ?, ?, ?, ?)", row)

    def hold(self, activity: Activity, until: datetime) -> None:
        """The activity is called by someone: it is to be called again only then, if it has not been answered."""
        changed = (timestamp(until), *activity.key)
        self._database.execute("UPDATE activities SET due = ? WHERE execution = ? AND task = ?", changed)

    def remove_activity(self, activity: Activity) -> None:
        """The activity was answered."""
        self._database.execute("DELETE FROM activities WHERE execution = ? AND task = ?", activity.key)

    def activities(self, now: datetime) -> list[Activity]:
        """The calls that are not answered and that nobody is held to answer by now, the oldest first."""
        rows = self._database.execute(
            "SELECT instance, execution, task, name, input FROM activities WHERE due <= ? ORDER BY rowid",
            (timestamp(now),),
        )
        return [Activity(*row) for row in rows]

    def add_timer(self, instance: Instance, task_id: int, fire_at: str, due: datetime) -> None:
        """A timer that was set to `fire_at` is to fire when it is due."""
        row = (instance.execution, task_id, instance.id, fire_at, timestamp(due))
        self._database.execute("INSERT INTO timers VALUES (?, ?, ?, ?, ?)", row)

    def cancel_timer(self, instance: Instance, task_id: int) -> None:
        """The timer is not to fire."""
        self._database.execute("DELETE FROM timers WHERE execution = ? AND task = ?", (instance.execution, task_id))

    def take_timers(self, now: datetime) -> list[tuple[str, str, int, str]]:
        """Instance, execution, task and set time of the timers that are due, in their order; they leave the store."""
        return self._take("timers", "instance, execution, task, fire_at", now)

    def next_moment(self, now: datetime) -> datetime | None:
        """When something is due next, after now."""
        (due,) = self._database.execute(_NEXT_MOMENT, (timestamp(now),)).fetchone()
        return datetime.fromisoformat(due) if due else None

    def _take(self, table: str, columns: str, now: datetime) -> list[Any]:
        moment = (timestamp(now),)
        rows = self._database.execute(f"SELECT {columns} FROM {table} WHERE due <= ? ORDER BY due, rowid", moment)
        taken = rows.fetchall()
        self._database.execute(f"DELETE FROM {table} WHERE due <= ?", moment)
        return taken

    def _drop_execution(self, instance: Instance) -> None:
        for table in ("history", "inbox", "timers"):
            self._database.execute(f"DELETE FROM {table} WHERE execution = ?", (instance.execution,))


@contextmanager
def _reserved(path: Path) -> Iterator[None]:
    """Keeps other engines from the file, until the end of the context or of the process, whatever ends that.

    A lock on the file itself would keep those out too who only want to read it.
    """
    with ExitStack() as held:
        try:
            lock = held.enter_context(closing(_connected(f"{path}-lock", patience=0)))
            # Nothing is ever written to it, so it needs no journal, which a killed process would leave behind.
            lock.execute("PRAGMA journal_mode = OFF")
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as fault:
            raise _unusable(path, fault) from None
        yield


@contextmanager
def _prepared(path: Path | None) -> Iterator[sqlite3.Connection]:
    with ExitStack() as opened:
        try:
            database = opened.enter_context(closing(_connected(path or ":memory:")))
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            _require_schema(path, database)
            database.executescript(_SCHEMA)
        except sqlite3.DatabaseError as fault:
            raise _unusable(path, fault) from None
        yield database


def _require_schema(path: Path | None, database: sqlite3.Connection) -> None:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and version != _SCHEMA_VERSION:
        raise StateUnusable(f"{path} was not written by this release: give another file with --state.")


def _connected(path: Path | str, patience: float = 5) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)


def _unusable(path: Path | None, fault: sqlite3.DatabaseError) -> StateUnusable:
    if fault.sqlite_errorcode == sqlite3.SQLITE_BUSY:
        return StateUnusable(f"Another host works on {path}: end it, or give another file with --state.")
    return StateUnusable(f"{path} cannot hold the durable state ({fault}): give another file with --state.")


def _instance(row: Sequence[Any]) -> Instance:
    parent = Parent(*row[-3:]) if row[-1] is not None else None
    return Instance(*[*row[:-3], parent])
