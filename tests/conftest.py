"""Fixtures that several rooms' tests share: Azurite as the real storage, and retries that do not wait."""

import os
from collections.abc import Iterator

import hypothesis
import pytest
import stamina

from local.azurite import Azurite, running_azurite
from local.running import forget_proxies

# In the loose mode the SDK warns of its own calls.
os.environ["AZURE_FUNCTIONS_DURABLE_STRICT_TYPING"] = "1"

forget_proxies()

# How long an example takes, or how long it takes to be made up, says something of the machine only.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Marks each test that uses Azurite, so that others can be run without it."""
    if isinstance(item, pytest.Function) and "azurite" in item.fixturenames:
        item.add_marker("azurite")


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """Azurite with its data in memory."""
    with running_azurite("--inMemoryPersistence") as running:
        yield running


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    """Retries happen at once: a test waits for no clock."""
    with stamina.set_testing(True, attempts=4):
        yield
