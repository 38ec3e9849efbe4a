"""Where secrets are, when nearly everything goes wrong at once."""

import logging

import pytest

from local.emulator import Answer, Fault
from tests.faults.bench import Bench
from tests.faults.container_bench import ContainerBench, Trouble

THROTTLED = Answer(status=429, headers={"Retry-After": "0"})
FAULTS = [
    Fault(request="export", occurrence=1, answer=THROTTLED),
    Fault(request="export", occurrence=2, cut="before-header"),
    Fault(request="export", headers={"Location": "{path}"}),
    Fault(request="operation", occurrence=1, merge={"status": "notStarted", "@odata.type": None}),
    Fault(request="operation", occurrence=2, cut="after-header"),
    Fault(request="operation", occurrence=3, cut=40, delay=0.01),
    Fault(request="operation", occurrence=4, answer=Answer(status=404)),
    Fault(request="manifest", occurrence=1, answer=Answer(status=503)),
    Fault(request="manifest", occurrence=2, cut=60),
    Fault(request="manifest", merge={"rootDirectory": "{real}/", "sasToken": "?{real}", "somethingNew": []}),
    Fault(request="blob-head", path="part-00000", occurrence=1, answer=Answer(status=403)),
    Fault(request="blob-head", path="part-00001", occurrence=1, headers={"ETag": '"another"'}),
    Fault(request="blob-head", path="part-00002", occurrence=1, headers={"Content-Length": "3"}),
    Fault(request="blob-head", path="part-00003", headers={"Content-MD5": None}),
    Fault(request="blob", headers={"Content-MD5": None}),
    Fault(request="blob", path="part-00002", occurrence=2, flip=7),
    Fault(request="blob", path="part-00003", occurrence=1, cut=10),
    Fault(request="blob", path="part-00004", occurrence=1, answer=Answer(status=404)),
    Fault(request="blob", path="part-00005", occurrence=1, answer=Answer(status=200, text="short")),
]


@pytest.fixture(autouse=True)
def _everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    for name in ("azure", "httpx", "httpcore", "aiohttp", "asyncio", "uvicorn", "stamina"):
        caplog.set_level(logging.DEBUG, name)


def require_searched(bench: Bench, *libraries: str) -> None:
    """There were secrets to be found, and a log to find them in; the bench looks for them when the test has ended."""
    assert len(bench.emulator.signatures) > 1
    assert all(len(signature) > 20 for signature in bench.emulator.signatures)
    logged = {(record.name.partition(".")[0], record.levelno) for record in bench.log_records}
    assert {library for library, _ in logged} >= set(libraries)
    assert ("httpcore", logging.DEBUG) in logged


def test_a_success_through_every_fault_tells_no_secret(bench: Bench) -> None:
    """Through every kind of fault at once the data lands; signatures and tokens stand in the requests only."""
    bench.export(*FAULTS, linked_manifest=True)
    bench.require_success()
    assert set(map(id, FAULTS)) == {id(fault) for fault in bench.emulator.fired}
    require_searched(bench, "httpx", "httpcore")


def test_a_failure_after_every_fault_tells_no_secret(bench: Bench) -> None:
    """A failure's message and the log that led to it hold no signature and no token either."""
    missing = Fault(request="blob-head", path="part-00005", answer=Answer(status=403))
    bench.export(*FAULTS, missing, linked_manifest=True)
    assert "part-00005" in bench.require_failure("SourceExpired", "Start the export again")
    require_searched(bench, "httpx", "httpcore")


@pytest.mark.parametrize("pulled", [False, True], ids=["streamed", "pulled"])
def test_storage_in_trouble_tells_no_secret(container: ContainerBench, pulled: bool) -> None:
    """Where storage fails too, which is told the source's URL, no signature, token or key is told to anybody else."""
    container.pulled = pulled
    container.secrets.add(container.key)
    puts = [Trouble("PUT", f"part-0000{i}", status, "Broken") for i, status in enumerate([500, 503, 429])]
    container.storage.troubles = [*puts, Trouble("PUT", "part-00003"), Trouble("PUT", "part-00004", afterwards=True)]
    container.export(*FAULTS, linked_manifest=True)
    container.require_success()
    require_searched(container, "httpx", "httpcore", "azure")
