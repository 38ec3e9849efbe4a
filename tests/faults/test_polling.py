"""What can go wrong while the operation is polled."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from local.emulator import Answer, Fault
from tests.faults.bench import Bench, hurried_clients


def test_a_burst_of_faults_is_polled_through(bench: Bench) -> None:
    """An operation that cannot be read for a while is read again, and no other export is posted."""
    statuses = enumerate([429, 500, 502, 503, 504, 408] * 2, 1)
    faults = [Fault(request="operation", occurrence=poll, answer=Answer(status=status)) for poll, status in statuses]
    bench.export(*faults)
    bench.require_success()
    assert bench.emulator.fired == faults
    assert bench.posts == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault(request="operation", occurrence=[1, 3], cut="before-header"),
        Fault(request="operation", occurrence=[1, 3], cut="after-header"),
        Fault(request="operation", occurrence=[1, 3], cut=20),
        Fault(request="operation", occurrence=[1, 3], delay=0.3),
    ],
    ids=["cut before the header", "cut after the header", "cut in the body", "slow"],
)
def test_a_faltering_network_costs_another_poll(bench: Bench, fault: Fault) -> None:
    """A connection that is cut, or slow, ends nothing."""
    bench.export(fault, running_polls=2)
    bench.require_success()
    assert bench.emulator.fired == [fault, fault]
    assert bench.posts == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_a_refused_poll_asks_for_is_kept(bench: Bench, status: int) -> None:
    """A poll that is refused is repeated when `Retry-After` is over, not before."""
    refusal = Answer(status=status, headers={"Retry-After": "1"})
    bench.export(Fault(request="operation", occurrence=range(1, 5), answer=refusal))
    bench.require_success()
    assert bench.stopwatch.longest_wait("/operations/") >= 1


def test_a_wait_that_a_running_operation_asks_for_is_kept(bench: Bench) -> None:
    """`Retry-After` of a running operation puts off the next poll."""
    bench.export(Fault(request="operation", occurrence=1, headers={"Retry-After": "1"}), running_polls=1)
    bench.require_success()
    assert bench.stopwatch.longest_wait("/operations/") >= 1


@pytest.mark.parametrize("status", [200, 503])
def test_a_wait_until_a_date_is_kept(bench: Bench, status: int) -> None:
    """`Retry-After` may be an HTTP date, whatever the answer's status."""
    until = datetime.now(UTC) + timedelta(seconds=2)
    running = Answer(
        status=status,
        headers={"Retry-After": format_datetime(until, usegmt=True)},
        json={"status": "running"} if status == 200 else None,
    )
    bench.export(Fault(request="operation", occurrence=range(1, 5) if status == 503 else 1, answer=running))
    bench.require_success()
    assert datetime.now(UTC) >= until.replace(microsecond=0)


def test_a_wait_that_cannot_be_read_counts_as_none(bench: Bench) -> None:
    """A broken `Retry-After` leaves the usual backoff."""
    waits = enumerate(["soon", "-5", "1.5", "", "Thu, 32 Foo 2026 99:00:00 GMT"], 1)
    faults = [Fault(request="operation", occurrence=poll, headers={"Retry-After": wait}) for poll, wait in waits]
    bench.export(*faults, running_polls=5)
    bench.require_success()
    assert bench.emulator.fired == faults


def test_an_operation_that_is_not_known_yet_is_given_time(bench: Bench) -> None:
    """A 404 right after the start means nothing: the operation may not be known everywhere yet."""
    bench.export(Fault(request="operation", occurrence=[1, 2], answer=Answer(status=404)))
    bench.require_success()
    assert bench.posts == 1


@pytest.mark.parametrize("status", [404, 410])
def test_an_operation_that_is_gone_is_exported_anew(bench: Bench, status: int) -> None:
    """An operation that was there and is not any more ends; the next one brings the data."""
    bench.export(Fault(request="operation", occurrence=2, answer=Answer(status=status)), running_polls=1)
    bench.require_success()
    assert bench.posts == 2


def test_a_running_operation_may_say_what_it_likes(bench: Bench) -> None:
    """Every word but those for the end means that it runs; timestamps and new fields do not matter."""
    changes: list[dict[str, Any]] = [
        *({"status": status, "@odata.type": None} for status in ("notStarted", "running", "Processing", "someday")),
        {"status": None},
        {"createdDateTime": "2023-03-09T08:12:53", "lastActionDateTime": "2023-03-09T08:37:48.5046691Z"},
        {"createdDateTime": "yesterday", "lastActionDateTime": 17},
        {"somethingNew": {"deep": [1, 2]}, "error": {}},
    ]
    faults = [Fault(request="operation", occurrence=poll, merge=change) for poll, change in enumerate(changes, 1)]
    bench.export(*faults, running_polls=len(faults))
    bench.require_success()
    assert bench.emulator.fired == faults
    assert bench.posts == 1


def test_an_operation_that_never_ends_meets_the_deadline(bench: Bench) -> None:
    """A status that nobody knows is polled until the deadline, which is then named with its remedy."""
    bench.export(
        Fault(request="operation", merge={"status": "someday", "@odata.type": None}),
        settings={"EXPORT_DEADLINE_HOURS": "0.001", "POLL_MAX_SECONDS": "1"},
    )
    assert "still running" in bench.require_failure("DeadlineExceeded", "EXPORT_DEADLINE_HOURS")


def test_a_wait_beyond_the_deadline_ends_at_once(bench: Bench) -> None:
    """Nobody waits for a moment that would come too late."""
    bench.export(retry_after=86_400 * 3)
    bench.require_failure("DeadlineExceeded", "EXPORT_DEADLINE_HOURS")


@pytest.mark.parametrize(
    ("status", "code", "remedy"),
    [
        (401, "Unauthorized", "PartnerBilling.Read.All"),
        (403, "Forbidden", "partner tenant"),
        (400, "BadRequest", "Check"),
    ],
)
def test_a_refusal_for_good_ends_the_export(bench: Bench, status: int, code: str, remedy: str) -> None:
    """What asking again cannot change ends the export with Graph's code, request id and a remedy."""
    bench.make_clients = hurried_clients
    bench.export(Fault(request="operation", answer=Answer(status=status)))
    bench.require_failure(code, remedy)
    assert bench.status["error"]["requestId"]
    assert bench.posts == 1


@pytest.mark.parametrize("text", ["", "no JSON", "[]"])
def test_an_answer_that_is_no_object_is_refused(bench: Bench, text: str) -> None:
    """A success whose body is no JSON object ends the export, with the request id."""
    bench.export(Fault(request="operation", answer=Answer(status=200, text=text)))
    assert "JSON object" in bench.require_failure("UnusableAnswer", "request id")
    assert bench.status["error"]["requestId"]
