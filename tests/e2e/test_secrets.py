"""No secret of a run stands anywhere but in the requests that need it."""

from pathlib import Path

from local.running import host
from tests.e2e.conftest import World


def test_no_secret_leaves_an_activitys_memory(world: World, tmp_path: Path) -> None:
    """SAS signatures and bearer token are in no answer, state file, log (at debug level) or landed file."""
    state = tmp_path / "state.sqlite"
    with host(world.settings, tmp_path, state, log_level="debug") as app:
        succeeded = app.call("GET", app.post()).text + str(app.export())
        failed = str(app.export("G000000042"))
        listed = app.call("GET", "/api/exports").text
    files = [app.log, *tmp_path.glob("state.sqlite*"), *(path for path in world.landing.rglob("*") if path.is_file())]
    texts = {"answers": (succeeded + failed + listed).encode()} | {str(path): path.read_bytes() for path in files}
    secrets = [secret.encode() for secret in world.emulator.signatures] + [b"emulator-token"]
    assert len(secrets) > 2
    assert b"HTTP Request: GET" in texts[str(app.log)]
    assert [(place, secret) for place, text in texts.items() for secret in secrets if secret in text] == []
