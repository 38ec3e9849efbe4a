"""A host that is killed in the middle of copying."""

from pathlib import Path

from local.running import host, until
from tests.e2e.conftest import World


def test_a_killed_host_goes_on_where_it_was(world: World, tmp_path: Path) -> None:
    """With a state file, the same export finishes after a restart, without being posted again."""
    world.gate.hold_after(3)
    state = tmp_path / "state.sqlite"
    with host(world.settings, tmp_path, state) as app:
        location = app.post()
        until(lambda: len(world.gate.held) >= 3, "three blobs have landed, the others are being copied")
        app.kill()
    assert not list(world.landing.rglob("_SUCCESS"))
    world.gate.open()
    with host(world.settings, tmp_path, state) as app:
        status = app.ended(location)
    assert status["state"] == "succeeded"
    assert world.posts() == 1
    assert len(list(world.landing.rglob("_SUCCESS"))) == 1


def test_what_had_landed_before_a_kill_is_not_copied_again(world: World, tmp_path: Path) -> None:
    """Without a state file, the export that is posted again copies only what is missing."""
    world.gate.hold_after(3)
    with host(world.settings, tmp_path) as app:
        app.post()
        until(lambda: len(world.gate.held) == 3, "the other three blobs have been asked for")
        until(lambda: len(list(world.landing.rglob("part-*"))) == 3, "three blobs have landed")
        app.kill()
    world.gate.open()
    landed = [path.name for path in world.landing.rglob("part-*")]
    until(lambda: len(world.gate.passed) == 6, "the requests of the killed host have been let go")
    world.gate.passed.clear()
    with host(world.settings, tmp_path) as app:
        assert app.export()["state"] == "succeeded"
    copied = [Path(path).name for path in world.gate.passed]
    assert len(copied) == 3
    assert not set(copied) & set(landed)
