"""Fixtures that several rooms' tests share: Azurite as the real storage, and retries that do not wait."""

import base64
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import stamina

AZURITE = Path(__file__).parent.parent / "node_modules" / ".bin" / "azurite-blob"
KEY = base64.b64encode(b"a key for tests").decode()

# In the loose mode the SDK warns of its own calls.
os.environ["AZURE_FUNCTIONS_DURABLE_STRICT_TYPING"] = "1"


@dataclass(frozen=True)
class Azurite:
    """A running Azurite with two accounts: one that blobs are read from, one that they land in."""

    port: int

    @property
    def source_connection_string(self) -> str:
        return self._connection_string("source")

    @property
    def landing_connection_string(self) -> str:
        return self._connection_string("landing")

    @property
    def landing_account_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/landing"

    def _connection_string(self, account: str) -> str:
        endpoint = f"http://127.0.0.1:{self.port}/{account}"
        return f"DefaultEndpointsProtocol=http;AccountName={account};AccountKey={KEY};BlobEndpoint={endpoint};"


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """Azurite with its data in memory."""
    with running_azurite("--inMemoryPersistence") as running:
        yield running


@contextmanager
def running_azurite(*where: str) -> Iterator[Azurite]:
    """Azurite on a free port; `where` are the flags that say where it keeps its data."""
    flags = ["--silent", "--skipApiVersionCheck", "--disableTelemetry", "--blobPort", "0", *where]
    accounts = {"AZURITE_ACCOUNTS": f"source:{KEY};landing:{KEY}"}
    with subprocess.Popen(
        [str(AZURITE), *flags], env=os.environ | accounts, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Azurite(_port(process))
        finally:
            process.terminate()
            process.communicate(timeout=30)


def _port(process: "subprocess.Popen[str]") -> int:
    assert process.stdout is not None
    for line in process.stdout:
        found = re.search(r"successfully listens on http://127\.0\.0\.1:(\d+)", line)
        if found:
            return int(found[1])
    raise AssertionError("Azurite did not start: run `make test`, which installs it.")


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    """Retries happen at once: a test waits for no clock."""
    with stamina.set_testing(True, attempts=4):
        yield
