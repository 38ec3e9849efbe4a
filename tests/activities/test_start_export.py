"""Posting an export."""

import httpx
import pytest

from activities.door import ActivityFailed
from failures import FINAL, LATER
from tests.activities.conftest import Bench, CalledInVain, MakeBench, in_vain


def test_an_export_that_is_accepted_has_an_operation(make_bench: MakeBench) -> None:
    """The answer tells the operation's URL, and how long the service wants to be left alone."""
    bench = make_bench(retry_after=7)
    started = bench.run(bench.start)
    assert started.operation_url.startswith("http://127.0.0.1:7072/v1.0/reports/partners/billing/operations/")
    assert started.retry_after == 7
    assert started.posted == bench.clock.moment


def test_an_export_was_posted_when_the_request_left(bench: Bench) -> None:
    """A post that takes from one month into the next asked for the month in which it began."""
    began = bench.clock.moment
    bench.graph.interfere = lambda _: bench.clock.move(60)
    assert bench.run(bench.start).posted == began


def test_a_refusal_is_an_answer_and_not_an_exception(bench: Bench) -> None:
    """What no retry can mend is told with code, request id and remedy."""
    bench.token = "stale-token"
    told = in_vain(lambda: bench.run(bench.start))
    assert (told.kind, told.problem.code) == (FINAL, "InvalidAuthenticationToken")
    assert told.problem.request_id
    assert "PartnerBilling.Read.All" in told.problem.remedy


def test_an_api_that_does_not_know_the_export_refuses_it(bench: Bench) -> None:
    """A 404 to the post is final as well: there is nothing that could be polled."""
    bench.graph.interfere = lambda _: httpx.Response(404)
    told = in_vain(lambda: bench.run(bench.start))
    assert (told.kind, told.problem.code) == (FINAL, "HTTP404")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_outage_is_for_the_orchestrator_to_wait_through(bench: Bench, status: int) -> None:
    """What a later try may mend is told as such, with all that a person would want to know."""
    bench.graph.interfere = lambda _: httpx.Response(status, headers={"request-id": "1f0c3b2a"})
    told = in_vain(lambda: bench.run(bench.start))
    assert (told.kind, told.problem.code, told.problem.request_id) == (LATER, f"HTTP{status}", "1f0c3b2a")
    assert "service health" in told.problem.remedy


@pytest.mark.parametrize("status", [429, 503])
def test_an_outage_that_says_when_it_ends_is_told(bench: Bench, status: int) -> None:
    """The wait that `Retry-After` asks for is for the orchestrator's timers, so it is told as data."""
    bench.graph.interfere = lambda _: httpx.Response(status, headers={"Retry-After": "60"})
    assert in_vain(lambda: bench.run(bench.start)).retry_after == 60


def test_a_connection_that_breaks_is_told_without_secrets(bench: Bench) -> None:
    """Neither the token nor the transport's own text gets into the answer that Durable stores."""

    def break_off(request: httpx.Request) -> None:
        raise httpx.ConnectError(f"cannot send {request.headers}", request=request)

    bench.graph.interfere = break_off
    with pytest.raises(CalledInVain, match="ConnectError") as told:
        bench.run(bench.start)
    bench.require_no_secret(str(told.value))


def test_what_nobody_foresaw_is_raised_without_secrets(bench: Bench) -> None:
    """An exception that Durable stores has our own text, and nothing hangs on it."""

    def crash(request: httpx.Request) -> None:
        raise RuntimeError(f"{request.headers['Authorization']} and sig=abc")

    bench.graph.interfere = crash
    with pytest.raises(ActivityFailed, match="RuntimeError") as failed:
        bench.run(bench.start)
    bench.require_no_secret(str(failed.value))
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__
