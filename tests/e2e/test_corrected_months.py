"""Months whose documents are amended, dated badly or listed late: each stands in the result as what it is."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.emulator import Emulator, EmulatorOptions, Event
from local.emulator.data.invoices import adjustment_note_id, replacing_id, void_note_id
from local.running import served
from tests.e2e.calendar_host import Calendar, calendar_host, on_emulator

MONTH = "2026-10"
EUR, USD = "G002432200", "G002432201"
PARTNER = EmulatorOptions(invoices=(), months=1, blobs=1, rows=5, customers=2, running_polls=0)

Told = dict[str, tuple[str, str, str | None]]
IN_USD: Told = {USD: ("invoice", "landed", None)}
IN_EUR: Told = {EUR: ("invoice", "landed", None)}
REPLACED: Told = {
    EUR: ("invoice", "voided", replacing_id(EUR)),
    replacing_id(EUR): ("invoice", "landed", None),
    void_note_id(EUR): ("void_note", "listed", None),
}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("correction", REPLACED),
        ("nested-correction", REPLACED),
        (
            "void",
            {
                EUR: ("invoice", "voided", None),
                void_note_id(EUR): ("void_note", "listed", None),
                adjustment_note_id(EUR): ("adjustment_note", "listed", None),
            },
        ),
        ("adjustment-note", IN_EUR | {adjustment_note_id(EUR): ("adjustment_note", "listed", None)}),
        ("late-invoice", IN_EUR),
        ("no-date", IN_EUR),
        ("no-period", IN_EUR),
        ("undated", {EUR: ("invoice", "unreadable", None)}),
    ],
)
def test_every_document_stands_in_the_months_result(
    event: str, expected: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its kind, its state and what replaces it; whatever has lines has landed, and nothing stops the month."""
    status = asyncio.run(_play(event, tmp_path / "landing", monkeypatch))
    told = {
        each["invoiceId"]: (each["kind"], each["state"], each["replacedBy"]) for each in status["result"]["invoices"]
    }
    assert status["state"] == "succeeded"
    assert told == IN_USD | expected
    landed = {folder.name for folder in (tmp_path / "landing").glob("billed_reconciliation/*/invoice_id=*")}
    assert landed == {
        f"invoice_id={id_}" for id_, (kind, state, _) in told.items() if kind == "invoice" and state != "unreadable"
    }


async def _play(event: str, folder: Path, environment: pytest.MonkeyPatch) -> Any:
    """The month's status in the end, when its timer has fired on the 9th and nobody did anything else."""
    calendar = Calendar(datetime(2026, 11, 9, tzinfo=UTC))
    emulator = Emulator(replace(PARTNER, events=(Event.read(f"{event}={MONTH}"),)), now=calendar.now)
    async with served(emulator.app) as url:
        settings = on_emulator(url, folder) | {"MONTHLY_DATASETS": "billedReconciliation"}
        async with calendar_host(calendar, environment, settings) as host:
            await host.next_timer()
            await host.rest()
            return await host.get(f"monthly-{MONTH}")
