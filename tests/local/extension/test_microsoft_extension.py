"""The extension in the place of the local engine: ready, ended, unusable."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

import azure.durable_functions as df
import pytest

from local.extension import ExtensionUnusable, MicrosoftExtension
from local.extension.program import GUARD
from local.functions import index
from tests.local.extension.conftest import ENVIRONMENT, Written

STORED = ENVIRONMENT | {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}

READY = """
import json, os, urllib.request
front = os.environ["FRONT_URL"]
told = {name: os.environ[name] for name in ("AzureWebJobsScriptRoot", "AzureWebJobsStorage", "NO_PROXY")}
told["functions"] = json.load(urllib.request.urlopen(front + "/_functions"))
urllib.request.urlopen(front + "/_client", json.dumps(told).encode())
"""
WAITS = "import threading; threading.Event().wait(60)"


def _binding(program: Path, settings: Mapping[str, str] = STORED, start_seconds: float = 30) -> str:
    """The client binding, once the extension is ready."""

    async def run() -> str:
        extension = MicrosoftExtension(program, Path("/app"), settings, start_seconds)
        async with extension.running(index(df.DFApp())) as binding:
            return binding

    return asyncio.run(run())


def test_the_program_is_told_where_everything_is(written: Written) -> None:
    """host.json, storage and door; and that loopback needs no proxy."""
    settings = STORED | {"NO_PROXY": "example.org"}
    assert json.loads(_binding(written(READY + WAITS), settings)) == {
        "functions": [],
        "AzureWebJobsScriptRoot": "/app",
        "AzureWebJobsStorage": "UseDevelopmentStorage=true",
        "NO_PROXY": "example.org,127.0.0.1,localhost",
    }


def test_a_program_that_ends_by_itself_ends_the_host(written: Written) -> None:
    """Without it no function would ever run, and nobody would know."""
    program = written(READY + "print('Unhandled exception. System.Exception: enough')")

    async def run() -> None:
        async with MicrosoftExtension(program, Path("/app"), STORED).running(index(df.DFApp())):
            await asyncio.sleep(60)

    with pytest.raises(ExtensionUnusable, match=r"has ended by itself: System\.Exception: enough"):
        asyncio.run(run())


def test_a_program_that_does_not_get_ready_is_given_up(written: Written) -> None:
    """As one whose storage does not answer."""
    with pytest.raises(ExtensionUnusable, match=r"not started within 0\.1 seconds.*AzureWebJobsStorage"):
        _binding(written(WAITS), start_seconds=0.1)


@pytest.mark.parametrize("missing", ["nowhere", "."])
def test_a_program_that_is_not_there_is_said_to_be(tmp_path: Path, missing: str) -> None:
    """With how to get it."""
    with pytest.raises(ExtensionUnusable, match="is no program: `make extension`"):
        _binding(tmp_path / missing)


@pytest.mark.parametrize("settings", [{}, {"AzureWebJobsStorage": ""}])
def test_storage_is_required(written: Written, settings: dict[str, str]) -> None:
    """The name of the setting is said."""
    with pytest.raises(ExtensionUnusable, match="AzureWebJobsStorage is required"):
        _binding(written(READY + WAITS), ENVIRONMENT | settings)


def test_storage_may_be_named_by_its_account(written: Written) -> None:
    """As on Azure, where no connection string is."""
    settings = STORED | {"AzureWebJobsStorage": "", "AzureWebJobsStorage__accountName": "account"}
    assert _binding(written(READY + WAITS), settings)


def test_a_machine_without_the_guard_is_told(written: Written, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Rather than to leave a program behind."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ExtensionUnusable, match=f"needs Linux: {GUARD}"):
        _binding(written(READY + WAITS))


def test_what_the_host_raises_is_not_hidden(written: Written) -> None:
    """A fault in the middle of the context is what comes out."""

    async def run() -> None:
        extension = MicrosoftExtension(written(READY + WAITS), Path("/app"), STORED)
        async with extension.running(index(df.DFApp())):
            raise LookupError("of the host's own")

    with pytest.RaisesGroup(pytest.RaisesExc(LookupError, match="own")):
        asyncio.run(run())
