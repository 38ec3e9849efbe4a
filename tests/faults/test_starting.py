"""What can go wrong when the export is posted."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from local.emulator import Answer, Fault
from tests.faults.bench import Bench


def test_without_faults_one_export_is_posted(bench: Bench) -> None:
    """Where nothing goes wrong, the first try lands."""
    bench.export()
    bench.require_success()
    assert bench.posts == 1


def test_a_burst_of_faults_is_tried_through(bench: Bench) -> None:
    """However the service refuses for a while, the export is posted again until it is taken."""
    statuses = enumerate([429, 500, 502, 503, 504, 408], 1)
    faults = [Fault(request="export", occurrence=post, answer=Answer(status=status)) for post, status in statuses]
    bench.export(*faults)
    bench.require_success()
    assert bench.emulator.fired == faults
    assert bench.posts == 7


@pytest.mark.parametrize(
    "fault",
    [
        Fault(request="export", occurrence=1, cut="before-header"),
        Fault(request="export", occurrence=1, answer=Answer(status=202, text="never whole"), cut="after-header"),
        Fault(request="export", occurrence=1, delay=0.5),
    ],
    ids=["cut before the header", "cut after the header", "slow"],
)
def test_a_faltering_network_costs_another_try(bench: Bench, fault: Fault) -> None:
    """A connection that is cut is opened again, a slow one waited for."""
    bench.export(fault)
    bench.require_success()
    assert bench.emulator.fired == [fault]


def test_the_wait_that_a_start_asks_for_is_kept(bench: Bench) -> None:
    """`Retry-After` of the 202 puts off the first poll."""
    bench.export(retry_after=1)
    bench.require_success()
    assert bench.stopwatch.longest_wait("/operations/") >= 1


def test_a_wait_until_a_date_is_kept(bench: Bench) -> None:
    """`Retry-After` of the 202 may be an HTTP date."""
    until = datetime.now(UTC) + timedelta(seconds=2)
    bench.export(Fault(request="export", headers={"Retry-After": format_datetime(until, usegmt=True)}))
    bench.require_success()
    assert datetime.now(UTC) >= until.replace(microsecond=0)


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_a_refusal_asks_for_is_kept(bench: Bench, status: int) -> None:
    """A refused export is posted again when `Retry-After` is over, not before."""
    refusal = Answer(status=status, headers={"Retry-After": "1"})
    bench.export(Fault(request="export", occurrence=range(1, 5), answer=refusal))
    bench.require_success()
    assert bench.stopwatch.longest_wait("/export") >= 1


@pytest.mark.parametrize(
    ("status", "code", "remedy"),
    [
        (401, "InvalidAuthenticationToken", "PartnerBilling.Read.All"),
        (403, "Forbidden", "partner tenant"),
        (400, "BadRequest", "Check GRAPH_BASE_URL"),
    ],
)
def test_a_refusal_for_good_ends_the_export_at_once(bench: Bench, status: int, code: str, remedy: str) -> None:
    """Graph's code and message are passed on with a request id and a remedy; nothing is tried again."""
    error = {"code": code, "message": "As Graph says.", "innererror": {"request-id": "inner"}}
    bench.export(Fault(request="export", answer=Answer(status=status, json={"error": error})))
    assert bench.require_failure(code, remedy) == "As Graph says."
    assert bench.status["error"]["requestId"]
    assert bench.posts == 1


@pytest.mark.parametrize(
    "answer",
    [Answer(status=202), Answer(status=200, json={}), Answer(status=204)],
    ids=["no Location", "200", "204"],
)
def test_a_start_that_names_no_operation_is_refused(bench: Bench, answer: Answer) -> None:
    """An export starts with 202 and a Location; what else is answered ends it, with the request id."""
    bench.export(Fault(request="export", answer=answer))
    assert "202" in bench.require_failure("UnusableAnswer", "request id")
    assert bench.status["error"]["requestId"]


def test_a_relative_location_is_taken(bench: Bench) -> None:
    """A Location may be a path."""
    bench.export(Fault(request="export", headers={"Location": "{path}"}))
    bench.require_success()


@pytest.mark.parametrize(
    "location",
    ["{stranger}{path}", "//127.0.0.1:1{path}", "https://evil.example{path}", "https://user@127.0.0.1/"],
)
def test_a_location_elsewhere_is_refused(bench: Bench, location: str) -> None:
    """No request, and so no token, goes to another origin than the configured one."""
    bench.export(Fault(request="export", headers={"Location": location.replace("{stranger}", bench.stranger.url)}))
    bench.require_failure("ForeignOrigin", "GRAPH_BASE_URL")
    assert bench.count("GET", "/operations/") == 0


@pytest.mark.parametrize("location", ["", "http://[::1", "see the portal", "mailto:a@b.c"])
def test_a_location_that_is_no_url_is_told_as_that(bench: Bench, location: str) -> None:
    """It points nowhere: nobody has moved, and nobody attacks."""
    bench.export(Fault(request="export", headers={"Location": location}))
    bench.require_failure("BadUrl", "request id")
    assert bench.status["error"]["requestId"]
    assert bench.count("GET", "/operations/") == 0


def test_a_service_that_stays_down_ends_in_a_failure(bench: Bench) -> None:
    """An export that can never be posted fails with the service's own words, within its tries."""
    bench.export(Fault(request="export", answer=Answer(status=503)))
    assert "start_export" in bench.require_failure("ServiceUnavailable", "service health")


def test_a_service_that_keeps_asking_to_wait_ends_in_a_failure(bench: Bench) -> None:
    """After its tries the export fails as the service refused it, with the request id."""
    bench.export(Fault(request="export", answer=Answer(status=429, headers={"Retry-After": "0"})))
    bench.require_failure("TooManyRequests", "later")
    assert bench.status["error"]["requestId"]
