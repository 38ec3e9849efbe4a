"""An engine for each test, with orchestrators of the test's own on a clock that jumps."""

import asyncio
import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import pytest

from local.engine import Clock, DurableEngine, Instance, Options, Store, VirtualClock
from local.functions import index


class Lab:
    """An app that a test puts together, and the engine that runs it. Functions are registered under their own names."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.options = Options()
        self.app = df.DFApp()

    def orchestrator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Registers an orchestrator."""
        self.app.orchestration_trigger(context_name="context")(function)
        return function

    def activity(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Registers an activity."""
        self.app.activity_trigger(input_name="message")(function)
        return function

    @functools.cached_property
    def engine(self) -> DurableEngine:
        """The engine; what is registered later is not known to it."""
        return DurableEngine(index(self.app), self.store, self.clock, options=self.options)

    def run(self, name: str, input_: Any = None, id_: str = "one") -> Instance:
        """Starts the orchestrator, works until nothing is under way any more, and tells how it ended."""

        async def start_and_work() -> None:
            self.engine.start(name, id_, json.dumps(input_))
            await self.engine.run_until_idle()

        asyncio.run(start_and_work())
        return self.find(id_)

    def find(self, id_: str = "one") -> Instance:
        """The instance of this id."""
        instance = self.store.find(id_)
        assert instance is not None
        return instance

    async def ended(self, id_: str = "one") -> None:
        """Returns when the instance has ended, which the engine has to bring about meanwhile."""
        for _ in range(10_000):
            if not self.find(id_).is_active:
                return
            await asyncio.sleep(0)
        raise AssertionError(f"{id_} does not end.")

    def output(self, id_: str = "one") -> Any:
        """What the instance returned."""
        instance = self.find(id_)
        assert instance.status == "Completed", instance.output_json
        return json.loads(instance.output_json or "null")


@pytest.fixture
def lab() -> Iterator[Lab]:
    """A lab with its state in memory."""
    store = Store()
    yield Lab(store, VirtualClock())
    store.close()


@pytest.fixture
def reopened(tmp_path: Path) -> Iterator[Callable[[], Lab]]:
    """Makes labs on one state file, each as the process after the last one that was killed."""
    stores: list[Store] = []

    def reopen() -> Lab:
        for store in stores:
            store.close()
        stores.append(Store(tmp_path / "state.sqlite"))
        return Lab(stores[-1], VirtualClock())

    yield reopen
    for store in stores:
        store.close()
