"""What is behind a host: its place in this process, or its part of the command line."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from local.engine import Options, Versions
from local.extension import MicrosoftExtension
from local.extension.microsoft_extension import STORAGE
from local.host import DurableExtension, LocalExtension
from local.running import ROOT, environment

DURABLE = "AzureFunctionsJobHost__extensions__durableTask__"


class Engine(Protocol):
    """An engine that hosts can be started on."""

    def extension(self, folder: Path, versions: Versions) -> DurableExtension:
        """With a new and empty hub, which may keep its state in the folder, and has such versions in its settings."""

    def host(self, folder: Path) -> tuple[Sequence[str], Mapping[str, str]]:
        """Arguments and settings of hosts that have one hub, which may keep its state in the folder."""


class LocalEngine:
    """The project's own, with its state in a file."""

    def extension(self, folder: Path, versions: Versions) -> DurableExtension:
        return LocalExtension(folder / "state.sqlite", Options(versions))

    def host(self, folder: Path) -> tuple[Sequence[str], Mapping[str, str]]:
        return ["--state", str(folder / "state.sqlite")], {}


@dataclass(frozen=True)
class MicrosoftEngine:
    """Microsoft's, with its state in the storage account that the connection string names."""

    program: Path
    connection_string: str

    def extension(self, folder: Path, versions: Versions) -> DurableExtension:
        named = {f"{DURABLE}defaultVersion": versions.default} if versions.default else {}
        match = {f"{DURABLE}versionMatchStrategy": versions.match}
        return MicrosoftExtension(self.program, ROOT, environment(self._settings() | match | named))

    def host(self, folder: Path) -> tuple[Sequence[str], Mapping[str, str]]:
        return ["--durable-extension", str(self.program)], self._settings()

    def _settings(self) -> dict[str, str]:
        return {
            STORAGE: self.connection_string,
            f"{DURABLE}hubName": f"Hub{uuid.uuid4().hex[:12]}",
            # It backs off to ten seconds otherwise, when nothing has happened for a while.
            f"{DURABLE}storageProvider__maxQueuePollingInterval": "00:00:00.2",
        }
