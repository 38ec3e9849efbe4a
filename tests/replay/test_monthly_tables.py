"""A month makes the table of each invoice, once all of the invoice's exports have settled."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from messages.endings import Endings
from messages.months import Document, InvoicesAnswer, MonthlyOrder
from messages.names import BUILD_TABLE, LIST_INVOICES, MONTHLY_EXPORTS, READ_ENDINGS, RUN_EXPORT, START_NOTICE
from messages.tables import TableResult
from tests.replay import exports
from tests.replay.player import Order, Reply, Story, Task, one_by_one, play_story
from tests.replay.tables import TABLE

POLICY = replace(exports.POLICY, tables=True)
ONCE = MonthlyOrder("2026-09", POLICY, ["billedUsage", "billedReconciliation"])
ONE, OTHER = "G016907411", "G016907412"


def _run(
    order: MonthlyOrder = ONCE,
    export: Callable[[Any], Reply] = lambda _: exports.result(2),
    table: Callable[[Any], Reply] = lambda _: TABLE,
    in_order: Order = one_by_one,
    listed: Callable[[Any], Reply] = lambda _: exports.listed(ONE, OTHER),
) -> Story:
    answers = {
        LIST_INVOICES: listed,
        RUN_EXPORT: export,
        BUILD_TABLE: table,
        READ_ENDINGS: lambda _: Endings([]),
        START_NOTICE: lambda _: exports.failed(),
    }
    story = play_story(MONTHLY_EXPORTS, order.to_json(), answers, in_order, instance="monthly-2026-09")
    story.require_sound()
    return story


def _without(*datasets: str, code: str = "5000") -> Callable[[Any], Reply]:
    """These datasets have no data."""
    fault = Exception(f"{code}: Microsoft's export failed: No data available")
    return lambda data: fault if data["request"]["dataset"] in datasets else exports.result(2)


def test_each_invoice_has_one_table_after_all_of_its_exports() -> None:
    """Not one after each, and not after those of other invoices; the result says what it comes to."""

    def of_one_first(pending: list[Task]) -> list[Task]:
        return sorted(pending, key=lambda task: ONE not in str(task.input))[:1]

    story = _run(in_order=of_one_first)
    assert [call["invoice_id"] for call in story.calls(BUILD_TABLE)] == [ONE, OTHER]
    assert not any(call["policy"]["tables"] for call in story.calls(RUN_EXPORT))
    ids = [task.child_id for task in story.tasks if task.name == BUILD_TABLE]
    assert all(str(id_).startswith("monthly-2026-09:table:") for id_ in ids)
    assert [outcome["table"] for outcome in story.output["invoices"]] == [TABLE.to_json()] * 4
    order_of_names = [task.name for task in story.tasks if task.name in {RUN_EXPORT, BUILD_TABLE}]
    assert order_of_names == [RUN_EXPORT] * 4 + [BUILD_TABLE] * 2


def test_a_table_that_fails_is_no_failure_of_the_month() -> None:
    """It stands beside the others."""
    story = _run(table=exports.in_turn(Exception("UnknownShape: No line has a Quantity."), TABLE))
    states = [outcome["table"]["state"] for outcome in story.output["invoices"]]
    assert sorted(states) == ["complete", "complete", "failed", "failed"]
    assert {outcome["state"] for outcome in story.output["invoices"]} == {"landed"}


def test_an_invoice_that_never_has_usage_is_said_to_have_none_at_the_last_look() -> None:
    """Then its lines alone make a table that is complete."""
    waiting = replace(ONCE, recheck_hours=12, wait_days=1)
    story = _run(waiting, export=_without("billedUsage"))
    told = [call["without_usage"] for call in story.calls(BUILD_TABLE)]
    assert told == [False] * (len(told) - 2) + [True] * 2
    assert len(told) > 2


def test_the_table_of_an_invoice_that_is_voided_is_withdrawn_at_the_next_look() -> None:
    """Once, though nothing of it is exported before the last look; that of what replaces it is made."""
    waiting = replace(ONCE, recheck_hours=12, wait_days=2)
    voided = InvoicesAnswer([Document(ONE, voided=True, replaced_by=OTHER), Document(OTHER)])
    withdrawn = TableResult("voided")

    def table(data: Any) -> Reply:
        return withdrawn if data["invoice_id"] == ONE and len(listings) > 1 else TABLE

    listings: list[Any] = []

    def listed(data: Any) -> Reply:
        listings.append(data)
        return exports.listed(ONE) if len(listings) == 1 else voided

    story = _run(waiting, table=table, listed=listed)
    assert [call["invoice_id"] for call in story.calls(BUILD_TABLE)] == [ONE, ONE, OTHER, ONE, OTHER]
    tables = {outcome["invoiceId"]: outcome["table"] for outcome in story.output["invoices"]}
    assert tables == {ONE: withdrawn.to_json(), OTHER: TABLE.to_json()}


def test_nothing_is_made_where_nothing_has_landed_or_tables_are_off() -> None:
    """A month whose exports all fail has no tables."""
    assert _run(export=_without("billedUsage", "billedReconciliation")).calls(BUILD_TABLE) == []
    off = replace(ONCE, policy=exports.POLICY)
    story = _run(off)
    assert story.calls(BUILD_TABLE) == []
    assert not any("table" in outcome for outcome in story.output["invoices"])
