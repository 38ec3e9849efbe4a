"""What can go wrong with the place where blobs land."""

import json
from typing import Any

import pytest

from tests.faults.bench import App, Bench, hurried_clients, until
from tests.faults.container_bench import ContainerBench, Trouble
from tests.file_limit import no_file_larger_than

MIB = 1 << 20
REQUESTS = [
    ("HEAD", "_SUCCESS"),
    ("PUT", "part-00002"),
    ("PUT", "_receipts/"),
    ("GET", "comp=list"),
    ("GET", "_receipts/"),
    ("PUT", "_manifest.json"),
    ("PUT", "_SUCCESS"),
    ("GET", "_latest.json"),
    ("PUT", "_latest.json"),
]
"""Every kind of request that an export makes of its landing zone, in their order."""


@pytest.mark.parametrize("pulled", [False, True], ids=["streamed", "pulled"])
@pytest.mark.parametrize(
    "trouble",
    [
        {"status": 503, "code": "ServerBusy"},
        {"status": 429, "code": "TooManyRequests"},
        {"status": 500, "code": "InternalError"},
        {},
        {"afterwards": True},
    ],
    ids=["503", "429", "500", "cut before", "cut afterwards"],
)
def test_every_request_may_fail_once(container: ContainerBench, trouble: dict[str, Any], pulled: bool) -> None:
    """Storage that is busy, fails or is cut off once in every kind of request costs no more than another request."""
    container.pulled = pulled
    container.create()
    container.storage.troubles = [Trouble(*request, **trouble) for request in REQUESTS]
    container.export()
    container.require_success()
    assert not any(trouble.times for trouble in container.storage.troubles)
    assert container.posts == 1


@pytest.mark.parametrize("request_", REQUESTS, ids=" ".join)
def test_a_burst_of_throttling_is_waited_out(container: ContainerBench, request_: tuple[str, str]) -> None:
    """Storage that throttles longer than one call is patient is asked again by durable timers."""
    container.create()
    trouble = Trouble(*request_, 429, "TooManyRequests", times=6)
    container.storage.troubles = [trouble]
    container.export()
    container.require_success()
    assert not trouble.times
    assert container.posts == 1


def test_storage_that_stays_busy_ends_in_a_failure(container: ContainerBench) -> None:
    """A commit marker that can never be written fails the export, which commits nothing."""
    container.create()
    container.storage.troubles = [Trouble("PUT", "_SUCCESS", 503, "ServerBusy", times=float("inf"))]
    container.export()
    assert "503 ServerBusy" in container.require_failure("LandingUnavailable", "start the export again")


def test_a_container_that_is_missing_is_created(container: ContainerBench) -> None:
    """The first export needs no container: the app makes it."""
    container.use_own_clients()
    container.export()
    container.require_success()


@pytest.mark.parametrize("request_", [("PUT", "part-"), ("GET", "comp=list"), ("PUT", "_SUCCESS")], ids=" ".join)
def test_a_container_that_is_deleted_meanwhile_ends_in_a_failure(
    container: ContainerBench, request_: tuple[str, str]
) -> None:
    """An export whose container goes away says so; the next one, of a new process, creates it and lands whole."""

    async def scenario(app: App) -> None:
        container.storage.gate.hold(*request_)
        await app.start()
        await container.storage.gate.reached()
        container.delete()
        container.storage.gate.open()
        container.status = await app.ended()

    container.use_own_clients()
    container.play(scenario)
    assert "ContainerNotFound" in container.require_failure("LandingRefused", "Create the container")
    container.export()
    container.require_success()


@pytest.mark.parametrize(
    ("code", "remedy"),
    [("AuthorizationPermissionMismatch", "role Storage Blob Data Contributor"), ("AuthorizationFailure", "firewall")],
)
def test_a_missing_right_is_told_before_anything_is_asked_of_microsoft(
    container: ContainerBench, code: str, remedy: str
) -> None:
    """A right that was only just given does not count yet: the export waits for it, and says what it waits for."""
    container.use_own_clients()
    container.create()
    forbidden = Trouble("PUT", "_rights", 403, code, times=float("inf"))
    container.storage.troubles = [forbidden]

    async def scenario(app: App) -> None:
        await app.start()
        await until(lambda: container.storage.count("PUT", "_rights"))
        await app.waits()
        problem = (await app.status())["lastProblem"]
        assert code in problem["message"]
        assert remedy in problem["remedy"]
        assert container.posts == 0
        forbidden.times = 0
        container.status = await app.ended()

    container.play(scenario, settings={"RETRY_SECONDS": "1"})
    container.require_success()


def test_a_right_that_stays_missing_ends_the_export(container: ContainerBench) -> None:
    """After a quarter of an hour the refusal is believed."""
    container.make_clients = hurried_clients
    container.create()
    container.storage.troubles = [Trouble("PUT", "part-", 403, "AuthorizationPermissionMismatch", times=float("inf"))]
    container.export()
    message = container.require_failure("LandingRefused", "Storage Blob Data Contributor")
    assert "AuthorizationPermissionMismatch" in message


def test_a_right_that_is_away_for_a_moment_ends_nothing(container: ContainerBench) -> None:
    """What was allowed a moment ago is tried again before it is believed to be forbidden."""
    container.create()
    trouble = Trouble("PUT", "part-", 403, "AuthorizationPermissionMismatch", times=4)
    container.storage.troubles = [trouble]
    container.export()
    container.require_success()
    assert not trouble.times
    assert container.posts == 1


@pytest.mark.parametrize("code", ["CannotVerifyCopySource", "AuthorizationFailure"])
def test_what_the_landing_account_cannot_reach_passes_through_the_app(container: ContainerBench, code: str) -> None:
    """One export, with a refusal or a few, and no other; result, log and receipts say which way the blobs took."""
    container.pulled = True
    container.create()
    refusal = Trouble("PUT", "part-", 403, code, times=float("inf"), copying=True)
    container.storage.troubles = [refusal]
    container.export(settings={"COPY_CONCURRENCY": "1"})
    container.require_success()
    assert container.posts == 1
    assert container.status["result"]["detours"] == len(container.blobs)
    manifest = json.loads((container.version / "_manifest.json").read_text())
    assert all((blob["detour"], blob["verified"]) == (True, "md5") for blob in manifest["blobs"])
    assert "cannot reach" in container.log
    landing = [request for request in container.storage.requests if request.startswith("PUT /landing/")]
    # Each of the three ranges may have asked before the first knew.
    assert sum("part-" in request for request in landing) <= len(container.blobs) + 3


def test_a_missing_container_that_may_not_be_created_ends_the_export(container: ContainerBench) -> None:
    """Where there is no container and the identity may not make one, the failure names that, before any export."""
    container.use_own_clients()
    container.storage.troubles = [Trouble("PUT", "restype=container", 403, "AuthorizationFailure")]
    container.export()
    assert "ContainerNotFound" in container.require_failure("LandingRefused", "Create the container")
    assert container.posts == 0


@pytest.mark.parametrize(
    "connection",
    [
        "AccountName=landing;AccountKey=d3Jvbmc=",
        "SharedAccessSignature=sv=2024-08-04&ss=b&srt=sco&sp=rwlac&se=2999-01-01T00:00:00Z&sig=d3JvbmctbGFuZGluZw%3D%3D",
    ],
    ids=["account key", "SAS token"],
)
def test_a_wrong_key_of_the_landing_zone_ends_the_export(container: ContainerBench, connection: str) -> None:
    """A key that storage does not accept is a refusal, told with the service's own code."""
    # Azurite says AuthorizationFailure where Azure says AuthenticationFailed: so it is believed only when it lasted.
    container.make_clients = hurried_clients
    container.secrets |= {"d3Jvbmc=", "d3JvbmctbGFuZGluZw"}
    container.connection = connection
    container.create()
    container.export()
    assert "403 Auth" in container.require_failure("LandingRefused", "firewall")
    assert not list(container.landing.rglob("*"))


def test_a_folder_that_cannot_be_made_ends_the_export(bench: Bench) -> None:
    """A landing folder below a regular file is refused before anything is asked of Microsoft."""
    file = bench.landing
    file.write_text("a file")
    bench.export(settings={"LANDING_URL": f"{file.as_uri()}/below"})
    assert "Not a directory" in bench.require_failure("LandingRefused", "Move away the file")
    assert bench.posts == 0


def test_a_file_in_the_way_of_a_folder_ends_the_export(bench: Bench) -> None:
    """Where a folder should be and a file is, the failure gives the system's reason."""
    bench.landing.mkdir()
    (bench.landing / "billed_usage").write_text("a file")
    bench.export()
    assert "Not a directory" in bench.require_failure("LandingRefused", "Move away the file")


@pytest.mark.parametrize("size", [MIB + 3, 3 * MIB], ids=["a little", "much"])
def test_a_full_disk_ends_the_export_with_a_remedy(bench: Bench, size: int) -> None:
    """A blob that the disk does not take fails the export and leaves no part of itself; with room, the next lands."""
    bench.blobs = {"fits.json.gz": b"fits", "large.json.gz": bytes(size)}
    with no_file_larger_than(MIB):
        bench.export()
    assert "too large" in bench.require_failure("LandingRefused", "Make room")
    bench.require_invariants_of_landing()
    bench.export()
    bench.require_success()
