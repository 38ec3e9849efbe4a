"""Copying a range."""

import asyncio
import gzip
import hashlib
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from failures import ANEW, FINAL, LATER
from messages.exports import CopyAnswer, Plan
from messages.problems import NotDone
from tests.activities.conftest import REQUEST, START, Bench, MakeBench, in_vain

INVOICE = REQUEST.values["invoiceId"]
PART = "part-*"


def _contents(bench: Bench) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in bench.landed(PART)}


def _receipts(bench: Bench) -> dict[str, Any]:
    return {path.name: json.loads(path.read_text()) for path in bench.landed("_receipts/*.json")}


def _copy(bench: Bench, **bounds: Any) -> CopyAnswer:
    async def scenario() -> CopyAnswer:
        return await bench.copy(await bench.plan(), **bounds)

    return bench.run(scenario)


def _put_off(answer: CopyAnswer) -> NotDone:
    assert answer.not_done is not None
    return answer.not_done


def _after_planning(bench: Bench, change: Callable[[], object], then: Callable[[Plan], Awaitable[Any]]) -> Any:
    async def scenario() -> Any:
        plan = await bench.plan()
        change()
        return await then(plan)

    return bench.run(scenario)


def test_a_range_lands_whole_and_is_counted(bench: Bench) -> None:
    """The answer tells how far it got, and how many blobs and bytes landed; each file is what the source had."""
    answer = _copy(bench)
    contents = _contents(bench)
    assert answer == CopyAnswer(4, 4, sum(map(len, contents.values())))
    assert all(gzip.decompress(content).count(b"\n") == 5 for content in contents.values())


def test_only_the_blobs_of_the_range_are_copied(bench: Bench) -> None:
    """Ranges of one export do not touch each other's blobs."""
    assert _copy(bench, start=1, stop=3).next == 3
    assert [name[:10] for name in _contents(bench)] == ["part-00001", "part-00002"]


def test_a_receipt_tells_what_landed(bench: Bench) -> None:
    """Name, landed name, length and MD5 of each blob stand in the range's receipt, and no secret."""
    _copy(bench, start=2)
    contents = _contents(bench)
    ((file, receipts),) = _receipts(bench).items()
    assert file == "_00002-00004.json"
    assert [(entry["name"], entry["landedName"], entry["length"], entry["md5"]) for entry in receipts] == [
        (name, name, len(content), hashlib.md5(content, usedforsecurity=False).hexdigest())
        for name, content in contents.items()
    ]
    bench.require_no_secret(json.dumps(receipts))


def test_a_slice_that_is_over_says_where_to_go_on(bench: Bench) -> None:
    """However short a slice is, it gets one blob further; the next one takes it up from there."""
    bench.set(copy_slice_seconds=0, copy_concurrency=1)

    async def scenario() -> list[CopyAnswer]:
        plan = await bench.plan()
        return [await bench.copy(plan, start) for start in range(4)]

    answers = bench.run(scenario)
    assert [(answer.next, answer.blobs) for answer in answers] == [(1, 1), (2, 1), (3, 1), (4, 1)]
    assert list(_receipts(bench)) == [f"_0000{start}-0000{start + 1}.json" for start in range(4)]
    assert sorted(bench.blob_requests()) == sorted(_contents(bench))


def test_a_short_slice_of_several_workers_reports_what_is_whole(bench: Bench) -> None:
    """What landed without a gap from the start counts; what landed beyond a gap is found there by the next slice."""
    bench.set(copy_slice_seconds=0, copy_concurrency=3)
    answer = _copy(bench)
    assert (answer.next, answer.blobs) == (3, 3)


def test_a_token_that_runs_out_in_the_middle_is_renewed(make_bench: MakeBench) -> None:
    """The manifest is read once more, only what is missing is copied, and nobody notices."""
    bench = make_bench(sas_seconds=60, blobs=6)
    bench.set(copy_concurrency=1)

    def expire_after_three(request: httpx.Request) -> None:
        if len(bench.source.requests) == 4:
            bench.clock.move(61)

    bench.source.interfere = expire_after_three
    answer = _copy(bench)
    assert (answer.next, answer.not_done) == (6, None)
    assert len(bench.blob_requests()) == 7
    assert len(set(bench.blob_requests())) == 6
    assert len([r for r in bench.graph.requests if r.method == "GET"]) == 2


def test_a_token_that_is_refused_to_many_at_once_is_renewed_once(make_bench: MakeBench) -> None:
    """Sixteen workers that are refused at the same time read the manifest once."""
    bench = make_bench(blobs=16)

    def refuse_first_token(request: httpx.Request) -> httpx.Response | None:
        bench.clock.moment = START + timedelta(seconds=1)
        return httpx.Response(403) if request.url.query == bench.source.requests[0].url.query else None

    bench.source.interfere = refuse_first_token
    assert _copy(bench).next == 16
    assert len(bench.source.requests) == 2 * 16
    assert len([r for r in bench.graph.requests if r.method == "GET"]) == 2


def test_a_token_that_is_refused_twice_is_a_fault_to_try_again(bench: Bench) -> None:
    """A source that refuses fresh tokens too is left alone for now."""
    bench.source.interfere = lambda _: httpx.Response(403)
    assert _put_off(_copy(bench)).problem.code == "SourceExpired"


def test_data_that_changed_after_planning_is_not_copied(bench: Bench) -> None:
    """Another worker that reads the manifest anew sees that it is another one: export anew."""

    def other_worker() -> None:
        bench.emulator.restate(INVOICE, 1)
        bench.clock.move(3600)

    told = in_vain(lambda: _after_planning(bench, other_worker, bench.copy))
    assert (told.kind, told.problem.code) == (ANEW, "DataChanged")
    assert not bench.landed(PART)


def test_data_that_changed_while_it_was_copied_is_exported_anew(make_bench: MakeBench) -> None:
    """The renewed manifest is compared with the plan as the first one was."""
    bench = make_bench(sas_seconds=60)
    bench.set(copy_concurrency=1)

    def change_in_the_middle(request: httpx.Request) -> None:
        if len(bench.source.requests) == 3:
            bench.emulator.restate(INVOICE, 1)
            bench.clock.move(61)

    bench.source.interfere = change_in_the_middle
    told = in_vain(lambda: _copy(bench))
    assert (told.kind, told.problem.code) == (ANEW, "DataChanged")


def test_what_has_landed_is_not_replaced_by_data_that_nobody_planned(bench: Bench) -> None:
    """Before anything is overwritten Microsoft is asked again, however good the manifest in memory still is."""

    async def scenario() -> None:
        plan = await bench.plan()
        await bench.copy(plan)
        bench.landed(PART)[0].write_bytes(b"committed by somebody else")
        bench.emulator.restate(INVOICE, 1)
        await bench.copy(plan)

    told = in_vain(lambda: bench.run(scenario))
    assert (told.kind, told.problem.code) == (ANEW, "DataChanged")
    assert bench.landed(PART)[0].read_bytes() == b"committed by somebody else"


def test_an_operation_that_is_gone_meanwhile_is_exported_anew(bench: Bench) -> None:
    """Without its manifest a range cannot be copied; a new export can."""

    def forget() -> None:
        bench.clock.move(3600)
        bench.graph.interfere = lambda _: httpx.Response(404)

    assert in_vain(lambda: _after_planning(bench, forget, bench.copy)).kind == ANEW


def test_a_permission_that_was_taken_away_is_not_believed_at_once(bench: Bench) -> None:
    """The same manifest was read a while ago."""

    def forbid() -> None:
        bench.clock.move(3600)
        bench.graph.interfere = lambda _: httpx.Response(403)

    assert in_vain(lambda: _after_planning(bench, forbid, bench.copy)).kind == LATER


def test_a_landing_zone_that_cannot_be_written_is_final(bench: Bench) -> None:
    """A file in the place of the landing folder is for a person to mend, and the answer says so."""
    bench.folder.write_text("in the way")
    told = in_vain(lambda: _copy(bench))
    assert (told.kind, told.problem.code) == (FINAL, "LandingRefused")
    assert told.problem.remedy


def test_a_short_fault_of_the_source_is_not_noticed(bench: Bench) -> None:
    """A request that fails once is sent again at once."""
    failures = iter([httpx.Response(503)])
    bench.source.interfere = lambda _: next(failures, None)
    assert _copy(bench).next == 4


@pytest.mark.parametrize("status", [404, 412, 500, 503])
def test_a_lasting_fault_of_the_source_is_told_without_secrets(bench: Bench, status: int) -> None:
    """What a new export may mend, or waiting, is told as such, and no URL of a blob is part of it."""
    bench.source.interfere = lambda _: httpx.Response(status)
    told = _copy(bench)
    assert (_put_off(told).kind, _put_off(told).at_last) == (LATER, ANEW)
    bench.require_no_secret(str(told))
    assert "http" not in str(told)


def test_an_outage_of_the_service_is_told_with_the_wait_that_it_asks_for(bench: Bench) -> None:
    """The manifest cannot be read for now; a new export could not either."""

    def go_down() -> None:
        bench.clock.move(3600)
        bench.graph.interfere = lambda _: httpx.Response(503, headers={"Retry-After": "60"})

    told = in_vain(lambda: _after_planning(bench, go_down, bench.copy))
    assert (told.kind, told.at_last, told.retry_after) == (LATER, FINAL, 60)


def test_a_connection_that_breaks_is_told_without_secrets(bench: Bench) -> None:
    """The transport's own text, which may quote the SAS URL, goes nowhere."""

    def break_off(request: httpx.Request) -> None:
        raise httpx.ReadError(f"broken: {request.url}", request=request)

    bench.source.interfere = break_off
    told = _copy(bench)
    assert "did not answer" in _put_off(told).problem.message
    bench.require_no_secret(str(told))


def test_what_had_landed_before_a_fault_is_not_copied_again(bench: Bench) -> None:
    """A slice says how far it got; another call finds the blobs that are there, compares them, and copies the rest."""
    bench.set(copy_concurrency=1)

    async def scenario() -> CopyAnswer:
        plan = await bench.plan()
        bench.source.interfere = lambda r: httpx.Response(500) if "part-00002" in r.url.path else None
        cut_short = await bench.copy(plan)
        assert (cut_short.next, cut_short.blobs) == (2, 2)
        assert "part-00002" in _put_off(cut_short).problem.message
        bench.source.interfere = lambda _: None
        return await bench.copy(plan)

    answer = bench.run(scenario)
    assert (answer.next, answer.blobs) == (4, 4)
    asked = [name[:10] for name in bench.blob_requests()]
    assert sorted(name for name in asked if name != "part-00002") == ["part-00000", "part-00001", "part-00003"]


def test_a_range_that_is_copied_twice_ends_alike(bench: Bench) -> None:
    """A second run answers as the first did, and leaves the same files and receipts."""

    async def scenario() -> list[Any]:
        plan = await bench.plan()
        return [(await bench.copy(plan), _contents(bench), _receipts(bench)) for _ in range(2)]

    first, second = bench.run(scenario)
    assert first == second


def test_a_range_that_is_copied_twice_at_once_ends_alike(bench: Bench) -> None:
    """Two workers on one range both report the whole of it, and it lands once."""

    async def scenario() -> list[CopyAnswer]:
        plan = await bench.plan()
        return list(await asyncio.gather(bench.copy(plan), bench.copy(plan)))

    first, second = bench.run(scenario)
    assert first == second
    assert first.next == 4
    assert len(_contents(bench)) == 4
    assert not bench.landed(".unfinished-*")


def test_a_blob_that_differs_is_replaced(bench: Bench) -> None:
    """What lies at the target and is not the source's content does not stay."""

    async def scenario() -> None:
        plan = await bench.plan()
        await bench.copy(plan)
        damaged = bench.landed(PART)[1]
        whole = damaged.read_bytes()
        damaged.write_bytes(whole[:-1] + b"x")
        assert (await bench.copy(plan)).next == 4
        assert damaged.read_bytes() == whole

    bench.run(scenario)


def test_a_slower_twin_takes_no_receipt_away(bench: Bench) -> None:
    """Where one range is copied twice at once, the commit still finds a receipt for all that either has copied."""
    whole = _copy(bench)
    part = _copy(bench, stop=2)
    assert (whole.next, part.next) == (4, 2)
    named = {entry["name"] for entries in _receipts(bench).values() for entry in entries}
    assert len(named) == 4
