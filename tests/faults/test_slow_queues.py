"""What callers see of a run where Durable's queues take their time: every start and answer half a second."""

from datetime import datetime, timedelta

import pytest

from local.emulator import Answer, Fault
from local.engine import Options
from local.serving import listen, url_of
from tests.faults.bench import App, Bench, until

REFUSED = Answer(status=503, headers={"Retry-After": "900"})


@pytest.fixture(autouse=True)
def slow_queues(bench: Bench) -> None:
    """Ten seconds pass in one."""
    bench.options = Options(latency=timedelta(seconds=0.5))
    bench.pace = 10


def test_a_run_that_does_not_get_on_says_why_and_when_it_goes_on(bench: Bench) -> None:
    """Before its first turn it is pending; nothing of it is older than its start."""

    async def scenario(app: App) -> None:
        pending = await app.start()
        await app.waits()
        waiting = await app.status()
        (listed,) = await app.list()
        assert (pending["state"], pending["lastProblem"]) == ("pending", None)
        assert listed == waiting
        assert waiting["startedAt"] == pending["startedAt"] <= waiting["lastProblem"]["time"]
        assert waiting["lastProblem"].keys() >= {"code", "message", "requestId", "remedy", "time"}
        wait = datetime.fromisoformat(waiting["nextTryAt"]) - datetime.fromisoformat(waiting["lastProblem"]["time"])
        assert timedelta(seconds=900) <= wait <= timedelta(seconds=902)

    bench.play(scenario, Fault(request="export", occurrence=1, answer=REFUSED))


def test_a_status_is_202_with_its_place_until_the_run_has_ended(bench: Bench) -> None:
    """Then 200, also where it failed."""

    async def scenario(app: App) -> None:
        await app.start()
        while (answer := await app.look()).status_code == 202:
            assert answer.headers["Location"] == str(answer.url)
            assert int(answer.headers["Retry-After"]) > 0
        assert answer.status_code == 200
        assert {"Location", "Retry-After"}.isdisjoint(answer.headers)
        bench.status = answer.json()

    bench.play(scenario, Fault(request="operation", merge={"status": "failed", "error": {"code": "5000"}}))
    assert bench.status["state"] == "failed"
    assert bench.status["endedAt"] >= bench.status["startedAt"]


def test_a_run_does_not_wait_for_its_notice(bench: Bench) -> None:
    """It ends while nobody takes the notice, which is no run and is not listed."""

    async def scenario(app: App) -> None:
        bench.status = await app.export()
        await until(lambda: any("did not take the notice" in str(record.msg) for record in bench.log_records))
        assert [run["id"] for run in await app.list()] == [bench.status["id"]]

    with listen() as nobody:
        bench.play(scenario, settings={"NOTIFY_WEBHOOK_URL": url_of(nobody), "RETRY_SECONDS": "60"})
    bench.require_success()


def test_a_deadline_that_passes_meanwhile_is_told(bench: Bench) -> None:
    """The run fails with a code and a remedy, whatever it was waiting for."""
    settings = {"EXPORT_DEADLINE_HOURS": "0.001", "POLL_MAX_SECONDS": "1"}
    bench.export(Fault(request="operation", merge={"status": "running", "@odata.type": None}), settings=settings)
    bench.require_failure("DeadlineExceeded", "EXPORT_DEADLINE_HOURS")
