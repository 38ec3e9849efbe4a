"""The month's invoices, found in Partner Center and exported side by side, on the virtual clock."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import function_app
from clients.process import given_clients, make_clients
from http_start.exports import policy
from local.emulator import Emulator, EmulatorOptions
from local.engine import DurableEngine, Instance, Store, VirtualClock
from local.functions import index
from local.running import served
from messages.months import MonthlyOrder
from settings import Settings
from tests.e2e.gates import QUICK

NOW = datetime(2026, 11, 9, 6, tzinfo=UTC)


def _run_month(month: str, emulator: Emulator, landing: Path) -> Instance:
    async def run() -> Instance:
        async with served(emulator.app) as url:
            settings = Settings.from_mapping(
                QUICK
                | {
                    "GRAPH_BASE_URL": f"{url}/v1.0",
                    "PARTNER_CENTER_BASE_URL": url,
                    "LANDING_URL": landing.as_uri(),
                }
            )
            clients = make_clients(settings)
            store = Store()
            engine = DurableEngine(index(function_app.app), store, VirtualClock(NOW))
            order = MonthlyOrder(month, policy(settings), ["billedUsage"])
            with given_clients(clients):
                engine.start("monthly_exports", f"monthly-{month}", json.dumps(order.to_json()))
                await engine.run_until_idle()
            await clients.close()
            ended = store.find(f"monthly-{month}")
            store.close()
            assert ended is not None
            return ended

    return asyncio.run(run())


def _emulator(*invoices: str) -> Emulator:
    return Emulator(EmulatorOptions(invoices=invoices, blobs=2, rows=5), now=lambda: NOW)


def test_every_invoice_of_the_month_is_exported(tmp_path: Path) -> None:
    """The result lists each new-commerce invoice with its version, and each has landed."""
    ended = _run_month("2026-10", _emulator("G000000001", "G000000002"), tmp_path)
    assert ended.status == "Completed", ended.output_json
    result: dict[str, Any] = json.loads(ended.output_json or "")
    assert [invoice["invoiceId"] for invoice in result["invoices"]] == ["G000000001", "G000000002"]
    assert all(invoice["blobCount"] == 2 for invoice in result["invoices"])
    assert len(list(tmp_path.glob("billed_usage/*/*/*/_latest.json"))) == 2


def test_a_month_without_invoice_fails_and_says_so(tmp_path: Path) -> None:
    """An operator hears that an invoice was expected and none was issued."""
    ended = _run_month("2026-07", _emulator("G000000001"), tmp_path)
    assert ended.status == "Failed"
    assert json.loads(ended.custom_status_json or "")["error"]["code"] == "NoInvoice"


def test_one_invoice_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    """What can be exported has landed; the month's failure names the other invoice, and why."""
    emulator = _emulator("G000000001", "G000000002")
    emulator.use_data("G000000001", {"../escape.json.gz": b""}, e_tag="bad")
    ended = _run_month("2026-10", emulator, tmp_path)
    error = json.loads(ended.custom_status_json or "")["error"]
    assert (ended.status, error["code"]) == ("Failed", "InvoicesFailed")
    assert "billedUsage-G000000001-full: " in error["message"]
    assert "UnsafeName" in error["message"]
    landed = list(tmp_path.glob("billed_usage/*/*/*/_latest.json"))
    assert [path.parent.parent.name for path in landed] == ["invoice_id=G000000002"]
