"""Cancelling runs, and forgetting them, through the Durable client."""

import asyncio
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest
from azure.durable_functions import OrchestrationRuntimeStatus

from catalog.export_request import ExportRequest
from catalog.months_request import MonthsRequest
from http_start import cancelling, exports, monthly
from http_start.answers import Refused
from messages.names import CANCEL_RUN
from settings import Settings
from tests.http_start.fake_durable import BEGINNING, FakeDurable

REQUEST = ExportRequest.of_invoice("G016907411")
ID = REQUEST.export_id
CANCEL_ID = f"cancel-{ID}"
SETTINGS = Settings.from_mapping({"LANDING_URL": "file:///landing"})


@pytest.fixture
def durable() -> FakeDurable:
    return FakeDurable()


def _cancel(durable: FakeDurable) -> dict[str, Any]:
    return asyncio.run(cancelling.cancel(durable, ID))


def _forget(durable: FakeDurable, after: timedelta = timedelta()) -> dict[str, Any]:
    return asyncio.run(cancelling.forget(durable, ID, BEGINNING + after))


def _refused(call: Any, *arguments: Any) -> tuple[HTTPStatus, bool]:
    """The status of the refusal, and whether it says when to ask again."""
    with pytest.raises(Refused) as refused:
        call(*arguments)
    return refused.value.status, "Retry-After" in refused.value.headers


def test_cancelling_is_an_orchestration_of_its_own(durable: FakeDurable) -> None:
    """The call is answered with the status that the export had, whose end it asks for at once."""
    durable.add(ID, "Running")
    assert _cancel(durable)["state"] == "running"
    assert durable.started == [(CANCEL_RUN, CANCEL_ID, {"run_id": ID})]
    assert durable.instances[ID].runtime_status is OrchestrationRuntimeStatus.Terminated


@pytest.mark.parametrize("state", ["Running", "Terminated"])
def test_cancelling_again_while_it_is_under_way_is_answered_the_same(durable: FakeDurable, state: str) -> None:
    """Also when the run itself has ended meanwhile; nothing is started twice."""
    durable.add(ID, state)
    durable.add(CANCEL_ID, "Running")
    assert _cancel(durable)["id"] == ID
    assert durable.started == []


def test_two_who_cancel_at_the_same_moment_are_answered_the_same(durable: FakeDurable) -> None:
    """Durable refuses the second start; that the other one runs is all that counts."""
    durable.add(ID, "Running")
    durable.start_fails_after_rival = True
    assert _cancel(durable)["state"] == "running"


def test_what_is_unknown_or_has_ended_cannot_be_cancelled(durable: FakeDurable) -> None:
    """404 for the first, 409 for the second."""
    assert _refused(_cancel, durable) == (HTTPStatus.NOT_FOUND, False)
    durable.add(ID, "Failed")
    assert _refused(_cancel, durable) == (HTTPStatus.CONFLICT, False)


def test_what_was_left_by_whoever_ended_a_run_can_be_cancelled(durable: FakeDurable) -> None:
    """Azure's own tools end a run without what runs within it."""
    durable.add(ID, "Terminated")
    durable.add(f"{ID}:poll:1", "Running")
    _cancel(durable)
    assert [id_ for _, id_, _ in durable.started] == [CANCEL_ID]


@pytest.mark.parametrize("state", ["Running", "Terminated"])
def test_while_a_run_is_being_cancelled_none_of_its_id_starts(durable: FakeDurable, state: str) -> None:
    """409, with the seconds after which to ask again; once it is over, it starts."""
    durable.add(ID, state)
    durable.add(CANCEL_ID, "Running")
    start = exports.start(durable, REQUEST, SETTINGS, BEGINNING)
    assert _refused(asyncio.run, start) == (HTTPStatus.CONFLICT, True)
    durable.add(CANCEL_ID, "Completed")
    durable.add(ID, "Terminated")
    assert asyncio.run(exports.start(durable, REQUEST, SETTINGS, BEGINNING))["state"] == "pending"


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        ("cancel-monthly-2026-10:billedUsage-G016907411-full", (HTTPStatus.CONFLICT, True)),
        ("monthly-2026-10:billedUsage-G016907411-full", (HTTPStatus.CONFLICT, False)),
    ],
)
def test_no_month_begins_whose_exports_are_not_over(
    durable: FakeDurable, left: str, expected: tuple[HTTPStatus, bool]
) -> None:
    """They would be called again under ids that run, or are being cancelled, and would be ended as if they were meant.

    A month that runs goes on, and a range of the same name is another run.
    """
    month = MonthsRequest("2026-10")
    durable.add("monthly-2026-10", "Completed")
    durable.add(left, "Running")
    assert _refused(asyncio.run, monthly.start(durable, month, SETTINGS, BEGINNING)) == expected
    durable.add(left.replace(":", "-to-2026-12:"), "Running")
    durable.add(left, "Terminated")
    assert asyncio.run(monthly.start(durable, month, SETTINGS, BEGINNING))["state"] == "pending"
    durable.add("monthly-2026-10", "Running")
    durable.add(left, "Running")
    assert asyncio.run(monthly.start_or_look(durable, month, SETTINGS, BEGINNING))["state"] == "running"


def test_a_month_whose_cancellation_has_exports_to_end_is_to_be_asked_for_again(durable: FakeDurable) -> None:
    """Nobody has to cancel them."""
    durable.add("monthly-2026-08-to-2026-10", "Terminated")
    durable.add("cancel-monthly-2026-08-to-2026-10", "Running")
    durable.add("monthly-2026-08-to-2026-10:2026-09", "Running")
    start = monthly.start(durable, MonthsRequest("2026-08", "2026-10"), SETTINGS, BEGINNING)
    assert _refused(asyncio.run, start) == (HTTPStatus.CONFLICT, True)


def test_what_has_ended_is_forgotten_with_all_that_ran_within_it(durable: FakeDurable) -> None:
    """However many there were; another run's stay."""
    durable.add(ID, "Failed")
    durable.add(f"{ID[:-1]}", "Completed")
    for number in range(250):
        durable.add(f"{ID}:poll:{number}", "Completed")
    assert _forget(durable)["state"] == "failed"
    assert list(durable.instances) == [ID[:-1]]


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ({}, (HTTPStatus.NOT_FOUND, False)),
        ({ID: "Running"}, (HTTPStatus.CONFLICT, False)),
        ({ID: "Suspended"}, (HTTPStatus.CONFLICT, False)),
        ({ID: "Pending"}, (HTTPStatus.CONFLICT, False)),
        ({ID: "Completed", f"{ID}:poll:1": "Running"}, (HTTPStatus.CONFLICT, False)),
        ({ID: "Terminated", CANCEL_ID: "Running"}, (HTTPStatus.CONFLICT, True)),
    ],
)
def test_what_is_active_is_not_forgotten(
    durable: FakeDurable, states: dict[str, str], expected: tuple[HTTPStatus, bool]
) -> None:
    """Nothing is removed of it."""
    for id_, state in states.items():
        durable.add(id_, state)
    assert _refused(_forget, durable) == expected
    assert set(durable.instances) == set(states)


def test_what_runs_for_hours_is_not_stuck(durable: FakeDurable) -> None:
    """Only what has not begun is."""
    durable.add(ID, "Running")
    assert _refused(_forget, durable, timedelta(hours=20)) == (HTTPStatus.CONFLICT, False)
    assert durable.instances[ID].runtime_status is OrchestrationRuntimeStatus.Running


def test_what_has_been_pending_for_two_hours_is_ended_and_forgotten(durable: FakeDurable) -> None:
    """It will not begin by itself any more."""
    durable.add(ID, "Pending")
    almost = timedelta(hours=2) - timedelta(seconds=1)
    assert _refused(_forget, durable, almost) == (HTTPStatus.CONFLICT, False)
    assert _forget(durable, timedelta(hours=2))["state"] == "pending"
    assert durable.instances == {}
