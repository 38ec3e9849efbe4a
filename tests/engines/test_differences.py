"""Where the two engines differ by choice: docs/durable-engine.md has the reasons."""

import pytest

from tests.engines.engine import Engine, LocalEngine
from tests.engines.hub import Hub


@pytest.mark.parametrize(("caller", "input_"), [("relay", ["nobody", None]), ("parent", ["nobody", None])])
def test_a_call_by_a_wrong_name(engine: Engine, hub: Hub, id_: str, caller: str, input_: list[str | None]) -> None:
    """The local engine tells the orchestrator; on the extension it waits for ever, and can only be ended."""
    hub.start(caller, id_, input_)
    if isinstance(engine, LocalEngine):
        assert hub.output(id_).startswith("raised: ")
    else:
        hub.shows(id_, "Running")
        hub.run("answer", f"{id_}-later")
        assert hub.shows(id_, "Running")["output"] is None
        hub.terminate(id_)
        assert hub.ended(id_)["runtimeStatus"] == "Terminated"


def test_a_timer_is_early_on_the_extension_only(engine: Engine, hub: Hub, id_: str) -> None:
    """By up to a second, for its queues count whole ones; the local engine does so where it is told to."""
    slept = hub.run("sleep", id_, 2)
    if isinstance(engine, LocalEngine):
        assert slept >= 2
    else:
        assert 1 <= slept < 2
