"""The messages that cross the durable boundary."""

import importlib
import json
import pkgutil
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import messages
from catalog.export_request import ExportRequest
from failures import ANEW, FINAL, LATER
from messages.cancelling import CancelOrder, EndAnswer, EndOrder
from messages.encoding import Message, PublicMessage
from messages.endings import EndedInstances, Ending, Endings
from messages.exports import (
    CheckOperation,
    CommitAnswer,
    CopyAnswer,
    CopyOrder,
    CopyProgress,
    ExportOrder,
    OfRun,
    Operation,
    OperationAnswer,
    Plan,
    Polling,
    PollingAnswer,
    Result,
    StartAnswer,
    StartOrder,
    VersionAnswer,
    VersionOrder,
)
from messages.months import BackfillOrder, Document, InvoicesAnswer, InvoicesOrder, MonthlyOrder, Outcome
from messages.notices import Notice
from messages.problems import Answer, MetProblem, NotDone, Problem
from orchestrator.copying import begin
from tests import export_policy
from tests.messages.table_examples import table_examples

LARGEST = 4096
"""Bytes of JSON that no message may exceed."""

MOMENT = datetime(2026, 10, 8, 6, 30, 15, 123456, tzinfo=UTC)
REQUEST = ExportRequest.parse({"invoiceId": "G016907411", "attributeSet": "basic"})
POLICY = replace(export_policy.POLICY, poll_interval_seconds=0.5)
PROBLEM = Problem("Forbidden", "Not this tenant: «nicht dieser».", "Grant the role.", "1f0c3b2a")
OPERATION = "https://graph.microsoft.com/v1.0/reports/partners/billing/operations/7b7b3a3e-5b1f-4a26-9b39-6f6a0a3c53a1"
PLAN = Plan(
    manifest_url=OPERATION,
    digest="5f0c2ab94d3e7a10" * 4,
    e_tag="RZxYhqv8lYzIcKpu6",
    blob_count=1_000_000,
    tenant_id="0e195b37-4574-4539-bc42-0a8b4f2b1c5d",
    created="2026-10-08T06:12:53.2500000Z",
)
COPYING = begin(PLAN, 100)
RESULT = Result(PLAN.e_tag, PLAN.digest[:16], 1_000_000, 10**15, f"https://{'a' * 24}.blob.core.windows.net/x/", False)

NOT_DONE = NotDone(PROBLEM, LATER, ANEW, 30.0)
MET = MetProblem.at(PROBLEM, MOMENT)
EXPORT = "monthly-2026-10:billedUsage-G016907411-full"
LANDED = ("landed", None, PLAN.digest[:16], "0" * 16, 1_000_000, 10**15, True, MOMENT, MOMENT)
OUTCOME = Outcome(EXPORT, "G016907411", "billedUsage", "invoice", *LANDED)

EXAMPLES: list[Message] = [
    POLICY,
    PROBLEM,
    Problem("BadManifest", "m", "r"),
    NOT_DONE,
    NotDone(PROBLEM),
    Answer(not_done=NOT_DONE),
    Answer(),
    MET,
    PLAN,
    Plan(OPERATION, "d", "e", 0),
    COPYING,
    CopyProgress(PLAN, [], blobs_done=3, bytes_done=4, idle_rounds=5),
    ExportOrder(REQUEST, POLICY),
    ExportOrder(REQUEST, POLICY, MOMENT, 2, COPYING, MOMENT, Operation(OPERATION, MOMENT, 7.5), MET),
    Operation(OPERATION, MOMENT),
    StartOrder(REQUEST),
    StartAnswer(OPERATION, 7.5),
    Polling(OPERATION, POLICY, MOMENT, MOMENT, 3.0, 99, True, PROBLEM),
    Polling(OPERATION, POLICY, MOMENT, MOMENT),
    CheckOperation(OPERATION),
    CheckOperation(OPERATION, may_be_too_early=True),
    OperationAnswer("succeeded", plan=PLAN),
    OperationAnswer("running", 3.0),
    PollingAnswer(PLAN),
    VersionOrder(REQUEST, PLAN),
    RESULT,
    replace(RESULT, pointed=False, previous_version="0" * 16),
    VersionAnswer(RESULT),
    VersionAnswer(latest="0" * 16),
    VersionAnswer(),
    CommitAnswer(RESULT),
    CopyOrder(REQUEST, PLAN, 984_375, 1_000_000),
    CopyAnswer(1_000_000, 15_625, 10**15),
    CopyAnswer(5, 1, 10, not_done=NOT_DONE),
    MonthlyOrder("2026-10", POLICY, ["billedUsage", "billedReconciliation"], 12, 10),
    MonthlyOrder("2026-10", POLICY, ["billedUsage"], 12, 10, MOMENT, MOMENT, MOMENT, [OUTCOME], MET),
    BackfillOrder("2026-01", "2026-06", POLICY, ["billedUsage"]),
    BackfillOrder("2026-01", "2026-06", POLICY, ["billedUsage"], MOMENT, [{"month": "2026-01", "state": "failed"}]),
    OUTCOME,
    Outcome(EXPORT, "G016907411", "billedUsage", state="failed", error=PROBLEM),
    Notice("1f0c3b2a", "succeeded", REQUEST.export_id, MOMENT, RESULT.to_json()),
    InvoicesOrder("2026-10"),
    Document("G016907411"),
    InvoicesAnswer([Document("G016907411"), Document("G016907412", voided=True, replaced_by="G016907413")]),
    InvoicesAnswer([]),
    OfRun("monthly-2026-10:billedUsage-G016907411-full"),
    CancelOrder("monthly-2026-10"),
    EndOrder("monthly-2026-10", ended=True),
    EndAnswer(ended=True, found=3),
    EndedInstances([EXPORT]),
    Ending(EXPORT, problem=PROBLEM),
    Endings([Ending(EXPORT, cancelled=True), Ending(EXPORT, problem=PROBLEM)]),
    *table_examples(MET),
]


def _name(message: Message) -> str:
    return type(message).__name__


def _through_json(message: Message) -> Any:
    return json.loads(json.dumps(message.to_json()))


def test_every_message_class_is_among_the_examples() -> None:
    """No message is added without the rules below holding for it."""
    modules = [importlib.import_module(f"messages.{found.name}") for found in pkgutil.iter_modules(messages.__path__)]
    classes = {c for module in modules for c in vars(module).values() if isinstance(c, type) and issubclass(c, Message)}
    assert classes - {Message, PublicMessage} == {type(example) for example in EXAMPLES}


@pytest.mark.parametrize("message", EXAMPLES, ids=_name)
def test_a_message_comes_back_from_json_as_it_was(message: Message) -> None:
    """What an orchestrator is told is what an activity said, and the other way round."""
    assert type(message).from_json(_through_json(message)) == message


@pytest.mark.parametrize("message", EXAMPLES, ids=_name)
def test_fields_of_another_release_are_ignored(message: Message) -> None:
    """A run that is under way survives a deployment that adds or drops a field."""
    assert type(message).from_json(_through_json(message) | {"addedLater": [1]}) == message


@pytest.mark.parametrize("message", EXAMPLES, ids=_name)
def test_no_message_grows_with_the_number_of_blobs(message: Message) -> None:
    """A million blobs, in 64 ranges, still are a message of less than 4 KB."""
    assert len(json.dumps(message.to_json()).encode()) < LARGEST


_EARLIER = PROBLEM.to_json()


@pytest.mark.parametrize(
    ("earlier", "not_done"),
    [
        ({"not_now": {"problem": _EARLIER, "retry_after": 60.0, "anew": False}}, NotDone(PROBLEM, LATER, FINAL, 60.0)),
        ({"next": 7, "not_now": {"problem": _EARLIER, "anew": True}}, NotDone(PROBLEM, LATER, ANEW)),
        ({"problem": _EARLIER}, NotDone(PROBLEM, FINAL)),
        ({"problem": _EARLIER, "anew": False}, NotDone(PROBLEM, FINAL)),
        ({"next": 7, "problem": _EARLIER, "anew": True}, NotDone(PROBLEM, ANEW)),
        ({"state": "gone", "problem": _EARLIER}, NotDone(PROBLEM, ANEW)),
        ({"state": "failed", "problem": _EARLIER}, NotDone(PROBLEM, ANEW)),
        ({"state": "final", "problem": _EARLIER}, NotDone(PROBLEM, FINAL)),
        ({"invoice_ids": [], "problem": _EARLIER}, NotDone(PROBLEM, FINAL)),
        ({"operation_url": OPERATION}, None),
    ],
)
def test_a_failure_in_an_earlier_releases_words_is_understood(earlier: Any, not_done: NotDone | None) -> None:
    """A run that is under way during a deployment reads in its history what the release before had written."""
    assert Answer.from_json(earlier).not_done == not_done


def test_what_is_not_known_is_left_out() -> None:
    """History holds no fields without a value."""
    assert StartAnswer(OPERATION).to_json() == {"operation_url": OPERATION}


def test_times_keep_their_zone_and_their_microseconds() -> None:
    """A deadline is the same moment after any number of histories."""
    order = ExportOrder.from_json(_through_json(ExportOrder(REQUEST, POLICY, MOMENT)))
    assert order.deadline == MOMENT
    assert order.deadline.utcoffset() is not None


@given(
    pending=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)).map(list), max_size=64),
    blobs_done=st.integers(0, 10**6),
    bytes_done=st.integers(0, 10**18),
)
def test_progress_comes_back_from_json_as_it_was(pending: list[list[int]], blobs_done: int, bytes_done: int) -> None:
    """Wherever copying stands, a new history takes it up at exactly that point."""
    order = ExportOrder(REQUEST, POLICY, MOMENT, 3, CopyProgress(PLAN, pending, blobs_done, bytes_done))
    assert ExportOrder.from_json(_through_json(order)) == order
