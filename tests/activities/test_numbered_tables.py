"""A table of many rows lies in several files, each made by a call of its own."""

import asyncio
import json
import uuid
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from azure.storage.blob import ContainerClient

from activities.settle_table import SETTLED, SETTLEMENT, TOTALS
from activities.tabulating import Making
from clients.process import clients
from failures import ANEW
from landing.zones.opening import open_zone
from local.azurite import Azurite
from messages.months import InvoicesOrder
from messages.names import READ_TABLES
from messages.tables import TablePlan, TableResult, TablesAnswer
from tests.activities.conftest import Bench, call, in_vain
from tests.activities.tabling import INVOICE, LINES, USAGE, Tabling

ROWS_A_FILE = 12
"""Two blobs of daily usage fit into a file, and into the last one not all settled rows."""

NAMES = [f"{INVOICE}-{number}.parquet" for number in (1, 2, 3)]


@pytest.fixture
def tabling(bench: Bench) -> Tabling:
    """A table whose files have few rows."""
    return Tabling(bench, ROWS_A_FILE)


def _names(tabling: Tabling) -> list[str]:
    return [file.name for file in tabling.files]


def _rows(files: str) -> duckdb.DuckDBPyRelation:
    return duckdb.read_parquet(files, hive_partitioning=False)


def test_several_files_have_the_rows_of_one(bench: Bench, tabling: Tabling, tmp_path: Path) -> None:
    """Each once; sum and state are those of the whole table, and its description names each file."""
    table = bench.run(tabling.both)
    assert (table.state, table.unexplained) == ("complete", "0.00")
    assert _names(tabling) == NAMES
    (tmp_path / "one.parquet").write_bytes(tabling.by_hand(tmp_path / "by hand"))
    one, several = _rows(str(tmp_path / "one.parquet")), _rows(f"{bench.folder}/focus/**/*.parquet")
    assert one.except_(several).fetchall() == several.except_(one).fetchall() == []
    assert several.aggregate("sum(BilledCost), count(*)").fetchall() == [(Decimal(table.sum), table.rows)]
    described = tabling.description
    assert described["invoice"]["total"] == described["billedCost"] == table.sum
    assert [(file["name"], file["length"]) for file in described["files"]] == [
        (file.name, file.stat().st_size) for file in tabling.files
    ]
    assert [file["rows"] for file in described["files"]] == [
        _rows(str(file)).aggregate("count(*)").fetchall()[0][0] for file in tabling.files
    ]
    assert bench.run(tabling.plan).table == table


def test_the_place_of_several_files_is_a_pattern_that_matches_exactly_them(bench: Bench, tabling: Tabling) -> None:
    """As DuckDB reads it."""
    table = bench.run(tabling.both)
    tabling.files[0].with_name(f"{INVOICE}5.parquet").write_bytes(tabling.files[0].read_bytes())

    async def listed() -> Any:
        return TablesAnswer.from_json(await call(READ_TABLES, InvoicesOrder("2026-09"))).tables

    (one,) = bench.run(listed)
    assert one["location"].endswith(f"/{INVOICE}-*.parquet")
    path = one["location"].removeprefix(bench.folder.as_uri())
    assert _rows(f"{bench.folder}{path}").aggregate("count(*)").fetchall() == [(table.rows,)]


def test_each_call_reads_its_own_parts_alone(bench: Bench, tabling: Tabling) -> None:
    """So room and time do not grow with the table."""

    async def without_the_others() -> None:
        plan = await tabling.converted()
        assert await tabling.settle(plan) == 3
        for part in ("00002", "00003"):
            (rows,) = bench.folder.glob(f"_work/focus/**/billed_usage/**/{part}.parquet")
            rows.unlink()
        assert await tabling.publish_file(plan, 0) is None
        assert _names(tabling) == NAMES[:1]
        await tabling.publish_file(plan, 1)

    assert in_vain(lambda: bench.run(without_the_others)).kind == ANEW
    bench.run(tabling.build)
    assert _names(tabling) == NAMES


def test_every_call_may_run_twice_and_at_once(bench: Bench, tabling: Tabling) -> None:
    """The outcome is that of each having run once."""

    async def twice() -> list[TableResult | None]:
        plan = await tabling.converted()
        await asyncio.gather(tabling.settle(plan), tabling.settle(plan))
        made: list[TableResult | None] = []
        for file in range(3):
            made += await asyncio.gather(tabling.publish_file(plan, file), tabling.publish_file(plan, file))
        return [*made, await tabling.publish_file(plan, 1)]

    *before, one, other, late = bench.run(twice)
    assert before == [None] * 4
    assert one == other == late == bench.run(tabling.plan).table
    assert one is not None


@pytest.mark.parametrize(("before", "after"), [(ROWS_A_FILE, 1000), (1000, ROWS_A_FILE), (5, ROWS_A_FILE)])
def test_a_table_that_has_other_files_than_before_leaves_none_of_those(
    bench: Bench, tabling: Tabling, before: int, after: int
) -> None:
    """Whether it grew or shrank."""

    async def partial_then_complete() -> TableResult:
        tabling.rows_a_file = before
        await tabling.export(USAGE)
        await tabling.build()
        tabling.rows_a_file = after
        await tabling.export(LINES)
        return await tabling.build()

    table = bench.run(partial_then_complete)
    assert _names(tabling) == (NAMES if after == ROWS_A_FILE else [f"{INVOICE}.parquet"])
    everything = _rows(f"{bench.folder}/focus/**/*.parquet").aggregate("sum(BilledCost), count(*)").fetchall()
    assert everything == [(Decimal(table.sum), table.rows)]


def test_a_table_whose_inputs_were_replaced_between_its_files_is_planned_again(bench: Bench, tabling: Tabling) -> None:
    """What it had replaced by then is no table, and the next one heals it."""

    async def overtaken() -> None:
        await tabling.export(USAGE)
        plan = (await tabling.plan()).plan
        assert plan is not None
        await tabling.convert(plan)
        assert await tabling.settle(plan) == 2
        await tabling.publish_file(plan, 0)
        await tabling.export(LINES)
        await tabling.publish_file(plan, 1)

    not_done = in_vain(lambda: bench.run(overtaken))
    assert (not_done.kind, not_done.problem.code) == (ANEW, "InputsChanged")
    assert _names(tabling) == NAMES[:1]
    assert bench.run(tabling.build).state == "complete"
    assert _names(tabling) == NAMES


def _without_the_second(tabling: Tabling) -> None:
    tabling.files[1].unlink()


def _with_a_fourth(tabling: Tabling) -> None:
    tabling.files[0].with_name(f"{INVOICE}-4.parquet").write_bytes(b"of another table")


def _with_the_only_one(tabling: Tabling) -> None:
    tabling.files[0].with_name(f"{INVOICE}.parquet").write_bytes(b"of another table")


@pytest.mark.parametrize("left", [_without_the_second, _with_a_fourth, _with_the_only_one])
def test_what_a_dead_builder_left_is_healed(bench: Bench, tabling: Tabling, left: Callable[[Tabling], None]) -> None:
    """Planning sees that it is not exactly the table, and it is made again."""
    table = bench.run(tabling.both)
    left(tabling)
    assert bench.run(tabling.plan).plan is not None
    assert bench.run(tabling.build) == table
    assert _names(tabling) == NAMES


def test_a_file_that_is_not_as_settled_is_not_put_in_its_place(bench: Bench, tabling: Tabling) -> None:
    """Whatever its parts say of themselves."""

    async def otherwise() -> None:
        plan = await tabling.converted()
        await tabling.settle(plan)
        await _settle_otherwise(bench, plan)
        await tabling.publish_file(plan, 0)

    not_done = in_vain(lambda: bench.run(otherwise))
    assert (not_done.kind, not_done.problem.code) == (ANEW, "Incomplete")
    assert tabling.files == []


async def _settle_otherwise(bench: Bench, plan: TablePlan) -> None:
    work = Making(await clients(), plan).work
    (totals,) = bench.folder.glob(f"_work/focus/tables/**/{TOTALS}")
    settled = json.loads(totals.read_bytes())
    settled["files"][0]["rows"] += 1
    totals.write_text(json.dumps(settled))
    await work.keep(SETTLEMENT, [totals, totals.with_name(SETTLED)])


@pytest.mark.azurite
def test_a_container_gets_the_same_files_as_a_folder(bench: Bench, tabling: Tabling, azurite: Azurite) -> None:
    """Byte by byte, and beside them the same is said."""
    connection, container = azurite.landing_connection_string, f"numbered-{uuid.uuid4().hex[:8]}"
    table = bench.run(tabling.both)
    bench.open_zone = lambda sources: open_zone(
        f"{azurite.landing_account_url}/{container}", connection, lambda: None, sources
    )
    with ContainerClient.from_connection_string(connection, container) as client:
        client.create_container()
        for file in bench.landed("billed_*/**/*"):
            if file.is_file():
                client.upload_blob(file.relative_to(bench.folder).as_posix(), file.read_bytes())
        assert bench.run(tabling.build) == table
        landed = {blob.name: client.download_blob(blob.name).readall() for blob in client.list_blobs("focus/")}
    files = [*tabling.files, tabling.files[0].with_name(f"_{INVOICE}.json")]
    assert landed == {file.relative_to(bench.folder).as_posix(): file.read_bytes() for file in files}
