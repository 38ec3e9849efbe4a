"""Starting, watching and listing tables."""

import asyncio
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import pytest

from catalog.tables_request import TablesRequest
from http_start import tables
from http_start.answers import Refused
from messages.names import BUILD_TABLE, BUILD_TABLES, LIST_TABLES
from settings import Settings
from tests.http_start.fake_durable import FakeDurable

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
SETTINGS = Settings.from_mapping({"LANDING_URL": "file:///landed", "TABLES": "off"})


def _start(durable: FakeDurable, **asked: str) -> dict[str, Any]:
    return asyncio.run(tables.start(durable, TablesRequest(**asked), SETTINGS, NOW))


def test_an_invoice_s_table_and_a_month_s_are_runs_of_their_own() -> None:
    """By hand they are made also where exports make none."""
    durable = FakeDurable()
    assert _start(durable, invoice_id="G016907411")["id"] == "table-G016907411"
    assert _start(durable, month="2026-10")["id"] == "tables-2026-10"
    one, month = durable.started
    assert one[:2] == (BUILD_TABLE, "table-G016907411")
    assert one[2]["invoice_id"] == "G016907411"
    assert month[:2] == (BUILD_TABLES, "tables-2026-10")
    assert month[2]["month"] == "2026-10"


def test_a_second_call_finds_the_run_that_is_under_way() -> None:
    """Nothing is started twice."""
    durable = FakeDurable()
    _start(durable, invoice_id="G016907411")
    assert _start(durable, invoice_id="G016907411")["state"] == "pending"
    assert len(durable.started) == 1


def test_a_table_nobody_asked_for_is_unknown() -> None:
    """As a 404."""
    with pytest.raises(Refused) as refused:
        asyncio.run(tables.find(FakeDurable(), "table-G016907411"))
    assert refused.value.status == HTTPStatus.NOT_FOUND


def test_the_tables_of_a_month_say_what_the_one_that_is_made_waits_for() -> None:
    """It is an orchestration of its own, which nobody looks at."""
    durable = FakeDurable()
    waiting = {"lastProblem": {"code": "NoRoom"}, "nextTryAt": "2026-11-22T08:10:00+00:00"}
    durable.add("tables-2026-10", "Running", customStatus={"phase": "tabulating", "waitsFor": "tables-2026-10:table:1"})
    durable.add("tables-2026-10:table:1", "Running", customStatus={"phase": "converting", **waiting})
    found = asyncio.run(tables.find(durable, "tables-2026-10"))
    assert found["phase"] == "tabulating"
    assert {name: found[name] for name in waiting} == waiting


def test_tables_are_listed_by_an_orchestration_of_each_call() -> None:
    """The HTTP function itself knows no landing zone."""

    class Ended(FakeDurable):
        async def start_new(self, name: str, instance_id: str, client_input: Any) -> str:
            await super().start_new(name, instance_id, client_input)
            self.add(instance_id, "Completed", output={"tables": [{"invoiceId": "G016907411"}]})
            return instance_id

    durable = Ended()
    assert asyncio.run(tables.of_month(durable, "2026-10")) == [{"invoiceId": "G016907411"}]
    ((name, _, asked),) = durable.started
    assert (name, asked) == (LIST_TABLES, {"month": "2026-10"})
