"""The monthly timer."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.functions.timer import TimerRequest

import function_app
from billing.months import month_before
from local.functions import index
from orchestrator.messages import MonthlyOrder
from settings import configured
from tests.http_start.fake_durable import FakeDurable


@pytest.fixture
def fire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The timer's function, below the SDK's middleware, in an app that is configured."""
    monkeypatch.setenv("LANDING_URL", "file:///landed")
    configured.cache_clear()
    (timer,) = index(function_app.app).timers
    handler: Any = timer.call.client_function  # type: ignore[attr-defined]
    yield lambda durable: asyncio.run(handler(timer=TimerRequest(past_due=True), client=durable))
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
