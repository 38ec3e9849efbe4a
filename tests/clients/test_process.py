"""The clients of a process: made at first need, once."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.making import make_clients
from clients.process import clients, close_clients
from failures import LandingRefused
from settings import Settings, SettingsError, configured
from tests.activities.conftest import BASE_URL

ROOT = Path(__file__).parents[2]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A process whose settings name a landing folder that is not there yet."""
    folder = tmp_path / "mount" / "landed"
    monkeypatch.setenv("GRAPH_BASE_URL", BASE_URL)
    monkeypatch.setenv("GRAPH_STATIC_TOKEN", "emulator-token")
    monkeypatch.setenv("LANDING_URL", folder.as_uri())
    configured.cache_clear()
    yield folder
    configured.cache_clear()


def test_clients_are_made_once_and_their_zone_is_prepared(environment: Path) -> None:
    """All activities of a process share their connections, and whoever gets them finds the landing zone ready."""

    async def scenario() -> None:
        first, *others = await asyncio.gather(*(_prepared(environment) for _ in range(8)))
        assert all(other is first for other in others)
        await close_clients()

    asyncio.run(scenario())


async def _prepared(folder: Path) -> object:
    made = await clients()
    assert folder.is_dir()
    return made


def test_a_zone_that_could_not_be_prepared_is_prepared_by_the_next_call(environment: Path) -> None:
    """A landing zone that was away for a moment does not spoil the process for good."""

    async def scenario() -> None:
        environment.parent.write_text("not mounted yet")
        with pytest.raises(LandingRefused):
            await clients()
        environment.parent.unlink()
        await clients()
        assert environment.is_dir()
        await close_clients()

    asyncio.run(scenario())


def test_clients_can_be_closed_and_made_again(environment: Path) -> None:
    """A host that stops leaves no connection behind; the next need makes new ones."""

    async def scenario() -> None:
        first = await clients()
        await close_clients()
        await close_clients()
        assert await clients() is not first
        await close_clients()

    asyncio.run(scenario())


def test_settings_that_cannot_be_used_are_told_at_first_need(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is read at import; the first activity names every fault."""
    monkeypatch.setenv("LANDING_URL", "ftp://x")
    with pytest.raises(SettingsError, match="LANDING_URL"):
        asyncio.run(clients())


def test_clients_for_azure_ask_for_no_credential_before_it_is_needed() -> None:
    """Making clients sends nothing and looks for no identity, so a cold start costs no request."""
    settings = Settings.from_mapping(
        {"LANDING_URL": "file:///landed", "GRAPH_BASE_URL": "https://graph.microsoft.com/beta"}
    )

    async def scenario() -> None:
        await make_clients(settings).close()

    asyncio.run(scenario())


def test_what_only_activities_need_is_not_imported_with_the_app() -> None:
    """Every scale-out pays for the import, also one that only starts a run or plays an orchestration."""
    heavy = "{'httpx', 'azure.storage', 'azure.identity', 'duckdb'}"
    check = f"import sys, function_app; sys.exit(str({heavy} & sys.modules.keys() or ''))"
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.stderr.strip() == ""
