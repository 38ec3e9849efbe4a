"""The timers, as the Functions host calls them."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.functions.timer import TimerRequest

import function_app
from catalog.months import month_before
from http_start.watch import SIGN
from local.functions import index
from messages.months import MonthlyOrder
from settings import configured
from tests.http_start.fake_durable import FakeDurable


@pytest.fixture
def fire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The timers' functions, below the SDK's middleware, in a configured app; the monthly one, unless named."""
    monkeypatch.setenv("LANDING_URL", "file:///landed")
    configured.cache_clear()
    timers = {timer.name: timer.call for timer in index(function_app.app).timers}

    def fire(durable: FakeDurable, name: str = "start_monthly_exports") -> None:
        handler: Any = timers[name].client_function  # type: ignore[attr-defined]
        asyncio.run(handler(timer=TimerRequest(past_due=True), client=durable))

    yield fire
    configured.cache_clear()


def test_the_timer_starts_the_month_that_closed_last(fire: Any) -> None:
    """One orchestration, under an id that names the month."""
    durable = FakeDurable()
    fire(durable)
    ((name, instance_id, order),) = durable.started
    month = MonthlyOrder.from_json(order).month
    assert (name, instance_id) == ("monthly_exports", f"monthly-{month}")
    assert month == month_before(datetime.now(UTC))


def test_a_month_that_is_running_is_not_started_again(fire: Any) -> None:
    """A timer that fires twice does no harm."""
    durable = FakeDurable()
    fire(durable)
    fire(durable)
    assert len(durable.started) == 1


ENDED = ["Completed", "Failed", "Terminated", "Canceled"]
ACTIVE = ["Pending", "Running", "ContinuedAsNew", "Suspended"]


def _runs_of(days_ago: float) -> FakeDurable:
    """Runs in every state that were started then."""
    durable = FakeDurable()
    for status in ENDED + ACTIVE:
        durable.add(status, status, datetime.now(UTC) - timedelta(days=days_ago))
    return durable


def test_runs_that_ended_long_ago_are_forgotten(fire: Any) -> None:
    """Their history is removed with each month that starts; what has not ended stays, however old."""
    durable = _runs_of(days_ago=91)
    fire(durable)
    assert [id_ for id_ in durable.instances if not id_.startswith("monthly-")] == ACTIVE


def test_younger_runs_are_kept(fire: Any) -> None:
    """`HISTORY_DAYS` is how long their status can be read."""
    durable = _runs_of(days_ago=89)
    fire(durable)
    assert set(ENDED + ACTIVE) <= set(durable.instances)


def test_the_settings_say_how_long_runs_are_kept(fire: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shorter history is forgotten sooner."""
    monkeypatch.setenv("HISTORY_DAYS", "30")
    durable = _runs_of(days_ago=31)
    fire(durable)
    assert not set(ENDED) & set(durable.instances)


def test_a_history_that_cannot_be_removed_does_not_keep_the_month_from_starting(
    fire: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The month runs, and the log tells of the error."""

    class Broken(FakeDurable):
        async def purge_instance_history_by(self, *_: object) -> None:
            raise Exception("The storage of the task hub is busy.")

    durable = Broken()
    fire(durable)
    assert "task hub" in caplog.text
    assert [name for name, _, _ in durable.started] == ["monthly_exports"]
    assert list(durable.instances) == [f"monthly-{month_before(datetime.now(UTC))}"]


def test_what_is_not_billed_yet_is_exported_in_each_currency(
    fire: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The currencies and datasets are those of the settings, and the log names what runs."""
    caplog.set_level("INFO")
    monkeypatch.setenv("UNBILLED_CURRENCIES", "EUR,USD")
    monkeypatch.setenv("UNBILLED_DATASETS", "unbilledUsage")
    durable = FakeDurable()
    fire(durable, "start_unbilled_exports")
    current = [f"unbilledUsage-{currency}-current-full" for currency in ("EUR", "USD")]
    assert [id_ for _, id_, _ in durable.started if "-current-" in id_] == current
    assert all(id_ in caplog.text for id_ in current)


def test_the_watch_writes_its_line(fire: Any, caplog: pytest.LogCaptureFixture) -> None:
    """At a level that reaches Azure's log."""
    caplog.set_level("INFO")
    fire(FakeDurable(), "watch_months")
    assert [message for message in caplog.messages if message.startswith(f"{SIGN} ")]
