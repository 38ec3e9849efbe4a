"""Versions: what a new instance gets, what it keeps, and which instances a host plays."""

from collections.abc import Iterator

import pytest

from local.engine import Versions
from tests.engines.conftest import opened
from tests.engines.engine import Engine
from tests.engines.hub import Hub


@pytest.fixture(scope="module", params=["2.0", "2"])
def versions(request: pytest.FixtureRequest) -> Versions:
    """A default version; instances of it and of older ones are played."""
    return Versions(request.param)


@pytest.fixture(scope="module")
def hub(engine: Engine, versions: Versions, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A task hub whose settings say so."""
    with opened(engine.extension(tmp_path_factory.mktemp("hub"), versions)) as hub:
        yield hub


def test_an_instance_has_the_version_that_it_was_started_with(hub: Hub, versions: Versions, id_: str) -> None:
    """Else the default of the settings."""
    assert hub.run("version", id_) == versions.default
    assert hub.start("version", f"{id_}-older", version="1.0").status_code == 202
    assert hub.output(f"{id_}-older") == "1.0"


def test_a_child_has_the_default_or_its_own(hub: Hub, versions: Versions, id_: str) -> None:
    """Whatever its parent has."""
    hub.start("versions_of_children", id_, "1.5", version="1.0")
    assert hub.output(id_) == [versions.default, "1.5"]


def test_a_version_is_kept_through_continue_as_new(hub: Hub, id_: str) -> None:
    """Also one that is not the default."""
    hub.start("version_after_continuing", id_, "first", version="1.0")
    assert hub.output(id_) == "1.0"


@pytest.mark.parametrize(("version", "refused_by"), [("3.0", {"2.0", "2"}), ("10.0", {"2.0"}), ("10", set())])
def test_a_newer_instance_waits(hub: Hub, versions: Versions, id_: str, version: str, refused_by: set[str]) -> None:
    """For a host that knows it, while others are played. Numbers with dots are compared as such, all else as text."""
    hub.start("version", id_, version=version)
    if versions.default in refused_by:
        hub.run("version", f"{id_}-meanwhile")
        assert hub.read(id_).json()["runtimeStatus"] == "Pending"
        hub.terminate(id_)
    else:
        assert hub.output(id_) == version
