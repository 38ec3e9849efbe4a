"""Which version an instance has, and which hosts play it."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from azure.durable_functions import DurableOrchestrationContext as Context

from local.engine import Options, Versions
from tests.local.engine.conftest import Lab


def version(context: Context) -> Any:
    return context.version


def _idle(lab: Lab) -> None:
    asyncio.run(lab.engine.run_until_idle())


def test_an_instance_has_the_version_that_it_was_started_with(lab: Lab) -> None:
    """Else that of the host, else none."""
    lab.options = Options(Versions("2"))
    lab.orchestrator(version)
    lab.engine.start("version", "given", None, "1")
    lab.engine.start("version", "default", None)
    _idle(lab)
    assert (lab.output("given"), lab.output("default")) == ("1", "2")


def test_without_a_default_an_instance_has_no_version(lab: Lab) -> None:
    """The history's first event says so, as the SDK wants it."""
    lab.orchestrator(version)
    lab.run("version")
    assert lab.output() is None


def test_a_child_has_the_hosts_version_or_its_own(lab: Lab) -> None:
    """It does not inherit its parent's."""

    def parent(context: Context) -> Any:
        default = yield context.call_sub_orchestrator("version")
        given = yield context.call_sub_orchestrator("version", version="1.5")
        return [context.version, default, given]

    lab.options = Options(Versions("2"))
    lab.orchestrator(parent)
    lab.orchestrator(version)
    lab.engine.start("parent", "one", None, "1")
    _idle(lab)
    assert lab.output() == ["1", "2", "1.5"]


def test_a_run_keeps_its_version_through_continue_as_new(reopened: Callable[[], Lab]) -> None:
    """Also on a host whose own version is another by then."""

    def twice(context: Context) -> Any:
        yield context.create_timer(context.current_utc_datetime + timedelta(hours=1))
        if context.get_input() == "first":
            context.continue_as_new("second")
            return None
        return context.version

    for default in ("1", "2"):
        lab = reopened()
        lab.options = Options(Versions(default))
        lab.orchestrator(twice)
        if default == "1":
            lab.engine.start("twice", "one", '"first"')
            lab.engine._do_what_is_due()
    _idle(lab)
    assert lab.output() == "1"


def test_a_history_that_begins_again_was_created_then(lab: Lab) -> None:
    """As on Azure, `createdTime` begins again with each continue-as-new."""
    start = lab.clock.now()

    def twice(context: Context) -> Any:
        if context.get_input() == "first":
            yield context.create_timer(context.current_utc_datetime + timedelta(hours=1))
            context.continue_as_new("second")

    lab.orchestrator(twice)
    assert lab.run("twice", "first").created == (start + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_an_instance_of_a_newer_version_waits_for_a_host_that_knows_it(reopened: Callable[[], Lab]) -> None:
    """The older host plays others meanwhile, and comes to rest."""
    lab = reopened()
    lab.options = Options(Versions("1.0"))
    lab.orchestrator(version)
    lab.engine.start("version", "newer", None, "2.0")
    lab.engine.start("version", "older", None)
    _idle(lab)
    assert lab.find("newer").status == "Pending"
    assert lab.output("older") == "1.0"

    lab = reopened()
    lab.options = Options(Versions("2.0"))
    lab.orchestrator(version)
    _idle(lab)
    assert lab.output("newer") == "2.0"


@pytest.mark.parametrize(
    ("match", "default", "accepted", "refused"),
    [
        ("CurrentOrOlder", "2.0", [None, "1.0", "1.9.9", "2.0"], ["2.1", "10.0", "3.0.0"]),
        ("CurrentOrOlder", "10.0", [None, "9.0", "10.0"], ["10.1"]),
        ("CurrentOrOlder", "2", [None, "1", "10", "2"], ["3"]),
        ("CurrentOrOlder", None, [None], ["1.0"]),
        ("Strict", "2.0", ["2.0"], [None, "1.0", "3.0"]),
        ("Strict", None, [None], ["1.0"]),
        ("None", "2.0", [None, "1.0", "3.0"], []),
    ],
)
def test_what_a_host_plays_depends_on_how_versions_must_match(
    match: str, default: str | None, accepted: list[str | None], refused: list[str | None]
) -> None:
    """Numbers with dots are compared as numbers, everything else as text: "10" comes before "2"."""
    versions = Versions(default, match)
    assert [v for v in [*accepted, *refused] if versions.accepts(v)] == accepted


def test_versions_are_read_from_host_json() -> None:
    """What it does not say is as the extension has it."""
    settings = {"defaultVersion": "2.0", "versionMatchStrategy": "Strict"}
    assert Versions.read({"extensions": {"durableTask": settings}}) == Versions("2.0", "Strict")
    assert Versions.read({"version": "2.0"}) == Versions(None, "CurrentOrOlder")
