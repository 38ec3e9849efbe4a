"""Starting the exports of what is not billed yet."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from http_start import unbilled
from messages.exports import ExportOrder
from messages.names import CANCEL_ID
from settings import Settings
from tests.http_start.fake_durable import FakeDurable

SETTINGS = Settings.from_mapping(
    {"LANDING_URL": "file:///landed", "UNBILLED_CURRENCIES": "EUR,USD", "UNBILLED_DATASETS": "unbilledUsage"}
)
NOW = datetime(2026, 11, 20, 5, tzinfo=UTC)
EUR, USD = "unbilledUsage-EUR-current-full", "unbilledUsage-USD-current-full"


def _begin(durable: FakeDurable, settings: Settings = SETTINGS, now: datetime = NOW) -> list[str]:
    return asyncio.run(unbilled.begin(durable, settings, now))


def test_each_export_is_started_as_a_caller_would() -> None:
    """Under its own id, with the policy of the settings."""
    durable = FakeDurable()
    assert _begin(durable) == [EUR, USD]
    assert [(name, id_) for name, id_, _ in durable.started] == [("run_export", EUR), ("run_export", USD)]
    assert [ExportOrder.from_json(order).request.export_id for _, _, order in durable.started] == [EUR, USD]


def test_what_runs_is_not_started_again() -> None:
    """An export that takes longer than the schedule's interval goes on."""
    durable = FakeDurable()
    _begin(durable)
    assert _begin(durable) == [EUR, USD]
    assert len(durable.started) == 2


def test_without_currencies_nothing_is_started() -> None:
    """A schedule alone exports nothing."""
    durable = FakeDurable()
    assert _begin(durable, Settings.from_mapping({"LANDING_URL": "file:///landed"})) == []
    assert not durable.started


def test_one_that_is_being_cancelled_is_left_out() -> None:
    """Nobody needs to be told of what a person did; the others start."""
    durable = FakeDurable()
    durable.add(f"{CANCEL_ID}{EUR}", "Running")
    assert _begin(durable) == [USD]


def test_a_month_that_has_just_begun_may_have_no_data() -> None:
    """On the first day nobody is told that there is none of the current month; of the last one it would be news."""
    durable = FakeDurable()
    _begin(durable, now=NOW.replace(day=1))
    assert {id_: ExportOrder.from_json(order).tells_no_data for _, id_, order in durable.started} == {
        EUR: False,
        EUR.replace("current", "last"): True,
        USD: False,
        USD.replace("current", "last"): True,
    }


def test_one_that_cannot_be_started_keeps_none_of_the_others_from_it() -> None:
    """The timer fails all the same, so that an alert tells."""

    class Broken(FakeDurable):
        async def start_new(self, name: str, instance_id: str, client_input: Any) -> str:
            if instance_id == EUR:
                raise Exception("The storage of the task hub is busy.")
            return await super().start_new(name, instance_id, client_input)

    durable = Broken()
    with pytest.raises(ExceptionGroup) as caught:
        _begin(durable)
    assert [str(fault) for fault in caught.value.exceptions] == ["The storage of the task hub is busy."]
    assert [id_ for _, id_, _ in durable.started] == [USD]
