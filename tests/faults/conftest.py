"""A bench for every test, which looks afterwards whether the invariants held."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from local.azurite import Azurite
from settings import configured
from tests.faults.bench import Bench
from tests.faults.container_bench import ContainerBench

AnyBench = TypeVar("AnyBench", bound=Bench)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Bench]:
    """A bench of its own, with everything logged."""
    yield from _until_invariants_held(Bench(tmp_path, monkeypatch, caplog), caplog)


@pytest.fixture
def container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, azurite: Azurite
) -> Iterator[ContainerBench]:
    """A bench whose exports land in a container of Azurite, with everything logged."""
    bench = ContainerBench(tmp_path, monkeypatch, caplog, azurite)
    yield from _until_invariants_held(bench, caplog)


def _until_invariants_held(bench: AnyBench, caplog: pytest.LogCaptureFixture) -> Iterator[AnyBench]:
    for logger in ("", "azure", "httpx"):
        caplog.set_level(logging.DEBUG, logger)
    yield bench
    configured.cache_clear()
    bench.require_invariants()
