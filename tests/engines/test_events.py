"""External events: what is told to an orchestration from outside."""

import json

import pytest

from tests.engines.hub import Hub
from tests.engines.orchestrations import gates

# The SDK warns of each event that comes before its wait.
pytestmark = pytest.mark.filterwarnings("ignore:Potential duplicate Task completion")

TOLD = json.dumps("now")
"""What an orchestration reads of the event: the SDK's client encodes it twice, and its executor decodes it once."""


def test_an_event_that_is_awaited_wakes_the_orchestration(hub: Hub, id_: str) -> None:
    """202, and the orchestration reads what it was told."""
    hub.start("await_event", id_, "go")
    hub.says(id_, "waiting")
    assert hub.tell(id_, "go", "now").status_code == 202
    assert hub.output(id_) == TOLD


def test_an_event_that_comes_before_its_wait_is_kept(hub: Hub, id_: str) -> None:
    """Nobody needs to know how far an orchestration is."""
    hub.start("await_two_events", id_, id_)
    gates.reached(id_)
    assert hub.tell(id_, "go", "now").status_code == 202
    gates.open(id_)
    hub.says(id_, "one more")
    assert hub.tell(id_, "go", "now").status_code == 202
    assert hub.output(id_) == [TOLD, TOLD]


def test_an_event_that_comes_with_the_wait_is_taken(hub: Hub, id_: str) -> None:
    """Told in the very moment in which the orchestration begins to wait, it is neither lost nor taken twice."""
    hub.start("await_two_events", id_, id_)
    gates.reached(id_)
    gates.open(id_)
    hub.tell(id_, "go", "now")
    hub.says(id_, "one more")
    assert hub.read(id_).json()["runtimeStatus"] == "Running"
    hub.tell(id_, "go", "now")
    assert hub.output(id_) == [TOLD, TOLD]


def test_an_event_that_wins_against_a_timer(hub: Hub, id_: str) -> None:
    """The timer, cancelled, keeps nobody waiting."""
    hub.start("event_or_timer", id_, 3600)
    hub.says(id_, "waiting")
    hub.tell(id_, "go", "now")
    assert hub.output(id_) == TOLD


def test_an_event_that_comes_too_late(hub: Hub, id_: str) -> None:
    """The timer won; what has ended cannot be told anything: 410."""
    assert hub.run("event_or_timer", id_, 1) == "too late"
    assert hub.tell(id_, "go", "now").status_code == 410


def test_names_are_compared_with_case(hub: Hub, id_: str) -> None:
    """Another spelling is another event, which nobody waits for here."""
    hub.start("await_event", id_, "go")
    hub.says(id_, "waiting")
    assert hub.tell(id_, "GO", "not this").status_code == 202
    assert hub.tell(id_, "go", "now").status_code == 202
    assert hub.output(id_) == TOLD


def test_an_event_for_the_next_history(hub: Hub, id_: str) -> None:
    """An orchestration that waits again and again as new hears of an event in one of its waits."""
    hub.start("tick", id_, 0)
    hub.says(id_, 2)
    hub.tell(id_, "stop", "now")
    told, ticks = hub.output(id_)
    assert told == TOLD
    assert ticks >= 2


def test_an_event_is_json(hub: Hub, id_: str) -> None:
    """Anything else is refused: 400."""
    hub.start("await_event", id_, "go")
    hub.says(id_, "waiting")
    assert hub.tell_text(id_, "go", "now").status_code == 400
    hub.tell(id_, "go", "now")
    hub.ended(id_)
