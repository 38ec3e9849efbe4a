"""Where nothing goes wrong, an export sends no request too many: they cost money, and services throttle them."""

from collections import Counter

from tests.faults.bench import BLOBS, Bench
from tests.faults.container_bench import ContainerBench


def test_an_export_into_a_folder_reads_each_blob_once(bench: Bench) -> None:
    """One POST, a poll for each state, two reads of the manifest (one is the commit's own), and a GET for each blob."""
    bench.export(running_polls=2, linked_manifest=True)
    bench.require_success()
    assert bench.posts == 1
    assert bench.count("GET", "/billing/operations/") == 3
    assert bench.count("GET", "/billing/manifests/") == 2
    assert bench.count("GET", "/exports/") == len(BLOBS)
    assert bench.count("HEAD", "/exports/") == 0


def test_an_export_that_the_storage_copies_takes_two_requests_a_blob(container: ContainerBench) -> None:
    """The source is looked at, and the storage is told to copy it; a receipt is written for each range of two blobs."""
    container.pulled = True
    container.export()
    container.require_success()
    assert container.storage.count("HEAD", "/source/") == len(BLOBS)
    assert _about_landed_blobs(container) == {"PUT": len(BLOBS)}
    assert container.storage.count("PUT", "/_receipts/") == len(BLOBS) // 2 + 1


def test_data_that_landed_before_is_not_asked_for_again(container: ContainerBench) -> None:
    """A second export of the same data sends no request about any blob."""
    container.pulled = True
    container.export()
    container.storage.requests.clear()
    container.export()
    container.require_success()
    assert container.status["result"]["unchanged"]
    assert not _about_landed_blobs(container)
    assert container.storage.count("HEAD", "/source/") == 0


def _about_landed_blobs(container: ContainerBench) -> Counter[str]:
    """The methods of the requests about blobs in the landing account; the emulator puts its own into the other."""
    sent = (request for request in container.storage.requests if "/landing/" in request and "/part-" in request)
    return Counter(request.split(" ")[0] for request in sent)
