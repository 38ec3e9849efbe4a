"""A table of what has landed, activity by activity, as they are registered."""

import asyncio
import gzip
import json
import shutil
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from decimal import Decimal
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import duckdb
import httpx
import pytest

from activities import tabulating
from clients.process import clients
from failures import ANEW, FINAL, LATER, Failure
from landing.inputs import NO_DATA
from messages.months import InvoicesOrder
from messages.names import (
    CONVERT_LINES,
    FIND_LANDED,
    MARK_NO_DATA,
    PUBLISH_TABLE,
    READ_TABLES,
    SETTLE_TABLE,
)
from messages.tables import (
    ConvertAnswer,
    ConvertOrder,
    InvoiceOrder,
    LandedInvoices,
    TableResult,
    TablesAnswer,
    TableStep,
)
from tables import engine
from tests.activities.conftest import PARTNER_CENTER, Bench, call, in_vain
from tests.activities.tabling import INVOICE, LINES, USAGE, Tabling
from tests.file_limit import no_file_larger_than


@pytest.fixture
def tabling(bench: Bench) -> Tabling:
    """On the bench."""
    return Tabling(bench)


def test_a_table_of_both_documents_comes_to_the_invoice(bench: Bench, tabling: Tabling, tmp_path: Path) -> None:
    """Byte by byte it is what the files make in one go; its sum is Partner Center's total, nothing is unexplained."""
    table = bench.run(tabling.both)
    assert (table.state, table.unexplained, table.currency) == ("complete", "0.00", "EUR")
    assert tabling.description["invoice"]["total"] == table.sum
    assert tabling.file.read_bytes() == tabling.by_hand(tmp_path / "by hand")
    everything = duckdb.read_parquet(f"{bench.folder}/focus/**/*.parquet")
    assert everything.aggregate("sum(BilledCost), count(*)").fetchall() == [(Decimal(table.sum), table.rows)]
    about = json.loads((bench.folder / f"invoices/{INVOICE}.json").read_text())
    assert about == {
        "invoiceId": INVOICE,
        "month": "2026-09",
        "total": table.sum,
        "currency": "EUR",
        "voided": False,
        "amendments": [],
    }
    assert tabling.file.parent.name == "billing_month=2026-09"


def test_one_document_makes_a_partial_table_that_the_other_completes(
    bench: Bench, tabling: Tabling, tmp_path: Path
) -> None:
    """What was converted of the first is not read again."""
    read = []

    async def both_in_turn() -> list[TableResult]:
        tables = []
        for dataset in (USAGE, LINES):
            await tabling.export(dataset)
            planned = await tabling.plan()
            assert planned.plan is not None
            read.append(await tabling.convert(planned.plan))
            await tabling.settle(planned.plan)
            tables.append(await tabling.publish(planned.plan))
        return tables

    partial, complete = bench.run(both_in_turn)
    assert (partial.state, partial.unexplained) == ("partial", None)
    assert complete.state == "complete"
    lengths = [sum(blob.stat().st_size for blob in tabling.blobs(f)) for f in ("billed_usage", "billed_reconciliation")]
    assert read == lengths
    assert tabling.file.read_bytes() == tabling.by_hand(tmp_path / "by hand")


def test_a_table_that_stands_there_is_left_alone(bench: Bench, tabling: Tabling) -> None:
    """Unless its file is not the one that was described."""
    built = bench.run(tabling.both)
    assert bench.run(tabling.plan).table == built
    tabling.file.write_bytes(b"damaged")
    assert bench.run(tabling.plan).plan is not None
    assert bench.run(tabling.build) == built
    assert bench.run(tabling.plan).table == built


def test_only_what_belongs_to_the_table_alone_is_removed_after_it(bench: Bench, tabling: Tabling) -> None:
    """Parts of exports stay for a week, for a restated document; then they go too."""
    bench.clock.moment = bench.clock.moment.replace(year=2026)
    bench.run(tabling.both)
    assert list(bench.folder.glob("_work/focus/tables/**/*.parquet")) == []
    parts = [path for path in bench.folder.glob("_work/focus/**/*") if path.is_file()]
    assert len([path for path in parts if path.name.endswith(".kept.json")]) == 8

    async def after_a_week() -> None:
        from landing.work import KEPT, sweep_work

        zone = (await clients()).zone
        newest = max([landed.modified async for landed in zone.list("_work/focus")])
        await sweep_work(zone, newest + KEPT / 2)
        assert [landed async for landed in zone.list("_work/focus")]
        await sweep_work(zone, newest + KEPT * 2)
        assert not [landed async for landed in zone.list("_work/focus")]

    bench.run(after_a_week)


def test_every_step_may_run_twice_and_at_once(bench: Bench, tabling: Tabling, tmp_path: Path) -> None:
    """The outcome is the same."""

    async def twice() -> tuple[TableResult, TableResult]:
        await tabling.export(USAGE)
        await tabling.export(LINES)
        plan = (await tabling.plan()).plan
        assert plan is not None
        await asyncio.gather(tabling.convert(plan), tabling.convert(plan))
        await asyncio.gather(tabling.settle(plan), tabling.settle(plan))
        return await asyncio.gather(tabling.publish(plan), tabling.publish(plan))

    one, other = bench.run(twice)
    assert one == other
    assert tabling.file.read_bytes() == tabling.by_hand(tmp_path / "by hand")


def test_who_does_not_get_the_engine_has_done_nothing(
    bench: Bench, tabling: Tabling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says so, and holds nobody up."""
    monkeypatch.setattr(tabulating, "TURN_SECONDS", 0.01)

    async def all_in_vain() -> list[Any]:
        await tabling.export(USAGE)
        plan = (await tabling.plan()).plan
        assert plan is not None
        async with (await clients()).engine:
            steps = [await call(name, TableStep(plan)) for name in (SETTLE_TABLE, PUBLISH_TABLE)]
            return [await call(CONVERT_LINES, ConvertOrder(plan, 2)), *steps]

    answers = bench.run(all_in_vain)
    assert [answer["busy"] for answer in answers] == [True, True, True]
    assert answers[0]["next"] == 2
    assert list(bench.folder.glob("_work/focus/**/*.parquet")) == []


def test_a_slice_of_time_ends_after_a_blob(bench: Bench, tabling: Tabling) -> None:
    """However short it is, it gets further."""
    bench.set(copy_slice_seconds=0)

    async def first_slice() -> ConvertAnswer:
        bench.set(copy_slice_seconds=240)
        await tabling.export(USAGE)
        plan = (await tabling.plan()).plan
        assert plan is not None
        return ConvertAnswer.from_json(await call(CONVERT_LINES, ConvertOrder(plan, 0)))

    assert bench.run(first_slice).next == 1


def test_a_table_whose_inputs_were_replaced_is_not_published(bench: Bench, tabling: Tabling) -> None:
    """It has to be planned again."""

    async def overtaken() -> None:
        await tabling.export(USAGE)
        plan = (await tabling.plan()).plan
        assert plan is not None
        await tabling.convert(plan)
        await tabling.settle(plan)
        await tabling.export(LINES)
        await tabling.publish(plan)

    not_done = in_vain(lambda: bench.run(overtaken))
    assert (not_done.kind, not_done.problem.code) == (ANEW, "InputsChanged")
    assert list(bench.folder.glob("focus/**/*")) == []
    assert bench.run(tabling.build).state == "complete"


@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_a_blob_that_is_not_the_committed_one_makes_no_table(bench: Bench, tabling: Tabling, damage: str) -> None:
    """Every landed byte is read for it, and compared."""

    async def damaged() -> None:
        await tabling.export(USAGE)
        blob = tabling.blobs("billed_usage")[2]
        if damage == "gone":
            blob.unlink()
        else:
            blob.write_bytes(gzip.compress(b"{}\n"))
        await tabling.build()

    not_done = in_vain(lambda: bench.run(damaged))
    assert (not_done.kind, not_done.problem.code) == (ANEW, "Incomplete")
    assert "part-00002" in not_done.problem.message
    # Another version, or the other document, may have a blob of that name.
    assert "It is in billed_usage/partner_tenant=" in not_done.problem.message


def test_parts_that_were_removed_meanwhile_are_made_again(bench: Bench, tabling: Tabling) -> None:
    """The table is planned anew."""

    async def swept() -> None:
        await tabling.export(USAGE)
        plan = (await tabling.plan()).plan
        assert plan is not None
        await tabling.convert(plan)
        shutil.rmtree(bench.folder / "_work")
        await tabling.settle(plan)

    assert in_vain(lambda: bench.run(swept)).kind == ANEW
    assert bench.run(tabling.build).state == "partial"


def test_a_full_temporary_folder_is_told(bench: Bench, tabling: Tabling, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is written into it."""
    monkeypatch.setattr(tabulating, "SPARE_BYTES", 1 << 60)

    async def build() -> None:
        await tabling.export(USAGE)
        await tabling.build()

    not_done = in_vain(lambda: bench.run(build))
    assert (not_done.kind, not_done.problem.code) == (LATER, "NoRoom")
    assert f"The temporary folder {gettempdir()} has" in not_done.problem.message


def _fill_the_disk(_: pytest.MonkeyPatch) -> AbstractContextManager[None]:
    return no_file_larger_than(5_000)


def _take_the_memory(patch: pytest.MonkeyPatch) -> AbstractContextManager[None]:
    patch.setattr(engine, "MEMORY_LIMIT", "1MB")
    return nullcontext()


def _take_the_engine(patch: pytest.MonkeyPatch) -> AbstractContextManager[None]:
    patch.setitem(sys.modules, "duckdb", None)
    return nullcontext()


@pytest.mark.parametrize(
    ("lacking", "kind", "code"),
    [
        (_fill_the_disk, LATER, "NoRoom"),
        (_take_the_memory, LATER, "NoMemory"),
        (_take_the_engine, FINAL, "NoEngine"),
    ],
)
def test_what_a_machine_lacks_is_told(
    bench: Bench,
    tabling: Tabling,
    monkeypatch: pytest.MonkeyPatch,
    lacking: Callable[[pytest.MonkeyPatch], AbstractContextManager[None]],
    kind: str,
    code: str,
) -> None:
    """With what helps, and nothing half is left; where it is there again, the table is made."""
    bench.run(lambda: tabling.export(USAGE))
    with monkeypatch.context() as patch, lacking(patch):
        not_done = in_vain(lambda: bench.run(tabling.build))
    assert (not_done.kind, not_done.problem.code) == (kind, code)
    assert not_done.problem.remedy != Failure.remedy
    assert [path for path in bench.folder.glob("_work/**/*") if path.is_file()] == []
    assert bench.run(tabling.build).state == "partial"


def test_nothing_stays_in_the_temporary_folder(
    bench: Bench, tabling: Tabling, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither after a table nor after one that failed."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    bench.run(tabling.both)
    tabling.blobs("billed_usage")[0].write_bytes(b"no gzip")
    shutil.rmtree(bench.folder / "_work")
    tabling.file.unlink()
    in_vain(lambda: bench.run(tabling.build))
    assert list((tmp_path / "temporary").iterdir()) == []


def test_basic_attributes_make_a_reduced_table(bench: Bench, tabling: Tabling) -> None:
    """All attributes count more, once they land."""

    async def basic_then_full() -> list[bool]:
        reduced = []
        for attribute_set in ("basic", "full"):
            await tabling.export(USAGE, attribute_set)
            await tabling.build()
            reduced.append(tabling.description["reduced"])
        return reduced

    assert bench.run(basic_then_full) == [True, False]


def test_an_invoice_without_usage_is_complete_with_its_lines(bench: Bench, tabling: Tabling) -> None:
    """Once somebody has said that there is none."""

    async def licences() -> TableResult:
        await tabling.export(LINES)
        await call(MARK_NO_DATA, InvoiceOrder(INVOICE))
        return await tabling.build()

    assert bench.run(licences).state == "complete"
    assert tabling.description["inputs"]["billed_usage"] == NO_DATA


def _void(bench: Bench) -> None:
    """Says that the invoice is void, as reading it does."""
    (about,) = bench.folder.glob(f"invoices/{INVOICE}.json")
    about.write_text(json.dumps(json.loads(about.read_text()) | {"voided": True}))


def test_the_table_of_an_invoice_that_is_void_is_withdrawn(bench: Bench, tabling: Tabling) -> None:
    """What replaces it has a table of its own, and the folder counts nothing twice; what landed stays."""
    bench.set(partner_center_base_url="https://api.partnercenter.microsoft.com")
    bench.run(tabling.both)
    landed = sorted(bench.folder.glob("billed_*/**/*"))
    _void(bench)
    assert bench.run(tabling.build) == TableResult("voided")
    assert list(bench.folder.glob("focus/*/*/*")) == []
    assert sorted(bench.folder.glob("billed_*/**/*")) == landed


def test_an_invoice_that_becomes_void_while_its_table_is_made_has_none(bench: Bench, tabling: Tabling) -> None:
    """It is planned again, and then withdrawn."""
    bench.set(partner_center_base_url="https://api.partnercenter.microsoft.com")

    async def voided() -> None:
        plan = await tabling.converted()
        _void(bench)
        await tabling.publish(plan, await tabling.settle(plan))

    assert in_vain(lambda: bench.run(voided)).problem.code == "InputsChanged"
    assert list(bench.folder.glob("focus/*/*/*")) == []


def test_an_invoice_that_is_not_listed_has_the_month_of_its_lines(bench: Bench, tabling: Tabling) -> None:
    """Its total is not known then; a month that was written once stays."""
    bench.set(partner_center_base_url="https://api.partnercenter.microsoft.com")
    table = bench.run(tabling.both)
    assert table.state == "complete"
    assert tabling.description["month"] == "2026-09"
    assert tabling.description["invoice"] == {"total": None, "currency": None}
    about = bench.folder / f"invoices/{INVOICE}.json"
    about.write_text(json.dumps({"invoiceId": INVOICE, "month": "2026-08"}))
    bench.set(partner_center_base_url=PARTNER_CENTER)
    bench.run(tabling.plan)
    known = json.loads(about.read_text())
    assert (known["month"], known["total"]) == ("2026-08", table.sum)


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_who_may_not_read_the_list_of_invoices_has_tables_too(bench: Bench, tabling: Tabling, status: int) -> None:
    """The lines say the month."""

    def refuse(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(status) if "/v1/invoices" in request.url.path else None

    bench.graph.interfere = refuse
    assert bench.run(tabling.both).state == "complete"


def test_what_has_not_landed_has_no_table(bench: Bench, tabling: Tabling) -> None:
    """And the failure says what to do first."""
    not_done = in_vain(lambda: bench.run(tabling.build))
    assert not_done.problem.code == "NothingLanded"


def test_a_month_s_tables_are_listed_from_what_stands_beside_them(bench: Bench, tabling: Tabling) -> None:
    """With state, sum and place; of another month there is none."""
    table = bench.run(tabling.both)

    async def listed(month: str) -> list[dict[str, Any]]:
        return TablesAnswer.from_json(await call(READ_TABLES, InvoicesOrder(month))).tables

    (one,) = bench.run(lambda: listed("2026-09"))
    assert one == {
        "invoiceId": INVOICE,
        "month": "2026-09",
        "location": f"{bench.folder.as_uri()}/{tabling.file.relative_to(bench.folder).as_posix()}",
        "invoice": {"total": table.sum, "currency": "EUR"},
        **table.to_json(),
    }
    assert bench.run(lambda: listed("2026-10")) == []


def test_a_month_s_invoices_are_those_that_have_landed(bench: Bench, tabling: Tabling) -> None:
    """One whose month nobody knows yet may be among them."""

    async def found(month: str) -> list[str]:
        return LandedInvoices.from_json(await call(FIND_LANDED, InvoicesOrder(month))).invoice_ids

    bench.run(lambda: tabling.export(USAGE))
    assert bench.run(lambda: found("2026-01")) == [INVOICE]
    bench.run(tabling.build)
    assert bench.run(lambda: found("2026-01")) == []
    assert bench.run(lambda: found("2026-09")) == [INVOICE]


def test_a_table_is_never_published_without_its_settled_rows(bench: Bench, tabling: Tabling) -> None:
    """Another builder that has just published the same table removes them."""

    async def removed() -> None:
        await tabling.export(USAGE)
        await tabling.export(LINES)
        plan = (await tabling.plan()).plan
        assert plan is not None
        await tabling.convert(plan)
        await tabling.settle(plan)
        (settled,) = bench.folder.glob("_work/focus/tables/**/settled.parquet")
        settled.unlink()
        await tabling.publish(plan)

    assert in_vain(lambda: bench.run(removed)).kind == ANEW
    assert list(bench.folder.glob("focus/**/*")) == []
