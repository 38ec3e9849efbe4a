"""Microsoft's Durable extension, with its Azure Storage backend, in the place of the local engine."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from local.extension.door import Door
from local.extension.program import GUARD, Program, running_program
from local.functions import Functions
from local.serving import listen, serving, url_of

START_SECONDS = 60.0
"""Seconds that the extension has to start, which takes it two to four where its storage answers."""

STORAGE = "AzureWebJobsStorage"


class ExtensionUnusable(Exception):
    """The extension cannot be started, or has ended by itself; the message says why."""


class MicrosoftExtension:
    """The program of tests/extension, run beside this process. Its state lies in the storage account that it is given.

    `script_root` is the folder of host.json, `settings` are the app's, `AzureWebJobsStorage` among them.
    """

    def __init__(
        self, program: Path, script_root: Path, settings: Mapping[str, str], start_seconds: float = START_SECONDS
    ) -> None:
        self._program = program.absolute()
        self._script_root = script_root
        self._settings = settings
        self._start_seconds = start_seconds

    @asynccontextmanager
    async def running(self, functions: Functions) -> AsyncIterator[str]:
        """Runs the program while the context is open; yields the JSON that Durable clients are made from.

        Raises:
            ExtensionUnusable: when it cannot start; also, in the middle of the context, when it ends by itself.
        """
        self._require_usable()
        bound = listen()
        door = Door(functions)
        try:
            async with (
                serving(door.app, [bound]),
                running_program(self._program, self._environment(url_of(bound))) as program,
                asyncio.TaskGroup() as group,
            ):
                watching = group.create_task(_watch(program))
                yield await self._started(door)
                watching.cancel()
        except BaseExceptionGroup as faults:
            unusable, _ = faults.split(ExtensionUnusable)
            raise (unusable.exceptions[0] if unusable else faults) from None

    def _require_usable(self) -> None:
        if shutil.which(GUARD) is None:
            raise ExtensionUnusable(f"The Durable extension needs Linux: {GUARD}, of util-linux, is not there.")
        if not os.access(self._program, os.X_OK) or not self._program.is_file():
            raise ExtensionUnusable(f"{self._program} is no program: `make extension` gets the Durable extension.")
        if not any(self._settings.get(name) for name in self._settings if name.split("__")[0] == STORAGE):
            raise ExtensionUnusable(f"{STORAGE} is required: the Durable extension keeps its state there.")

    def _environment(self, door_url: str) -> dict[str, str]:
        direct = [self._settings.get("NO_PROXY", ""), "127.0.0.1", "localhost"]
        return dict(self._settings) | {
            "AzureWebJobsScriptRoot": str(self._script_root),
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "FRONT_URL": door_url,
            "NO_PROXY": ",".join(filter(None, direct)),
        }

    async def _started(self, door: Door) -> str:
        try:
            async with asyncio.timeout(self._start_seconds):
                return await door.client_binding
        except TimeoutError:
            raise ExtensionUnusable(
                f"The Durable extension has not started within {self._start_seconds:g} seconds: "
                f"the log says why, most likely that the storage account in {STORAGE} does not answer."
            ) from None


async def _watch(program: Program) -> None:
    raise ExtensionUnusable(f"The Durable extension has ended by itself: {await program.ended()}")
