"""What orchestrations do: activities, fan-out, timers, continuing as new, children."""

import pytest

from tests.engines.hub import Hub, moment
from tests.engines.orchestrations import gates

LONG = 100_000
"""Characters, which are more than the 64 KB that a queue's message holds."""


def test_a_hundred_activities_at_once(hub: Hub, id_: str) -> None:
    """Each result stands where its call was."""
    assert hub.run("fan_out", id_, 100) == list(range(100))


def test_a_failed_activity_can_be_caught(hub: Hub, id_: str) -> None:
    """The orchestrator reads what was raised, and goes on."""
    answer = hub.run("relay", id_, ["fail", "this"])
    assert answer.startswith("raised: ")
    assert "this does not work" in answer


def test_a_failed_activity_that_nobody_catches_fails_the_instance(hub: Hub, id_: str) -> None:
    """With its text, and what the orchestration had said last."""
    hub.start("strict", id_, "this")
    ended = hub.ended(id_)
    assert (ended["runtimeStatus"], ended["customStatus"]) == ("Failed", {"trying": "this"})
    assert "this does not work" in ended["output"]


def test_long_messages_go_everywhere(hub: Hub, id_: str) -> None:
    """Input, activity's input and result, child's input and result, output: all longer than a queue's message."""
    long = "ü" * LONG
    assert hub.run("parent", id_, ["relay", ["echo", long]]) == long
    assert hub.read(f"{id_}:child").json()["output"] == long


def test_a_long_result_of_a_short_message(hub: Hub, id_: str) -> None:
    """An activity may answer more than it was asked."""
    assert hub.run("relay", id_, ["long_text", LONG]) == "ü" * LONG


def test_a_timer_fires_about_when_it_is_due(hub: Hub, id_: str) -> None:
    """Up to a second early, which is why no wait may rely on it to the second."""
    assert 1 <= hub.run("sleep", id_, 2) < 15


def test_an_activity_wins_against_a_timer(hub: Hub, id_: str) -> None:
    """The timer, cancelled, keeps nobody waiting."""
    assert hub.run("sleep_or_echo", id_, 3600) == [True, "activity"]


def test_a_timer_wins_against_a_child(hub: Hub, id_: str) -> None:
    """The orchestrator goes on, but its instance runs until the child has ended, whose answer reaches nobody."""
    hub.start("sleep_or_wait", id_, id_)
    gates.reached(id_)
    hub.says(id_, "the timer won")
    assert hub.read(id_).json()["runtimeStatus"] == "Running"
    gates.open(id_)
    assert hub.output(id_) is True
    assert hub.output(f"{id_}:child") == id_


@pytest.mark.parametrize(
    ("ending", "status", "output"),
    [("return", "Completed", "returned"), ("raise", "Failed", None), ("continue", "Completed", "as new")],
)
def test_nothing_ends_while_a_task_of_its_is_open(
    hub: Hub, id_: str, ending: str, status: str, output: str | None
) -> None:
    """However the orchestrator ended: an activity that lost against a timer is waited for."""
    hub.start("leave_open", id_, [id_, ending])
    hub.says(id_, ending)
    assert hub.read(id_).json()["runtimeStatus"] == "Running"
    gates.open(id_)
    ended = hub.ended(id_)
    assert ended["runtimeStatus"] == status
    assert output is None or ended["output"] == output


def test_continuing_as_new_is_a_new_beginning(hub: Hub, id_: str) -> None:
    """The instance is listed as created when it last began, and with that input; the one before is not seen."""
    hub.start("sleep_and_continue", id_, 2)
    first = hub.shows(id_, "Running")
    ended = hub.ended(id_)
    assert moment(ended["createdTime"]) > moment(first["createdTime"])
    assert (first["input"], ended["input"]) == ("2", "0")


def test_continuing_as_new_begins_an_empty_history(hub: Hub, id_: str) -> None:
    """However often, the last history knows of one activity only, its own."""
    assert hub.run("count_down", id_, 4) == 1
    assert hub.read(id_).json()["input"] == "0"


def test_a_child_knows_its_parent(hub: Hub, id_: str) -> None:
    """It runs under the id that it was given, and answers its parent."""
    assert hub.run("parent", id_, ["who", None]) == [f"{id_}:child", id_]
    assert hub.run("who", f"{id_}-alone") == [f"{id_}-alone", None]


def test_a_failed_child_is_an_exception_in_its_parent(hub: Hub, id_: str) -> None:
    """Which can be caught, and has the child's text."""
    answer = hub.run("parent", id_, ["strict", "this"])
    assert answer.startswith("raised: ")
    assert "this does not work" in answer
    assert hub.read(f"{id_}:child").json()["runtimeStatus"] == "Failed"


def test_a_child_that_continues_as_new_answers_at_its_end(hub: Hub, id_: str) -> None:
    """The parent waits for the last of its histories."""
    assert hub.run("parent", id_, ["count_down", 2]) == 1


def test_twenty_children_at_once(hub: Hub, id_: str) -> None:
    """Each answers its parent."""
    assert hub.run("family", id_, 20) == [f"{id_}:{n}" for n in range(20)]


def test_an_activity_with_a_client_starts_and_reads_another_orchestration(hub: Hub, id_: str) -> None:
    """Its client is of the same hub."""
    assert hub.run("relay", id_, ["start_another", f"{id_}-other"]) == [f"{id_}-other", "from an activity"]
    assert hub.read(f"{id_}-other").json()["runtimeStatus"] == "Completed"
