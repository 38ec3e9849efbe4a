"""Committing a version, and finding one that had been committed before."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from catalog.export_request import ExportRequest
from failures import ANEW, LATER, Kind
from messages.exports import CommitAnswer, Plan, Result, VersionAnswer
from tests.activities.conftest import REQUEST, Bench, CalledInVain, in_vain

INVOICE = REQUEST.values["invoiceId"]


def _latest(bench: Bench) -> Any:
    (pointer,) = bench.landed("_latest.json")
    return json.loads(pointer.read_text())


def _result(answer: VersionAnswer | CommitAnswer) -> Result:
    assert answer.result is not None
    return answer.result


def test_a_commit_writes_manifest_marker_and_pointer(bench: Bench) -> None:
    """The result tells version, totals and place; the pointer names the same version."""

    async def scenario() -> Result:
        plan = await bench.plan()
        await bench.copy(plan)
        return _result(await bench.commit(plan))

    result = bench.run(scenario)
    (manifest,) = bench.landed("_manifest.json")
    (marker,) = bench.landed("_SUCCESS")
    assert marker.parent == manifest.parent
    assert marker.parent.name == f"version={result.version}"
    assert result.blob_count == len(json.loads(manifest.read_text())["blobs"]) == 4
    assert result.bytes == sum(path.stat().st_size for path in bench.landed("part-*"))
    assert result.location == f"file://{marker.parent}/"
    assert not result.unchanged
    assert _latest(bench)["version"] == result.version


def test_nothing_that_lands_holds_a_secret(bench: Bench) -> None:
    """Neither a SAS signature nor the bearer token is in any file of the landing zone."""
    bench.run(bench.export)
    for path in bench.landed("_*"):
        if path.is_file():
            bench.require_no_secret(path.read_text())


def test_committing_twice_ends_alike(bench: Bench) -> None:
    """A second commit finds the first one's marker, and answers the same."""

    async def scenario() -> list[Result]:
        plan = await bench.plan()
        await bench.copy(plan)
        return [_result(await bench.commit(plan)) for _ in range(2)]

    first, second = bench.run(scenario)
    assert first == second


def test_committing_twice_at_once_ends_alike(bench: Bench) -> None:
    """Two workers that commit the same version both report it, and there is one marker."""

    async def scenario() -> list[Result]:
        plan = await bench.plan()
        await bench.copy(plan)
        return [_result(answer) for answer in await asyncio.gather(bench.commit(plan), bench.commit(plan))]

    first, second = bench.run(scenario)
    assert first == second
    assert len(bench.landed("_SUCCESS")) == 1


def test_an_empty_export_is_committed(bench: Bench) -> None:
    """A manifest without blobs makes a version without blobs."""
    bench.emulator.use_data(INVOICE, {}, e_tag="empty")

    async def scenario() -> Result:
        return _result(await bench.commit(await bench.plan()))

    assert bench.run(scenario).blob_count == 0
    assert bench.landed("_SUCCESS")


@pytest.mark.parametrize("loss", ["part-00001*", "_00000-*.json"])
def test_what_is_incomplete_is_not_committed(bench: Bench, loss: str) -> None:
    """A missing blob or receipt ends the attempt, and no marker is written."""

    async def scenario() -> CommitAnswer:
        plan = await bench.plan()
        await bench.copy(plan)
        for lost in bench.landed(loss):
            lost.unlink()
        return await bench.commit(plan)

    told = in_vain(lambda: bench.run(scenario))
    assert (told.kind, told.problem.code) == (ANEW, "Incomplete")
    assert not bench.landed("_SUCCESS")
    assert not bench.landed("_latest.json")


def test_a_blob_that_was_cut_short_is_not_committed(bench: Bench) -> None:
    """Lengths are compared with the receipts."""

    async def scenario() -> CommitAnswer:
        plan = await bench.plan()
        await bench.copy(plan)
        bench.landed("part-*")[0].write_bytes(b"short")
        return await bench.commit(plan)

    assert in_vain(lambda: bench.run(scenario)).kind == ANEW
    assert not bench.landed("_SUCCESS")


def test_data_that_changed_before_the_commit_is_exported_anew(bench: Bench) -> None:
    """The manifest is read once more, though the one in memory is still good, and nothing is committed."""

    async def scenario() -> CommitAnswer:
        plan = await bench.plan()
        await bench.copy(plan)
        bench.emulator.restate(INVOICE, 1)
        return await bench.commit(plan)

    told = in_vain(lambda: bench.run(scenario))
    assert (told.kind, told.problem.code) == (ANEW, "DataChanged")
    assert not bench.landed("_SUCCESS")


@pytest.mark.parametrize(("status", "kind"), [(403, LATER), (410, ANEW)])
def test_a_manifest_that_cannot_be_read_is_told(bench: Bench, status: int, kind: Kind) -> None:
    """What is forbidden all at once may be allowed again, what is gone may be exported anew."""

    async def scenario() -> CommitAnswer:
        plan = await bench.plan()
        await bench.copy(plan)
        bench.clock.move(3600)
        bench.graph.interfere = lambda _: httpx.Response(status)
        return await bench.commit(plan)

    assert in_vain(lambda: bench.run(scenario)).kind == kind


def test_an_outage_during_the_commit_is_for_the_orchestrator_to_wait_through(bench: Bench) -> None:
    """The orchestrator tries again later."""

    async def scenario() -> CommitAnswer:
        plan = await bench.plan()
        bench.clock.move(3600)
        bench.graph.interfere = lambda _: httpx.Response(503)
        return await bench.commit(plan)

    with pytest.raises(CalledInVain, match="HTTP503"):
        bench.run(scenario)


def test_a_version_that_is_not_there_cannot_be_reused(bench: Bench) -> None:
    """New data is copied."""

    async def scenario() -> VersionAnswer:
        return await bench.reuse(await bench.plan())

    assert bench.run(scenario) == VersionAnswer()


def test_a_version_that_landed_but_was_not_committed_cannot_be_reused(bench: Bench) -> None:
    """Without its marker a version is not whole, however many blobs it has."""

    async def scenario() -> VersionAnswer:
        plan = await bench.plan()
        await bench.copy(plan)
        return await bench.reuse(plan)

    assert bench.run(scenario) == VersionAnswer()


def test_the_latest_version_is_unchanged(bench: Bench) -> None:
    """The same data again is told as unchanged; nothing is read from the source or written."""

    async def scenario() -> tuple[Plan, Result, int]:
        await bench.export()
        requests = len(bench.source.requests)
        plan = await bench.plan()
        return plan, _result(await bench.reuse(plan)), len(bench.source.requests) - requests

    before = bench.run(scenario)
    plan, result, requests = before
    assert result.unchanged
    assert (result.e_tag, result.blob_count, requests) == (plan.e_tag, 4, 0)


def test_data_restored_to_an_older_state_becomes_the_latest_again(bench: Bench) -> None:
    """The older version is reused, and the pointer moves to it: its manifest is the newer one."""

    async def scenario() -> tuple[Plan, Result]:
        await bench.export()
        bench.emulator.restate(INVOICE, 1)
        bench.clock.move(1)
        restated = await bench.export()
        assert _latest(bench)["eTag"] == restated.e_tag
        bench.emulator.restate(INVOICE, 0)
        bench.clock.move(1)
        plan = await bench.plan()
        return plan, _result(await bench.reuse(plan))

    plan, result = bench.run(scenario)
    assert not result.unchanged
    assert _latest(bench)["version"] == result.version
    assert _latest(bench)["eTag"] == plan.e_tag
    (other,) = {path.parent.name for path in bench.landed("_SUCCESS")} - {f"version={result.version}"}
    assert other == f"version={result.previous_version}"


def test_a_restatement_tells_which_version_it_takes_the_place_of(bench: Bench) -> None:
    """Also where the commit is called twice: when it was planned another version was the latest."""

    async def scenario() -> tuple[Result, list[Result]]:
        first = _result(await bench.commit(await _copied(bench)))
        bench.emulator.restate(INVOICE, 1)
        bench.clock.move(1)
        plan = await _copied(bench)
        latest = (await bench.reuse(plan)).latest
        return first, [_result(await bench.commit(plan, latest=latest)) for _ in range(2)]

    first, restated = bench.run(scenario)
    assert first.previous_version is None
    assert "previousVersion" not in first.to_json()
    assert [result.to_json()["previousVersion"] for result in restated] == [first.version] * 2


def test_data_that_is_not_billed_is_never_restated(bench: Bench) -> None:
    """It grows from day to day, and nobody has closed a book with it."""
    unbilled = ExportRequest.parse({"dataset": "unbilledUsage", "currencyCode": "USD", "billingPeriod": "current"})

    async def scenario() -> Result:
        plan = await bench.plan(unbilled)
        await bench.copy(plan, request=unbilled)
        return _result(await bench.commit(plan, unbilled, latest="0" * 16))

    assert bench.run(scenario).previous_version is None


async def _copied(bench: Bench) -> Plan:
    plan = await bench.plan()
    await bench.copy(plan)
    return plan


def test_a_commit_that_a_newer_version_overtook_says_that_the_pointer_stayed(bench: Bench) -> None:
    """Who reads the result learns that `_latest.json` names other data."""

    async def scenario() -> list[Result]:
        plan = await bench.plan()
        await bench.copy(plan)
        version = bench.landed("part-*")[0].parent
        newer = {"version": "0" * 16, "manifestCreatedDateTime": "2026-12-01T00:00:00Z"}
        (version.parent / "_latest.json").write_text(json.dumps(newer))
        results = [_result(await bench.commit(plan)), _result(await bench.reuse(plan))]
        assert _latest(bench) == newer
        return results

    for result in bench.run(scenario):
        assert (result.pointed, result.unchanged) == (False, False)
        assert result.to_json()["pointed"] is False


def test_a_result_says_nothing_of_a_pointer_that_names_it(bench: Bench) -> None:
    """The field is there only for who must know."""

    async def scenario() -> list[Result]:
        plan = await bench.plan()
        await bench.copy(plan)
        return [_result(await bench.commit(plan)), _result(await bench.reuse(plan))]

    for result in bench.run(scenario):
        assert result.pointed
        assert "pointed" not in result.to_json()


def test_a_pointer_that_was_lost_is_written_again(bench: Bench) -> None:
    """A crash between marker and pointer is mended by the next run without copying anything."""

    async def scenario() -> Result:
        await bench.export()
        bench.landed("_latest.json")[0].unlink()
        requests = len(bench.source.requests)
        result = _result(await bench.reuse(await bench.plan()))
        assert len(bench.source.requests) == requests
        return result

    result = bench.run(scenario)
    assert not result.unchanged
    assert _latest(bench)["version"] == result.version


def test_a_lost_pointer_needs_the_manifest_which_may_be_gone(bench: Bench) -> None:
    """If it is, a new export brings it."""

    async def scenario() -> VersionAnswer:
        plan = await bench.export()
        bench.landed("_latest.json")[0].unlink()
        bench.clock.move(3600)
        bench.graph.interfere = lambda _: httpx.Response(404)
        return await bench.reuse(plan)

    assert in_vain(lambda: bench.run(scenario)).kind == ANEW


@pytest.mark.parametrize("damage", ["gone", "cut", "no manifest"])
@pytest.mark.parametrize("latest", [True, False])
def test_a_committed_version_that_was_damaged_is_not_reused(bench: Bench, damage: str, latest: bool) -> None:
    """The orchestrator is told to copy; what is whole is kept then, and the commit mends the rest."""

    async def scenario() -> Result:
        plan = await bench.export()
        if not latest:
            bench.landed("_latest.json")[0].unlink()
        marker, blob = bench.landed("_SUCCESS")[0].stat().st_mtime_ns, bench.landed("part-00001*")[0]
        if damage == "cut":
            blob.write_bytes(b"cut")
        else:
            (blob if damage == "gone" else bench.landed("_manifest.json")[0]).unlink()
        assert (await bench.reuse(plan)).result is None
        bench.source.requests.clear()
        await bench.copy(plan)
        assert sum(request.method == "GET" for request in bench.source.requests) == (damage != "no manifest")
        committed = _result(await bench.commit(plan))
        assert bench.landed("_SUCCESS")[0].stat().st_mtime_ns == marker
        return committed

    assert bench.run(scenario).blob_count == 4
    assert _latest(bench)["blobCount"] == 4


UNBILLED = ExportRequest.parse({"dataset": "unbilledUsage", "currencyCode": "EUR", "billingPeriod": "current"})


@pytest.mark.parametrize(("request_", "kept"), [(UNBILLED, 2), (REQUEST, 4)])
def test_old_versions_are_removed_of_data_that_is_not_billed_alone(
    bench: Bench, request_: ExportRequest, kept: int
) -> None:
    """`KEEP_VERSIONS` of them are kept, once the others are two days old; what was billed is never removed."""
    bench.set(keep_versions=2)
    bench.clock.moment = datetime.now(UTC) + timedelta(days=3)
    about: Any = {"dataset": request_.dataset_name, "billing_period": request_.values.get("billingPeriod")}

    async def scenario() -> None:
        for revision in range(4):
            bench.emulator.restate(next(iter(request_.values.values())), revision, **about)
            await bench.export(request_)

    bench.run(scenario)
    assert len(bench.landed("_SUCCESS")) == kept
    assert _latest(bench)["version"] in {path.parent.name.removeprefix("version=") for path in bench.landed("_SUCCESS")}
