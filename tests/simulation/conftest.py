"""Quiet: faults are what these tests consist of, and each would be logged. And quick."""

import functools
import logging
import sys
from collections.abc import Iterator

import pytest
from azure.durable_functions.models.history import HistoryEvent

from tests.simulation.remembered import remember_tables


@pytest.fixture(autouse=True)
def _no_log() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(autouse=True)
def _times_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK reads the times of a whole history at each step of it, which takes half of a simulation's time."""
    sdk = sys.modules[HistoryEvent.__module__]
    monkeypatch.setattr(sdk, "dt_parse", functools.lru_cache(10_000)(sdk.dt_parse))


@pytest.fixture
def remembered_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB makes once what is the same each time."""
    remember_tables(monkeypatch)
