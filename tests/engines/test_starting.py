"""Starting orchestrations, and reading what becomes of them."""

import json
from typing import Any

import pytest

from tests.engines.hub import Hub, moment
from tests.engines.orchestrations import gates


@pytest.mark.parametrize("value", [None, "", "grün", "2026-10-01T00:00:00Z", 0, 1.5, True, [], {"a": ["b", None]}])
def test_input_and_output_are_any_json(hub: Hub, id_: str, value: Any) -> None:
    """What was given is what the orchestration reads, and what it answers is what is shown; its input as text."""
    assert hub.run("answer", id_, value) == value
    assert json.loads(hub.read(id_).json()["input"]) == value


def test_a_start_is_accepted_and_shown(hub: Hub, id_: str) -> None:
    """202 with the id, then the status: 202 while it runs, 200 when it has ended."""
    started = hub.start("relay", id_, ["wait_at", id_])
    assert (started.status_code, started.json()["id"]) == (202, id_)
    gates.reached(id_)
    running = hub.shows(id_, "Running")
    assert hub.read(id_).status_code == 202
    assert (running["name"], running["instanceId"], running["output"]) == ("relay", id_, None)
    gates.open(id_)
    ended = hub.ended(id_)
    assert hub.read(id_).status_code == 200
    assert (ended["runtimeStatus"], ended["output"]) == ("Completed", id_)
    assert ended["createdTime"] == running["createdTime"]
    assert moment(ended["createdTime"]) <= moment(ended["lastUpdatedTime"])


def test_times_are_shown_in_whole_seconds(hub: Hub, id_: str) -> None:
    """Whoever orders by them needs something else beside."""
    hub.run("answer", id_)
    shown = hub.read(id_).json()
    assert [moment(shown[name]).microsecond for name in ("createdTime", "lastUpdatedTime")] == [0, 0]


def test_an_id_that_is_running_is_not_started_again(hub: Hub, id_: str) -> None:
    """409, and the first run goes on undisturbed."""
    hub.start("relay", id_, ["wait_at", id_])
    gates.reached(id_)
    assert hub.start("answer", id_, "second").status_code == 409
    gates.open(id_)
    assert hub.output(id_) == id_


def test_an_id_that_has_ended_is_free(hub: Hub, id_: str) -> None:
    """Of the earlier run nothing is shown."""
    hub.run("answer", id_, "first")
    assert hub.run("relay", id_, ["echo", "second"]) == "second"
    assert hub.read(id_).json()["name"] == "relay"


def test_an_unknown_orchestrator_is_accepted_and_fails(hub: Hub, id_: str) -> None:
    """Who starts it is told nothing; the instance says why."""
    assert hub.start("nobody", id_).status_code == 202
    ended = hub.ended(id_)
    assert ended["runtimeStatus"] == "Failed"
    assert "nobody" in ended["output"]


def test_an_unknown_id_is_not_found(hub: Hub, id_: str) -> None:
    """Whatever is asked of it."""
    asked = [hub.read(id_), hub.terminate(id_), hub.tell(id_, "go"), hub.purge(id_)]
    assert [answer.status_code for answer in asked] == [404, 404, 404, 404]


def test_what_an_orchestration_says_is_shown_while_it_runs(hub: Hub, id_: str) -> None:
    """Its custom status is any JSON."""
    hub.start("say", id_, {"phase": "copying", "done": [1, 2]})
    hub.says(id_, {"phase": "copying", "done": [1, 2]})
    hub.tell(id_, "go")
    assert hub.ended(id_)["customStatus"] == {"phase": "copying", "done": [1, 2]}
