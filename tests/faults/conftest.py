"""A bench for every test, which looks afterwards whether the invariants held."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from settings import configured
from tests.faults.bench import Bench


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Bench]:
    """A bench of its own, with everything logged."""
    for logger in ("", "azure", "httpx"):
        caplog.set_level(logging.DEBUG, logger)
    bench = Bench(tmp_path, monkeypatch, caplog)
    yield bench
    configured.cache_clear()
    bench.require_invariants()
