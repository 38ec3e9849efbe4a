"""Starting, listing and cancelling through the Durable client."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from catalog.export_request import ExportRequest
from http_start import exports
from http_start.status import just_started
from messages.exports import ExportOrder
from settings import Settings
from tests.http_start.fake_durable import BEGINNING, FakeDurable

REQUEST = ExportRequest.of_invoice("G016907411")
ID = "billedUsage-G016907411-full"
NOW = datetime(2026, 11, 1, 12, 30, 15, 600_000, tzinfo=UTC)
END = BEGINNING + timedelta(days=40)
SETTINGS = Settings.from_mapping({"LANDING_URL": "file:///landed", "RETRY_SECONDS": "7"})


def _start(durable: Any) -> dict[str, Any]:
    return asyncio.run(exports.start(durable, REQUEST, SETTINGS, NOW))


def test_an_export_starts_under_its_own_id_with_the_settings_policy() -> None:
    """The orchestration's input holds the request and what the settings say, for it reads no settings itself."""
    durable = FakeDurable()
    assert _start(durable)["state"] == "pending"
    ((name, instance_id, order),) = durable.started
    assert (name, instance_id) == ("run_export", ID)
    assert ExportOrder.from_json(order).request == REQUEST
    assert ExportOrder.from_json(order).policy.retry_seconds == 7
    assert ExportOrder.from_json(order).started_at == NOW.replace(microsecond=0)


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
    assert _start(durable) == just_started(ID, NOW)
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


def _list(durable: FakeDurable, since: datetime) -> list[str]:
    return [status["id"] for status in asyncio.run(exports.started_since(durable, since, END))]


def test_the_list_goes_by_when_runs_began_and_not_by_their_latest_history() -> None:
    """Durable counts a run as created anew with every history; the list does not."""
    durable = FakeDurable()
    began = {"G000000001": 3, "G000000002": 1, "G000000003": 2}
    for hours, (invoice, day) in enumerate(began.items()):
        started = (BEGINNING + timedelta(days=day)).isoformat()
        created = BEGINNING + timedelta(days=10, hours=hours)
        durable.add(f"billedUsage-{invoice}-full", "Running", created, customStatus={"startedAt": started})
    newest_first = [f"billedUsage-{invoice}-full" for invoice in ("G000000001", "G000000003", "G000000002")]
    assert _list(durable, BEGINNING) == newest_first
    assert _list(durable, BEGINNING + timedelta(days=2)) == newest_first[:2]
    assert _list(durable, BEGINNING + timedelta(days=3, seconds=1)) == []


def test_a_run_that_began_within_the_second_is_listed() -> None:
    """Durable's times have no parts of seconds."""
    durable = FakeDurable()
    durable.add(ID, "Pending", BEGINNING)
    assert _list(durable, BEGINNING + timedelta(milliseconds=700)) == [ID]


def test_neither_notices_nor_cancellations_are_runs() -> None:
    """What the app does besides is not listed."""
    durable = FakeDurable()
    for other in ("notice-5c2e1d0a", f"cancel-{ID}", "readiness-5c2e1d0a"):
        durable.add(other, "Running")
    assert _list(durable, BEGINNING) == []


PROBLEM = {"code": "HTTP503", "message": "m", "remedy": "r", "requestId": None, "time": "2026-11-01T12:00:00+00:00"}


@pytest.mark.parametrize("child", [f"{ID}:poll:5d1c0a2b", f"{ID}:table:5d1c0a2b"])
def test_a_status_tells_since_when_for_which_time_and_why_it_waits(child: str) -> None:
    """Times are UTC; what the polling or the table meets shows in the export that waits for it, in the list too."""
    durable = FakeDurable()
    started, later = "2026-11-01T10:00:00+00:00", BEGINNING + timedelta(days=1)
    shown = {"phase": "polling", "startedAt": started, "attempt": 2, "waitsFor": child}
    durable.add(ID, "Running", BEGINNING, customStatus=shown)
    waiting = {"lastProblem": PROBLEM, "nextTryAt": "2026-11-01T13:00:00+00:00", "startedAt": later.isoformat()}
    durable.add(child, "Running", later, customStatus=waiting)
    found = asyncio.run(exports.find(durable, ID, NOW))
    assert (found["startedAt"], found["attempt"], found["endedAt"]) == (started, 2, None)
    assert (found["lastProblem"], found["nextTryAt"]) == (PROBLEM, waiting["nextTryAt"])
    assert found["updatedAt"] == later.isoformat()
    assert asyncio.run(exports.started_since(durable, BEGINNING, END)) == [found]


@pytest.mark.parametrize("status", ["Completed", "Failed", "Terminated"])
def test_a_run_that_has_ended_says_when_and_waits_for_nothing(status: str) -> None:
    """Also one that was ended while it waited."""
    durable = FakeDurable()
    shown = {"phase": "polling", "waitsFor": f"{ID}:poll:5d1c", "nextTryAt": "2026-11-01T13:00:00+00:00"}
    durable.add(ID, status, BEGINNING, customStatus=shown)
    found = asyncio.run(exports.find(durable, ID, NOW))
    assert (found["endedAt"], found["nextTryAt"]) == (BEGINNING.isoformat(), None)


def test_an_export_that_never_ran_by_itself_is_found_within_its_months() -> None:
    """Notices of older releases named it so: the latest run answers, under its own id."""
    durable = FakeDurable()
    durable.add(f"monthly-2026-10:{ID}", "Failed")
    durable.add(f"monthly-2026-09-to-2026-10:2026-10:{ID}", "Completed", output={})
    durable.add(f"monthly-2026-10:{ID.replace('full', 'basic')}", "Running")
    assert asyncio.run(exports.find(durable, ID, NOW))["id"] == f"monthly-2026-09-to-2026-10:2026-10:{ID}"
    durable.add(ID, "Failed")
    assert asyncio.run(exports.find(durable, ID, NOW))["id"] == ID


def test_a_failure_shows_its_error_and_an_unforeseen_one_says_where_to_look() -> None:
    """The custom status' error is shown; without one, never the text of an exception."""
    durable = FakeDurable()
    error = {"code": "Forbidden", "message": "no", "remedy": "ask", "requestId": "r-1"}
    durable.add(ID, "Failed", customStatus={"phase": "polling", "error": error})
    shown = asyncio.run(exports.find(durable, ID, NOW))
    assert shown["error"] == error
    durable.add(ID, "Failed", output="KeyError: 'sig=secret'")
    shown = asyncio.run(exports.find(durable, ID, NOW))
    assert shown["error"]["code"] == "Unexpected"
    assert "secret" not in str(shown)
