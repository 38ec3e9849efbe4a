"""How a table comes about: its steps, its waits, and its ends."""

from dataclasses import replace
from typing import Any

import pytest

from catalog.export_request import ExportRequest
from failures import ANEW, FINAL
from messages.exports import CommitAnswer, ExportOrder
from messages.months import InvoicesOrder
from messages.names import (
    BUILD_TABLE,
    BUILD_TABLES,
    COMMIT_EXPORT,
    CONVERT_LINES,
    FIND_LANDED,
    LIST_TABLES,
    PLAN_TABLE,
    PUBLISH_TABLE,
    READ_TABLES,
    RUN_EXPORT,
    SETTLE_TABLE,
    START_NOTICE,
)
from messages.tables import (
    ConvertAnswer,
    EngineAnswer,
    LandedInvoices,
    PlanAnswer,
    PublishAnswer,
    SettleAnswer,
    TablesAnswer,
    TablesOrder,
)
from orchestrator.build_table import ATTEMPTS, SLICES_PER_HISTORY
from tests.replay import exports
from tests.replay.player import TIMER, Replies, Story, play, play_story
from tests.replay.tables import INVOICE, ORDER, TABLE, busy_at_first, replies

CHILD = f"{exports.REQUEST.export_id}:table:1f0c3b2a"
WITH_TABLES = replace(exports.POLICY, tables=True)


def _built(answers: Replies) -> Story:
    story = play_story(BUILD_TABLE, ORDER.to_json(), answers, instance=CHILD)
    story.require_sound()
    return story


def _exported(dataset: str, policy: Any = WITH_TABLES, **other: Any) -> Story:
    order = ExportOrder(ExportRequest.of_invoice(INVOICE, dataset), policy)
    return play_story(RUN_EXPORT, order.to_json(), exports.replies(3, **other))


def test_a_table_is_planned_converted_settled_and_published() -> None:
    """Blob after blob, each slice from where the one before got to; nobody else is told of it."""
    story = _built(replies(3))
    assert story.output == TABLE.to_json()
    assert [call["start"] for call in story.calls(CONVERT_LINES)] == [0, 1, 2]
    assert {call["run_id"] for call in story.calls(CONVERT_LINES)} == {CHILD}
    phases = [status["phase"] for status in story.statuses]
    assert list(dict.fromkeys(phases)) == ["planning", "converting", "settling", "publishing", "done"]
    assert story.status["progress"] == {"blobsDone": 3, "blobCount": 3, "bytesDone": 30}
    assert story.calls(START_NOTICE) == []


def test_a_table_that_stands_there_already_is_left_alone() -> None:
    """Nothing is read for it."""
    story = _built(replies(3, plan_table=lambda _: PlanAnswer(table=TABLE)))
    assert story.output == TABLE.to_json()
    assert story.calls(CONVERT_LINES) == story.calls(PUBLISH_TABLE) == []


def test_a_table_of_many_blobs_keeps_its_histories_short() -> None:
    """Whatever the number of slices."""
    story = _built(replies(2 * SLICES_PER_HISTORY + 1))
    assert [call["start"] for call in story.calls(CONVERT_LINES)] == list(range(2 * SLICES_PER_HISTORY + 1))
    assert len(story.plays) >= 3
    assert story.longest_history < 1000
    assert len(story.calls(PLAN_TABLE)) == 1


@pytest.mark.parametrize(
    ("activity", "answer"),
    [(CONVERT_LINES, ConvertAnswer(next=1)), (SETTLE_TABLE, SettleAnswer(files=1))],
)
def test_who_does_not_get_the_engine_waits_by_a_timer(activity: str, answer: EngineAnswer) -> None:
    """And asks again, as often as it takes."""
    story = _built(replies(1, **{activity: busy_at_first(answer, times=20)}))
    assert story.output == TABLE.to_json()
    assert len(story.calls(activity)) == 21
    assert len(story.calls(TIMER)) == 20
    assert story.longest_history < 1000


def test_a_table_whose_inputs_were_replaced_is_planned_again() -> None:
    """Five times; then a person is told."""
    stale = exports.failed(ANEW)
    again = _built(replies(1, publish_table=exports.in_turn(stale, stale, *[_published()])))
    assert again.output == TABLE.to_json()
    assert len(again.calls(PLAN_TABLE)) == 3
    in_vain = _built(replies(1, publish_table=lambda _: stale))
    assert len(in_vain.calls(PLAN_TABLE)) == ATTEMPTS
    assert in_vain.end.failure is not None


def test_a_table_of_several_files_is_published_file_by_file() -> None:
    """The status says how many are done; the last one's answer has the table."""
    publishing = exports.in_turn(PublishAnswer(), PublishAnswer(busy=True), PublishAnswer(), PublishAnswer(table=TABLE))
    story = _built(replies(1, settle_table=lambda _: SettleAnswer(files=3), publish_table=publishing))
    assert story.output == TABLE.to_json()
    assert [call["file"] for call in story.calls(PUBLISH_TABLE)] == [0, 1, 1, 2]
    shown = [status["progress"] for status in story.statuses if status["phase"] == "publishing"]
    assert {(progress["blobsDone"], progress["blobCount"]) for progress in shown} == {(0, 3), (1, 3), (2, 3)}


def test_a_table_that_somebody_else_published_meanwhile_needs_no_more_files() -> None:
    """Whoever comes second is told so with the next file."""
    publishing = exports.in_turn(PublishAnswer(), PublishAnswer(table=TABLE))
    story = _built(replies(1, settle_table=lambda _: SettleAnswer(files=200), publish_table=publishing))
    assert story.output == TABLE.to_json()
    assert len(story.calls(PUBLISH_TABLE)) == 2


def test_a_table_of_many_files_stays_within_one_history() -> None:
    """200 files are 600 million rows."""

    def publish(step: Any) -> PublishAnswer:
        return PublishAnswer(table=TABLE if step["file"] == 199 else None)

    story = _built(replies(1, settle_table=lambda _: SettleAnswer(files=200), publish_table=publish))
    assert len(story.calls(PUBLISH_TABLE)) == 200
    assert story.longest_history < 1000


def _published() -> Any:
    return replies(1)[PUBLISH_TABLE]({})


def test_a_table_that_fails_is_told_by_a_notice() -> None:
    """Its subject is the table's own run, and the error says what to do."""
    story = _built(replies(1, settle_table=lambda _: exports.failed(FINAL)))
    assert story.end.failure is not None
    assert story.status["error"] == exports.PROBLEM.to_json()
    (notice,) = story.calls(START_NOTICE)
    assert (notice["about"], notice["outcome"], notice["subject"]) == ("table", "failed", CHILD)


@pytest.mark.parametrize("dataset", ["billedUsage", "billedReconciliation"])
def test_an_export_of_an_invoice_ends_with_its_table(dataset: str) -> None:
    """Its result says what the table comes to, and that all landed bytes have been read for it."""
    story = _exported(dataset, build_table=lambda _: TABLE)
    story.require_sound()
    assert story.output["table"] == TABLE.to_json()
    assert story.output["contentVerified"] is True
    (made,) = [task for task in story.tasks if task.name == BUILD_TABLE]
    assert made.child_id is not None
    assert made.child_id.startswith("billedUsage-G016907411-full:table:")
    assert len(made.child_id.rpartition(":")[2]) == 8
    assert "tabulating" in [status["phase"] for status in story.statuses]


def test_an_unchanged_export_tries_its_table_again() -> None:
    """One that failed last time is made now."""
    unchanged = replace(exports.result(3), unchanged=True)
    story = _exported("billedUsage", commit_export=lambda _: CommitAnswer(unchanged), build_table=lambda _: TABLE)
    assert story.output["unchanged"] is True
    assert len(story.calls(BUILD_TABLE)) == 1


def test_an_export_whose_table_fails_has_succeeded() -> None:
    """The result says that, and why."""
    story = _exported("billedUsage", build_table=lambda _: Exception("UnknownShape: No line has a Quantity."))
    assert story.output["table"] == {"state": "failed", "error": "UnknownShape: No line has a Quantity."}
    assert story.output["contentVerified"] is False
    (notice,) = story.calls(START_NOTICE)
    assert notice["outcome"] == "succeeded"


@pytest.mark.parametrize(
    ("dataset", "policy"), [("billedUsage", exports.POLICY), ("billedAggregatedUsage", WITH_TABLES)]
)
def test_no_table_is_made_where_none_is_wanted(dataset: str, policy: Any) -> None:
    """Neither where tables are off, nor of data that is in no table."""
    body = {"dataset": dataset, "invoiceId": INVOICE}
    order = ExportOrder(ExportRequest.parse(body), policy)
    story = play_story(RUN_EXPORT, order.to_json(), exports.replies(3))
    assert story.calls(BUILD_TABLE) == []
    assert "table" not in story.output
    assert len(story.calls(COMMIT_EXPORT)) == 1


def test_a_month_s_tables_are_made_one_after_the_other() -> None:
    """One that fails does not stop the others; then the run fails, and names it."""
    answers: Replies = {
        FIND_LANDED: lambda _: LandedInvoices([INVOICE, "G016907412"]),
        BUILD_TABLE: exports.in_turn(TABLE, Exception("UnknownShape: No line has a Quantity.")),
        START_NOTICE: lambda _: exports.failed(),
    }
    order = TablesOrder("2026-10", exports.POLICY).to_json()
    story = play_story(BUILD_TABLES, order, answers, instance="tables-2026-10")
    story.require_sound()
    assert [call["invoice_id"] for call in story.calls(BUILD_TABLE)] == [INVOICE, "G016907412"]
    assert story.status["error"]["code"] == "TablesFailed"
    assert "G016907412: UnknownShape" in story.status["error"]["message"]
    alone = play_story(BUILD_TABLES, order, {**answers, BUILD_TABLE: lambda _: TABLE}, instance="tables-2026-10")
    assert [table["invoiceId"] for table in alone.output["tables"]] == [INVOICE, "G016907412"]


def test_listing_tables_answers_what_was_read() -> None:
    """By one activity."""
    told = TablesAnswer([TABLE.to_json()])
    listed = play(LIST_TABLES, InvoicesOrder("2026-10").to_json(), {READ_TABLES: lambda _: told})
    assert listed.output == told.to_json()
    assert listed.calls(READ_TABLES) == [{"month": "2026-10"}]
