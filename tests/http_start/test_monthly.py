"""MonthsRequest are started, watched, listed and cancelled as exports are."""

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.functions as func
import pytest

import function_app
from catalog.months import month_before
from catalog.months_request import MonthsRequest
from http_start import exports, monthly
from http_start.exports import policy
from local.functions import index
from messages.months import BackfillOrder, MonthlyOrder
from messages.names import CANCEL_RUN, LOOK_NOW
from settings import Settings, configured
from tests.http_start.fake_durable import BEGINNING, FakeDurable

SETTINGS = Settings.from_mapping(
    {
        "LANDING_URL": "file:///landed",
        "MONTHLY_DATASETS": "billedUsage,billedReconciliation",
        "INVOICE_WAIT_DAYS": "9",
        "INVOICE_RECHECK_HOURS": "5",
        "RETRY_SECONDS": "7",
    }
)
NOW = datetime(2026, 11, 9, 6, tzinfo=UTC)
MONTH_ID = "monthly-2026-01"
RANGE_ID = "monthly-2026-01-to-2026-03"
ASKED = [({"month": "2026-01"}, MONTH_ID), ({"from": "2026-01", "to": "2026-03"}, RANGE_ID)]

URL = "https://exports.example.com/api/exports/monthly"

Handle = Callable[..., func.HttpResponse]


def _start(durable: Any, months: MonthsRequest) -> dict[str, Any]:
    return asyncio.run(monthly.start(durable, months, SETTINGS, NOW))


def test_the_month_that_closed_last_waits_for_more_invoices() -> None:
    """Its run looks as often, and as long, as the settings say, and exports what they name."""
    durable = FakeDurable()
    assert _start(durable, MonthsRequest("2026-10"))["state"] == "pending"
    ((name, instance_id, order),) = durable.started
    assert (name, instance_id) == ("monthly_exports", "monthly-2026-10")
    datasets = ["billedUsage", "billedReconciliation"]
    assert MonthlyOrder.from_json(order) == MonthlyOrder("2026-10", policy(SETTINGS), datasets, 5, 9, NOW)
    assert MonthlyOrder.from_json(order).policy.retry_seconds == 7


@pytest.mark.parametrize("month", ["2026-09", "2025-10", "2000-01"])
def test_a_month_of_long_ago_waits_for_nothing(month: str) -> None:
    """All its invoices are there, or never will be."""
    durable = FakeDurable()
    _start(durable, MonthsRequest(month))
    assert MonthlyOrder.from_json(durable.started[0][2]).wait_days == 0


def test_a_range_is_one_run() -> None:
    """It is told its first and last month, and the same policy and datasets."""
    durable = FakeDurable()
    assert _start(durable, MonthsRequest("2026-01", "2026-03")) == _pending(RANGE_ID)
    ((name, instance_id, order),) = durable.started
    assert (name, instance_id) == ("backfill", RANGE_ID)
    datasets = ["billedUsage", "billedReconciliation"]
    assert BackfillOrder.from_json(order) == BackfillOrder("2026-01", "2026-03", policy(SETTINGS), datasets, NOW)


def _pending(run_id: str, since: str = NOW.isoformat()) -> dict[str, Any]:
    progress = {"blobsDone": 0, "blobCount": 0, "bytesDone": 0}
    return {
        "id": run_id,
        "state": "pending",
        "phase": "pending",
        "progress": progress,
        "startedAt": since,
        "updatedAt": since,
        "endedAt": None,
        "attempt": 1,
        "lastProblem": None,
        "nextTryAt": None,
        "result": None,
        "error": None,
    }


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch) -> Iterator[Handle]:
    """Calls a route's function, below the SDK's middleware, in an app that is configured."""
    monkeypatch.setenv("LANDING_URL", "file:///landed")
    configured.cache_clear()
    handlers: dict[str, Any] = {route.name: route.call for route in index(function_app.app).routes}

    def call(name: str, durable: FakeDurable, body: object = None, **path: str) -> func.HttpResponse:
        request = func.HttpRequest("POST", URL, route_params=path, body=json.dumps(body).encode())
        answer: func.HttpResponse = asyncio.run(handlers[name].client_function(req=request, client=durable))
        return answer

    yield call
    configured.cache_clear()


@pytest.mark.parametrize(("body", "run_id"), ASKED)
def test_posting_months_is_accepted(handle: Handle, body: object, run_id: str) -> None:
    """202 with the run's status, and where it will be."""
    answer = handle("post_months", FakeDurable(), body)
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"https://exports.example.com/api/exports/{run_id}"
    assert answer.headers["Retry-After"].isdigit()
    status = json.loads(answer.get_body())
    assert status == _pending(run_id, status["startedAt"])


@pytest.mark.parametrize(("body", "run_id"), ASKED)
def test_posting_again_while_it_runs_is_answered_with_the_same_run(handle: Handle, body: object, run_id: str) -> None:
    """Nothing starts twice, also where two callers come at the same moment."""
    durable = FakeDurable()
    first, second = (json.loads(handle("post_months", durable, body).get_body()) for _ in range(2))
    assert (first["id"], first["state"]) == (second["id"], second["state"])
    assert [started for _, started, _ in durable.started] == [run_id]
    rival = FakeDurable()
    rival.start_fails_after_rival = True
    assert json.loads(handle("post_months", rival, body).get_body())["state"] == "running"


def _asked(durable: FakeDurable, month: str = "2026-10") -> dict[str, Any]:
    return asyncio.run(monthly.start_or_look(durable, MonthsRequest(month), SETTINGS, NOW))


WAITS = {"phase": "waiting", "nextTryAt": "2026-11-09T18:00:00+00:00"}
TOLD = ("monthly-2026-10", LOOK_NOW)


def test_a_month_that_waits_looks_at_once() -> None:
    """The answer says so: it lists, and waits for nothing."""
    durable = FakeDurable()
    durable.add("monthly-2026-10", "Running", customStatus=WAITS)
    status = _asked(durable)
    assert (status["state"], status["phase"], status["nextTryAt"]) == ("running", "listing", None)
    assert (durable.raised, durable.started) == ([TOLD], [])


def test_a_month_that_looks_will_look_once_more() -> None:
    """The answer says what it does at this moment."""
    durable = FakeDurable()
    durable.add("monthly-2026-10", "Running", customStatus={"phase": "exporting"})
    assert _asked(durable)["phase"] == "exporting"
    assert (durable.raised, durable.started) == ([TOLD], [])


def test_a_month_that_has_not_begun_yet_is_told_nothing() -> None:
    """It will look in any case: whoever starts a month twice has it look once."""
    durable = FakeDurable()
    assert [_asked(durable)["state"] for _ in range(2)] == ["pending", "pending"]
    assert len(durable.started) == 1
    assert not durable.raised


def test_a_month_that_has_just_ended_begins_again() -> None:
    """Durable says that nobody is there to be told."""
    durable = FakeDurable()
    durable.add("monthly-2026-10", "Running", customStatus=WAITS)
    durable.when_raised = lambda id_: durable.add(id_, "Completed")
    assert _asked(durable)["state"] == "pending"
    assert [started for _, started, _ in durable.started] == ["monthly-2026-10"]
    assert not durable.raised


def test_a_month_that_goes_on_in_a_new_history_is_told_again() -> None:
    """What it was told in the moment between may be lost."""
    durable = FakeDurable()
    durable.add("monthly-2026-10", "Running", customStatus={"phase": "exporting"})

    def goes_on(id_: str) -> None:
        if not durable.raised:
            durable.add(id_, "Running", NOW, customStatus=WAITS)

    durable.when_raised = goes_on
    assert _asked(durable)["phase"] == "listing"
    assert durable.raised == [TOLD, TOLD]


@pytest.mark.parametrize("shown", [{"phase": "done"}, {"phase": "exporting", "error": {"code": "NoInvoice"}}])
def test_a_month_that_has_all_but_ended_is_waited_for(monkeypatch: pytest.MonkeyPatch, shown: dict[str, Any]) -> None:
    """It has its notice sent, and hears nothing any more; then it begins again."""
    monkeypatch.setattr(monthly, "ENDING_SECONDS", 0)
    durable = FakeDurable()
    durable.add("monthly-2026-10", "Running", customStatus=shown)

    def ends(id_: str) -> None:
        if durable.raised:
            durable.add(id_, "Failed")

    durable.when_raised = ends
    assert _asked(durable)["state"] == "pending"
    assert [started for _, started, _ in durable.started] == ["monthly-2026-10"]


def test_an_event_that_cannot_be_raised_fails_the_call() -> None:
    """Nobody is told that a look begins where none does."""

    class Away(FakeDurable):
        async def raise_event(self, instance_id: str, event_name: str, event_data: str) -> None:
            raise Exception("Webhook returned unrecognized status code 503")

    durable = Away()
    durable.add("monthly-2026-10", "Running", customStatus=WAITS)
    with pytest.raises(Exception, match="503"):
        _asked(durable)


def test_a_range_that_runs_is_told_nothing() -> None:
    """Its months look once, one after the other."""
    durable = FakeDurable()
    durable.add(RANGE_ID, "Running", customStatus={"phase": "exporting"})
    asyncio.run(monthly.start_or_look(durable, MonthsRequest("2026-01", "2026-03"), SETTINGS, NOW))
    assert (durable.raised, durable.started) == ([], [])


def test_nothing_is_asked_for_is_answered_with_all_that_could_be(handle: Handle) -> None:
    """Whoever calls without a body's fields learns their names."""
    document = json.loads(handle("post_months", FakeDurable(), {}).get_body())
    assert [fault["field"] for fault in document["errors"]] == ["month", "from", "to"]


def test_faults_are_a_problem_document(handle: Handle) -> None:
    """400 with every fault, and nothing is started."""
    durable = FakeDurable()
    answer = handle("post_months", durable, {"from": "2026-13", "month": "2026-01"})
    document = json.loads(answer.get_body())
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert [fault["field"] for fault in document["errors"]] == ["month", "from", "to"]
    assert not durable.started


def test_the_running_month_is_not_taken(handle: Handle) -> None:
    """It has not ended; the month before it is taken, and waits for its invoices."""
    durable, now = FakeDurable(), datetime.now(UTC)
    assert handle("post_months", durable, {"month": f"{now:%Y-%m}"}).status_code == 400
    assert handle("post_months", durable, {"month": month_before(now)}).status_code == 202
    assert MonthlyOrder.from_json(durable.started[0][2]).wait_days == configured().invoice_wait_days


@pytest.mark.parametrize("run_id", [MONTH_ID, RANGE_ID])
def test_a_run_is_found_by_its_id(handle: Handle, run_id: str) -> None:
    """With what there is of its result while it runs, and beside the error when it failed."""
    durable = FakeDurable()
    assert handle("get_export", durable, id=run_id).status_code == 404
    so_far = {"month": "2026-01", "invoices": []}
    durable.add(run_id, "Running", customStatus={"phase": "exporting", "result": so_far})
    shown = json.loads(handle("get_export", durable, id=run_id).get_body())
    assert (shown["id"], shown["state"], shown["result"]) == (run_id, "running", so_far)
    error = {"code": "NoInvoice", "message": "none", "remedy": "look", "requestId": None}
    durable.add(run_id, "Failed", customStatus={"phase": "exporting", "result": so_far, "error": error})
    shown = json.loads(handle("get_export", durable, id=run_id).get_body())
    assert (shown["state"], shown["result"], shown["error"]) == ("failed", so_far, error)


@pytest.mark.parametrize("run_id", [MONTH_ID, RANGE_ID])
def test_a_run_of_months_is_cancelled_as_an_export_is(handle: Handle, run_id: str) -> None:
    """By an orchestration of its own, which ends what it began too."""
    durable = FakeDurable()
    durable.add(run_id, "Running")
    assert handle("delete_export", durable, id=run_id).status_code == 202
    assert [(name, id_) for name, id_, _ in durable.started] == [(CANCEL_RUN, f"cancel-{run_id}")]


def test_the_list_has_months_and_ranges() -> None:
    """Among the exports, newest first, and without what they began."""
    durable = FakeDurable()
    for instance_id in (MONTH_ID, f"{MONTH_ID}:billedUsage-G000000001-full", RANGE_ID, f"{RANGE_ID}:2026-01"):
        durable.add(instance_id, "Running")
    listed = asyncio.run(exports.started_since(durable, BEGINNING, BEGINNING + timedelta(days=1)))
    assert [status["id"] for status in listed] == [RANGE_ID, MONTH_ID]
