"""What can go wrong while the table of an invoice is made of what has landed."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from activities.tabulating import LINES, USAGE
from catalog.datasets import RECONCILIATION
from tables.table import tabulate
from tests.faults.bench import INVOICE, App, Bench, hurried_clients
from tests.faults.container_bench import ContainerBench, Trouble
from tests.table_documents import STATES

REQUESTS = [
    ("GET", "comp=list"),
    ("GET", "_latest.json"),
    ("PUT", f"invoices/{INVOICE}.json"),
    ("GET", "_manifest.json"),
    ("GET", "part-00001"),
    ("PUT", "00001.parquet"),
    ("PUT", "00001.kept.json"),
    ("GET", "00001.keys.parquet"),
    ("PUT", "totals.json"),
    ("GET", "totals.json"),
    ("GET", "00001.parquet"),
    ("HEAD", f"{INVOICE}.parquet"),
    ("PUT", f"{INVOICE}.parquet"),
    ("PUT", f"_{INVOICE}.json"),
]
"""Every kind of request that a table makes of the landing zone, in their order."""

FILES = [f"{INVOICE}.parquet", f"_{INVOICE}.json"]


def _named(blobs: Any) -> dict[str, bytes]:
    return {f"part-{number:05d}.json.gz": blob for number, blob in enumerate(blobs)}


def _with_documents(bench: Bench) -> None:
    bench.blobs, bench.lines = _named(STATES[USAGE][1]), _named(STATES[LINES][0])


async def _land(app: App, bench: Bench) -> None:
    """Exports both documents, without a table."""
    await app.export(RECONCILIATION)
    bench.status = await app.export()
    assert bench.status["state"] == "succeeded", bench.status["error"]


def _play_table(container: ContainerBench, *troubles: Trouble) -> dict[str, Any]:
    """Lands both documents, then makes the table while this happens: how that ends."""
    ended: dict[str, Any] = {}

    async def scenario(app: App) -> None:
        await _land(app, container)
        container.storage.troubles = list(troubles)
        ended.update(await app.tabulate())

    _with_documents(container)
    container.create()
    container.play(scenario)
    return ended


def _require_table(bench: Bench, folder: Path) -> None:
    """One table stands there, with the bytes that are made in one go of what was exported, and no leftover of it."""
    (file,) = bench.landing.glob("focus/**/*.parquet")
    files = [_written(folder / dataset, blobs) for dataset, blobs in (("u", bench.blobs), ("l", bench.lines))]
    tabulate(files[0], files[1], folder / "by hand.parquet")
    assert file.read_bytes() == (folder / "by hand.parquet").read_bytes()
    assert json.loads(file.with_name(f"_{INVOICE}.json").read_text())["state"] == "complete"
    assert list(bench.landing.glob("_work/focus/tables/**/*.*")) == []


def _written(folder: Path, blobs: Any) -> list[Path]:
    folder.mkdir()
    for name, blob in blobs.items():
        (folder / name).write_bytes(blob)
    return sorted(folder.iterdir())


@pytest.mark.parametrize(
    "trouble",
    [{"status": 503, "code": "ServerBusy"}, {}, {"afterwards": True}, {"status": 500, "code": "Oops", "times": 6}],
    ids=["503", "cut before", "cut afterwards", "500 for long"],
)
def test_every_request_of_a_table_may_fail(
    container: ContainerBench, trouble: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Storage that is busy, fails or is cut off in every kind of request costs no more than further requests."""
    troubles = [Trouble(*request, **trouble) for request in REQUESTS]
    ended = _play_table(container, *troubles)
    assert ended["state"] == "succeeded", ended["error"]
    assert not [trouble for trouble in troubles if trouble.times]
    _require_table(container, tmp_path_factory.mktemp("by hand"))


def test_a_swap_that_is_lost_begins_again(container: ContainerBench, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Another builder was faster, says the storage, of the table as of what is said of it."""
    lost = [Trouble("PUT", f"/{file}", 412, "ConditionNotMet", times=2) for file in FILES]
    ended = _play_table(container, *lost)
    assert ended["state"] == "succeeded", ended["error"]
    assert not [trouble for trouble in lost if trouble.times]
    _require_table(container, tmp_path_factory.mktemp("by hand"))


@pytest.mark.parametrize(
    ("trouble", "code", "remedy"),
    [
        (Trouble("PUT", f"invoices/{INVOICE}.json", 503, "ServerBusy", float("inf")), "LandingUnavailable", "network"),
        (
            Trouble("PUT", "00001.parquet", 403, "AuthorizationPermissionMismatch", float("inf")),
            "LandingRefused",
            "Storage Blob Data Contributor",
        ),
    ],
    ids=["busy", "forbidden"],
)
def test_storage_that_stays_so_ends_the_table(
    container: ContainerBench, trouble: Trouble, code: str, remedy: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """With code and remedy, and no table; with storage as it should be, the next one is made."""
    if code == "LandingRefused":
        container.make_clients = hurried_clients
    ended = _play_table(container, trouble)
    assert (ended["state"], ended["error"]["code"]) == ("failed", code)
    assert remedy in ended["error"]["remedy"]
    assert f"partner.billing.table.failed table-{INVOICE}: {code}: " in container.log
    assert list(container.landing.glob("focus/**/*")) == []
    container.storage.troubles = []
    _play_again(container)
    _require_table(container, tmp_path_factory.mktemp("by hand"))


def test_a_right_that_is_away_for_a_moment_ends_no_table(
    container: ContainerBench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What was allowed a moment ago is tried again before it is believed to be forbidden."""
    forbidden = Trouble("PUT", "00001.parquet", 403, "AuthorizationPermissionMismatch", times=4)
    ended = _play_table(container, forbidden)
    assert ended["state"] == "succeeded", ended["error"]
    assert not forbidden.times
    _require_table(container, tmp_path_factory.mktemp("by hand"))


def _play_again(bench: Bench) -> None:
    async def scenario(app: App) -> None:
        ended = await app.tabulate()
        assert ended["state"] == "succeeded", ended["error"]

    bench.play(scenario)


DAMAGES: dict[str, Callable[[bytes], bytes] | None] = {
    "gone": None,
    "cut": lambda content: content[:-10],
    "changed": lambda content: content[:-1] + b"!",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_was_damaged_after_its_commit_makes_no_table(
    bench: Bench, damage: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The failure names the blob; who does as its remedy says has the table."""
    _with_documents(bench)

    async def scenario(app: App) -> None:
        await _land(app, bench)
        blob = bench.version / "part-00001.json.gz"
        _damage(blob, DAMAGES[damage])
        failed = await app.tabulate()
        assert (failed["state"], failed["error"]["code"]) == ("failed", "Incomplete")
        assert "part-00001" in failed["error"]["message"]
        assert "Remove from the version's folder what the message names" in failed["error"]["remedy"]
        assert list(bench.landing.glob("focus/**/*")) == []
        blob.unlink(missing_ok=True)
        assert (await app.export())["state"] == "succeeded"
        ended = await app.tabulate()
        assert ended["state"] == "succeeded", ended["error"]

    bench.play(scenario)
    _require_table(bench, tmp_path_factory.mktemp("by hand"))


def _damage(blob: Path, damage: Callable[[bytes], bytes] | None) -> None:
    content = blob.read_bytes()
    blob.unlink()
    if damage:
        blob.write_bytes(damage(content))


def test_a_bad_line_is_told_by_blob_and_number(bench: Bench) -> None:
    """Without its text, at once; the export is whole all the same, and its result has the failure."""
    _with_documents(bench)
    good = gzip.decompress(bench.blobs["part-00001.json.gz"])
    bench.blobs = {**bench.blobs, "part-00001.json.gz": gzip.compress(good + b'{"CustomerName": "Contoso"\n')}
    bench.export(settings={"TABLES": "on"})
    bench.require_success()
    table = bench.status["result"]["table"]
    assert table["state"] == "failed"
    assert "UnreadableLines" in table["error"]
    assert "part-00001.json.gz" in table["error"]
    assert "line 2" in table["error"]
    assert f"version={bench.status['result']['version']}" in bench.log
    assert "Contoso" not in bench.log
    assert list(bench.landing.glob("focus/**/*")) == []
