"""Starting, listing and cancelling through the Durable client."""

import asyncio
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest

from catalog.export_request import ExportRequest
from http_start import exports
from http_start.answers import Refused
from http_start.status import just_started
from messages.exports import ExportOrder
from settings import Settings
from tests.http_start.fake_durable import BEGINNING, FakeDurable

REQUEST = ExportRequest.of_invoice("G016907411")
ID = "billedUsage-G016907411-full"
END = BEGINNING + timedelta(days=40)
SETTINGS = Settings.from_mapping({"LANDING_URL": "file:///landed", "RETRY_SECONDS": "7"})


def _start(durable: Any) -> dict[str, Any]:
    return asyncio.run(exports.start(durable, REQUEST, SETTINGS))


def test_an_export_starts_under_its_own_id_with_the_settings_policy() -> None:
    """The orchestration's input holds the request and what the settings say, for it reads no settings itself."""
    durable = FakeDurable()
    assert _start(durable)["state"] == "pending"
    ((name, instance_id, order),) = durable.started
    assert (name, instance_id) == ("run_export", ID)
    assert ExportOrder.from_json(order).request == REQUEST
    assert ExportOrder.from_json(order).policy.retry_seconds == 7


@pytest.mark.parametrize("status", ["Pending", "Running", "ContinuedAsNew", "Suspended"])
def test_a_running_export_is_answered_with_and_not_started_again(status: str) -> None:
    """Whatever Durable calls it: what has not ended is the answer."""
    durable = FakeDurable()
    durable.add(ID, status)
    assert _start(durable)["state"] in {"pending", "running"}
    assert not durable.started


@pytest.mark.parametrize("status", ["Completed", "Failed", "Terminated", "Canceled"])
def test_an_export_that_ended_is_started_anew(status: str) -> None:
    """An ended export's old outcome is not shown for the new one."""
    durable = FakeDurable()
    durable.add(ID, status, output={"stale": True})
    assert _start(durable) == just_started(ID)
    assert len(durable.started) == 1


def test_losing_a_race_is_answered_with_the_winner() -> None:
    """When Durable refuses because somebody else was first, that export is the answer."""
    durable = FakeDurable()
    durable.start_fails_after_rival = True
    assert _start(durable)["state"] == "running"


def test_another_failure_to_start_is_not_hidden() -> None:
    """When nothing runs after Durable refused, the error is the caller's to see."""

    class Broken(FakeDurable):
        async def start_new(self, name: str, instance_id: str, client_input: Any) -> str:
            raise Exception("The storage of the task hub is gone.")

    with pytest.raises(Exception, match="task hub"):
        _start(Broken())


def test_the_list_is_newest_first_and_without_suborchestrations() -> None:
    """Exports only, whatever else Durable runs under ids of its own."""
    durable = FakeDurable()
    durable.add("billedUsage-G000000001-full", "Running")
    durable.add("billedUsage-G000000001-full:poll:5d1c", "Running")
    durable.add("monthly-2026-10", "Running")
    durable.add("monthly-2026-10:billedUsage-G000000001-full", "Running")
    durable.add("billedUsage-G000000002-basic", "Running")
    listed = asyncio.run(exports.started_since(durable, BEGINNING, END))
    assert [status["id"] for status in listed] == [
        "billedUsage-G000000002-basic",
        "monthly-2026-10",
        "billedUsage-G000000001-full",
    ]
    later = asyncio.run(exports.started_since(durable, BEGINNING + timedelta(minutes=3), END))
    assert [status["id"] for status in later] == ["billedUsage-G000000002-basic"]


def test_the_list_is_whole_however_many_instances_there_are() -> None:
    """Durable lists a hundred instances at once; all exports among a thousand others are found."""
    durable = FakeDurable()
    for number in range(1000):
        other = f"billedUsage-G{number:09d}-full:poll:1"
        durable.add(f"billedUsage-G{number:09d}-full" if number % 7 == 0 else other, "Running")
    listed = asyncio.run(exports.started_since(durable, BEGINNING, END))
    assert len(listed) == 143
    assert listed[0]["id"] == "billedUsage-G000000994-full"


def test_cancelling_ends_the_suborchestrations_too() -> None:
    """What polls for a cancelled export does not go on for a day; another export's does."""
    durable = FakeDurable()
    other = "billedUsage-G000000002-full:poll:1"
    for instance_id in (ID, f"{ID}:poll:1", other):
        durable.add(instance_id, "Running")
    asyncio.run(exports.cancel(durable, ID))
    ended = {id_ for id_, status in durable.instances.items() if status.runtime_status.value == "Terminated"}
    assert ended == {ID, f"{ID}:poll:1"}


def test_what_is_unknown_or_ended_cannot_be_cancelled() -> None:
    """404 for the first, 409 for the second."""
    durable = FakeDurable()
    with pytest.raises(Refused) as unknown:
        asyncio.run(exports.cancel(durable, ID))
    durable.add(ID, "Failed")
    with pytest.raises(Refused) as ended:
        asyncio.run(exports.cancel(durable, ID))
    assert (unknown.value.status, ended.value.status) == (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


def test_a_cancellation_that_broke_off_can_be_repeated() -> None:
    """What it left running is ended by the next call, which is refused only when nothing is left."""
    durable = FakeDurable()
    durable.add(ID, "Terminated")
    durable.add(f"{ID}:poll:1", "Running")
    asyncio.run(exports.cancel(durable, ID))
    with pytest.raises(Refused):
        asyncio.run(exports.cancel(durable, ID))


def test_a_failure_shows_its_error_and_an_unforeseen_one_says_where_to_look() -> None:
    """The custom status' error is shown; without one, never the text of an exception."""
    durable = FakeDurable()
    error = {"code": "Forbidden", "message": "no", "remedy": "ask", "requestId": "r-1"}
    durable.add(ID, "Failed", customStatus={"phase": "polling", "error": error})
    shown = asyncio.run(exports.find(durable, ID))
    assert shown["error"] == error
    durable.add(ID, "Failed", output="KeyError: 'sig=secret'")
    shown = asyncio.run(exports.find(durable, ID))
    assert shown["error"]["code"] == "Unexpected"
    assert "secret" not in str(shown)
