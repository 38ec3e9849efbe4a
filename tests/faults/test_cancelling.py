"""Exports that are cancelled, in every phase, and those that come after them."""

from datetime import timedelta

import pytest

from local.emulator import Answer, Fault
from local.engine import Options
from local.engine.calls import MOST_ACTIVITIES
from tests.faults.bench import App, Bench, Gate, until
from tests.faults.container_bench import ContainerBench

HELD_AT_MICROSOFT = [
    ("starting", "POST", "/export", 0),
    ("polling", "GET", "/operations/", 1),
    ("copying", "GET", "/exports/", 2),
]
HELD_AT_LANDING = [
    ("planning", "HEAD", "_SUCCESS"),
    ("copying", "PUT", "part-"),
    ("copying", "PUT", "_receipts/"),
]
HELD_IN_THE_COMMIT = ["_manifest.json", "_SUCCESS", "_latest.json"]
LONG = "900"
"""Seconds that no test waits for."""


@pytest.fixture(autouse=True)
def slow_queues(request: pytest.FixtureRequest) -> None:
    """Durable's queues take half a second, ten of which pass in one: what is asked of them takes effect later."""
    bench = request.getfixturevalue("container" if "container" in request.fixturenames else "bench")
    bench.options = Options(latency=timedelta(seconds=0.5))
    bench.pace = 10


async def require_cancelled(app: App) -> None:
    """The export can be cancelled, and again while that is under way; no other starts before it is over."""
    assert await app.cancel() == 202
    assert await app.cancel() == 202
    assert (await app.ended())["state"] == "cancelled"
    assert await app.start_again() == (409, "30")


async def require_nothing_comes(app: App, bench: Bench) -> None:
    """When all that was under way has ended, the export is still cancelled, and nothing is committed."""
    await app.cancellation_ends()
    await until(lambda: not app.under_way() and not app.activities_running())
    assert (await app.status())["state"] == "cancelled"
    assert await app.cancel() == 409
    await bench.look()
    bench.require_nothing_committed()


async def require_whole_export(app: App, bench: Bench) -> None:
    """Another export of the same invoice succeeds, and counts what it did itself."""
    bench.status = await app.export()
    blobs, size = len(bench.blobs), sum(map(len, bench.blobs.values()))
    assert bench.status["state"] == "succeeded", bench.status
    assert bench.status["progress"] == {"blobsDone": blobs, "blobCount": blobs, "bytesDone": size}
    assert bench.status["phase"] == "done"


async def start_until_held(app: App, gate: Gate, phase: str) -> None:
    """Starts an export, and waits until a request of its is held in that phase."""
    assert (await app.start())["state"] == "pending"
    await gate.reached()
    await app.is_in(phase)


def play_cancelled_and_settled(bench: Bench, gate: Gate, phase: str) -> None:
    async def scenario(app: App) -> None:
        await start_until_held(app, gate, phase)
        await require_cancelled(app)
        gate.open()
        await require_nothing_comes(app, bench)
        await require_whole_export(app, bench)

    bench.play(scenario, running_polls=2)
    bench.require_success()


def play_cancelled_and_late(bench: Bench, gate: Gate, phase: str) -> None:
    async def scenario(app: App) -> None:
        await start_until_held(app, gate, phase)
        await require_cancelled(app)
        gate.close_behind()
        await app.cancellation_ends()
        await require_whole_export(app, bench)
        gate.open()
        await until(lambda: not app.activities_running())
        assert await app.status() == bench.status

    bench.play(scenario, running_polls=2)
    bench.require_success()


@pytest.mark.parametrize(("phase", "method", "part", "after"), HELD_AT_MICROSOFT)
def test_cancelled_while_microsoft_is_asked(bench: Bench, phase: str, method: str, part: str, after: int) -> None:
    """What was under way ends by itself and leaves nothing; the next export starts clean."""
    bench.gate.hold(method, part, after=after)
    play_cancelled_and_settled(bench, bench.gate, phase)
    assert bench.posts == 2


@pytest.mark.parametrize(("phase", "method", "part", "after"), HELD_AT_MICROSOFT)
def test_answers_to_a_cancelled_export_reach_no_other(
    bench: Bench, phase: str, method: str, part: str, after: int
) -> None:
    """What Microsoft answers after the next export has ended changes nothing of it."""
    bench.gate.hold(method, part, after=after)
    play_cancelled_and_late(bench, bench.gate, phase)
    assert bench.posts == 2


@pytest.mark.parametrize(("phase", "method", "part"), HELD_AT_LANDING)
def test_cancelled_while_the_landing_zone_is_asked(
    container: ContainerBench, phase: str, method: str, part: str
) -> None:
    """What was being written stays uncommitted; the next export starts clean, and keeps what had landed."""
    container.storage.gate.hold(method, part)
    play_cancelled_and_settled(container, container.storage.gate, phase)


@pytest.mark.parametrize(("phase", "method", "part"), HELD_AT_LANDING)
def test_writes_of_a_cancelled_export_leave_the_next_one_whole(
    container: ContainerBench, phase: str, method: str, part: str
) -> None:
    """What a cancelled export still writes after the next one has ended changes nothing of it."""
    container.storage.gate.hold(method, part)
    play_cancelled_and_late(container, container.storage.gate, phase)


@pytest.mark.parametrize("part", HELD_IN_THE_COMMIT)
def test_a_commit_that_has_begun_finishes_whole(container: ContainerBench, part: str) -> None:
    """Cancelled in its commit, an export is shown as cancelled, and what it committed is whole."""
    gate = container.storage.gate

    async def scenario(app: App) -> None:
        await start_until_held(app, gate, "committing")
        await require_cancelled(app)
        gate.open()
        await app.cancellation_ends()
        await until(lambda: not app.activities_running())
        assert (await app.status())["state"] == "cancelled"
        container.status = await app.export()

    gate.hold("PUT", part)
    container.play(scenario)
    container.require_success()
    assert container.status["result"]["unchanged"]


@pytest.mark.parametrize("part", HELD_IN_THE_COMMIT)
def test_a_commit_that_comes_late_leaves_the_next_export_whole(container: ContainerBench, part: str) -> None:
    """A cancelled export's commit may end after the next export's: there is one version, whole."""
    gate = container.storage.gate

    async def scenario(app: App) -> None:
        await start_until_held(app, gate, "committing")
        await require_cancelled(app)
        gate.close_behind()
        await app.cancellation_ends()
        container.status = await app.export()
        gate.open()
        await until(lambda: not app.activities_running())

    gate.hold("PUT", part)
    container.play(scenario)
    container.require_success()
    assert len(list(container.landing.rglob("_SUCCESS"))) == 1


def test_cancelled_before_the_commit_compares(bench: Bench) -> None:
    """A commit that still reads the manifest when its export is cancelled commits whole or not at all."""

    async def scenario(app: App) -> None:
        await start_until_held(app, bench.gate, "committing")
        bench.require_nothing_committed()
        await require_cancelled(app)
        bench.gate.open()
        await app.cancellation_ends()
        await until(lambda: not app.activities_running())
        bench.require_invariants_of_landing()
        bench.status = await app.export()

    bench.gate.hold("GET", "/manifests/", after=1)
    bench.play(scenario, linked_manifest=True)
    bench.require_success()


@pytest.mark.parametrize(
    ("phase", "fault"),
    [
        ("starting", Fault(request="export", occurrence=1, answer=Answer(status=503, headers={"Retry-After": LONG}))),
        ("polling", Fault(request="export", occurrence=1, headers={"Retry-After": LONG})),
        ("polling", Fault(request="operation", occurrence=1, headers={"Retry-After": LONG})),
        ("copying", Fault(request="blob", occurrence=range(1, 6), answer=Answer(status=503))),
    ],
    ids=["starting", "before the first poll", "between polls", "between rounds"],
)
def test_cancelled_while_nothing_but_time_has_to_pass(bench: Bench, phase: str, fault: Fault) -> None:
    """An export that waits ends at once when it is cancelled, its timers with it."""

    async def scenario(app: App) -> None:
        await app.start()
        await app.is_in(phase)
        await app.waits()
        await require_cancelled(app)
        await require_nothing_comes(app, bench)
        await require_whole_export(app, bench)

    one_after_the_other = {"COPY_BATCH_SIZE": "6", "COPY_CONCURRENCY": "1"}
    bench.play(scenario, fault, settings={"RETRY_SECONDS": LONG, **one_after_the_other}, running_polls=1)
    bench.require_success()


def test_ranges_that_had_not_begun_copy_nothing(bench: Bench) -> None:
    """More ranges than run at once wait for their turn; what they find then is that their export has ended."""
    bench.blobs = {f"part-{number:05d}.json.gz": bytes([number]) * 100 for number in range(60)}
    bench.gate.hold("GET", "/exports/")

    async def scenario(app: App) -> None:
        await start_until_held(app, bench.gate, "copying")
        await until(lambda: app.activities_running() == MOST_ACTIVITIES)
        await require_cancelled(app)
        bench.gate.open()
        await require_nothing_comes(app, bench)

    bench.play(scenario, settings={"COPY_BATCH_SIZE": "5", "COPY_CONCURRENCY": "1"})
    assert 0 < bench.count("GET", "/exports/") <= 5 * MOST_ACTIVITIES
