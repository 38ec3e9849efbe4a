"""Ending orchestrations from outside, in every phase."""

import pytest

from tests.engines.hub import Hub
from tests.engines.orchestrations import gates

PHASES = {"an event": ("await_event", "go"), "a timer": ("sleep", 3600), "either": ("event_or_timer", 3600)}


def _require_terminated(hub: Hub, id_: str) -> None:
    """It can be ended, and once it has ended it cannot be ended, told or made to go on."""
    assert hub.terminate(id_, "not needed").status_code == 202
    ended = hub.ended(id_)
    assert (ended["runtimeStatus"], ended["output"]) == ("Terminated", "not needed")
    assert [hub.terminate(id_).status_code, hub.tell(id_, "go").status_code] == [410, 410]


@pytest.mark.parametrize("phase", PHASES)
def test_while_it_waits_for(hub: Hub, id_: str, phase: str) -> None:
    """Whatever it waits for, it ends, with the reason as its output."""
    name, input_ = PHASES[phase]
    hub.start(name, id_, input_)
    until_says = "asleep" if name == "sleep" else "waiting"
    hub.says(id_, until_says)
    _require_terminated(hub, id_)
    assert hub.read(id_).json()["customStatus"] == until_says


def test_before_its_first_turn_is_seen(hub: Hub, id_: str) -> None:
    """One that was ended right after its start ends, whether or not it had begun."""
    hub.start("await_event", id_, "go")
    _require_terminated(hub, id_)


def test_while_an_activity_runs(hub: Hub, id_: str) -> None:
    """The activity goes on, and nobody hears of its result."""
    hub.start("relay", id_, ["wait_at", id_])
    gates.reached(id_)
    _require_terminated(hub, id_)
    gates.open(id_)
    assert hub.run("answer", f"{id_}-later") is None
    assert hub.read(id_).json()["runtimeStatus"] == "Terminated"


def test_the_result_of_a_terminated_run_never_reaches_the_next_one(hub: Hub, id_: str) -> None:
    """A new run under the same id gets its own activity's result, though the old one's comes first."""
    hub.start("relay", id_, ["wait_at", f"{id_}-first"])
    gates.reached(f"{id_}-first")
    _require_terminated(hub, id_)
    hub.start("relay", id_, ["wait_at", f"{id_}-second"])
    gates.reached(f"{id_}-second")
    gates.open(f"{id_}-first")
    assert hub.run("answer", f"{id_}-later") is None
    assert hub.read(id_).json()["runtimeStatus"] == "Running"
    gates.open(f"{id_}-second")
    assert hub.output(id_) == f"{id_}-second"


def test_children_go_on(hub: Hub, id_: str) -> None:
    """Whoever ends a parent has to end them, too."""
    hub.start("parent", id_, ["relay", ["wait_at", id_]])
    gates.reached(id_)
    _require_terminated(hub, id_)
    assert hub.read(f"{id_}:child").json()["runtimeStatus"] == "Running"
    gates.open(id_)
    assert hub.output(f"{id_}:child") == id_
    assert hub.read(id_).json()["runtimeStatus"] == "Terminated"


def test_a_parent_hears_of_its_childs_end(hub: Hub, id_: str) -> None:
    """As of a child that failed, with the reason."""
    hub.start("parent", id_, ["await_event", "go"])
    hub.says(f"{id_}:child", "waiting")
    _require_terminated(hub, f"{id_}:child")
    answer = hub.output(id_)
    assert answer.startswith("raised: ")
    assert "not needed" in answer


def test_while_it_continues_as_new_again_and_again(hub: Hub, id_: str) -> None:
    """It ends in whichever history it is."""
    hub.start("tick", id_, 0)
    hub.says(id_, 1)
    _require_terminated(hub, id_)
