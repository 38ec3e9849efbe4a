"""Runs Azurite, Microsoft's storage emulator, as a process of its own: for tests and benchmarks."""

import base64
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAM = Path(__file__).parent.parent / "node_modules" / ".bin" / "azurite-blob"
KEY = base64.b64encode(b"a key of this machine").decode()
"""Of all accounts; it opens nothing but an Azurite on loopback."""


@dataclass(frozen=True)
class Azurite:
    """A running Azurite with two accounts: `source`, which blobs are read from, and `landing`, where they land."""

    port: int
    pid: int | None = None

    @property
    def source_connection_string(self) -> str:
        """What a client needs to use the account that blobs are read from."""
        return self._connection_string("source")

    @property
    def landing_connection_string(self) -> str:
        """What a client needs to use the account where blobs land."""
        return self._connection_string("landing")

    @property
    def source_account_url(self) -> str:
        """The base URL of the account that blobs are read from."""
        return self._url("source")

    @property
    def landing_account_url(self) -> str:
        """The base URL of the account where blobs land."""
        return self._url("landing")

    def _url(self, account: str) -> str:
        return f"http://127.0.0.1:{self.port}/{account}"

    def _connection_string(self, account: str) -> str:
        endpoint = f"BlobEndpoint={self._url(account)}"
        return f"DefaultEndpointsProtocol=http;AccountName={account};AccountKey={KEY};{endpoint};"


@contextmanager
def running_azurite(*where: str) -> Iterator[Azurite]:
    """Azurite's blobs on a free port; `where` are the flags that say where it keeps its data.

    Raises:
        RuntimeError: when it does not start.
    """
    with _running(PROGRAM, ["--blobPort", "0", *where], ["source", "landing"]) as process:
        yield Azurite(_port(process), process.pid)


@contextmanager
def running_host_storage() -> Iterator[str]:
    """Azurite's blobs, queues and tables, in memory: the connection string of a Functions host's own account.

    Raises:
        RuntimeError: when it does not start.
    """
    ports = ["--blobPort", "0", "--queuePort", "0", "--tablePort", "0"]
    with _running(PROGRAM.with_name("azurite"), [*ports, "--inMemoryPersistence"], ["host"]) as process:
        # They start in this order.
        endpoints = [f"{name}Endpoint=http://127.0.0.1:{_port(process)}/host" for name in ("Blob", "Queue", "Table")]
        yield ";".join(["DefaultEndpointsProtocol=http", "AccountName=host", f"AccountKey={KEY}", *endpoints])


@contextmanager
def _running(program: Path, flags: Sequence[str], accounts: Sequence[str]) -> Iterator["subprocess.Popen[str]"]:
    command = [str(program), "--silent", "--skipApiVersionCheck", "--disableTelemetry", *flags]
    environment = os.environ | {"AZURITE_ACCOUNTS": ";".join(f"{account}:{KEY}" for account in accounts)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=30)


def _port(process: "subprocess.Popen[str]") -> int:
    """The port that is announced next."""
    for line in process.stdout or ():
        found = re.search(r"successfully listen(?:s on|ing at) http://127\.0\.0\.1:(\d+)", line)
        if found:
            return int(found[1])
    raise RuntimeError("Azurite did not start: `make test` and `make bench` install it (Node is needed).")
