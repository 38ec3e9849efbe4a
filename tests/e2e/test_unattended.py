"""What the timers do when nobody watches: a fortnight of data not yet billed, and a month that nothing had started."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.emulator import Emulator, EmulatorOptions
from local.running import served
from tests.e2e.calendar_host import Calendar, CalendarHost, calendar_host, on_emulator

FIRST = datetime(2027, 1, 5, 5, tzinfo=UTC)
"""Later than what a test writes is dated: to the sweep all versions of these days are old."""

DAYS = 15
KEPT = 3
PARTNER = EmulatorOptions(invoices=(), months=1, blobs=1, rows=5, customers=2, running_polls=0)
SETTINGS = {
    "UNBILLED_CURRENCIES": "EUR",
    "UNBILLED_DATASETS": "unbilledUsage",
    "KEEP_VERSIONS": str(KEPT),
    "INVOICE_WAIT_DAYS": "0",
}


def test_a_fortnight_without_anybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every day's data lands, few versions stay, and the month that no timer started is started by the watch."""
    asyncio.run(_tell(tmp_path / "landing", monkeypatch))


async def _tell(folder: Path, environment: pytest.MonkeyPatch) -> None:
    calendar = Calendar(FIRST)
    emulator = Emulator(PARTNER, now=calendar.now)
    async with (
        served(emulator.app) as url,
        calendar_host(calendar, environment, on_emulator(url, folder) | SETTINGS) as host,
    ):
        lines = [await _day(host, FIRST + timedelta(days=day)) for day in range(DAYS)]
    states = [line.removeprefix("partner.billing.watch monthly-2026-12 ").partition(";")[0] for line in lines]
    assert states == ["unknown"] * 5 + ["started"] + ["succeeded"] * 9
    for month, versions in (("2026-12", 1), ("2027-01", KEPT)):
        (exported,) = folder.glob(f"unbilled_usage/*/currency=EUR/period={month}/*/")
        latest = json.loads((exported / "_latest.json").read_text())["version"]
        committed = {marker.parent.name for marker in exported.glob("version=*/_SUCCESS")}
        assert len(committed) == versions, month
        assert f"version={latest}" in committed


async def _day(host: CalendarHost, morning: datetime) -> str:
    """The watch's line, after the day's exports have ended well."""
    await host.pass_until(morning)
    running = await host.start_unbilled()
    assert len(running) == (2 if morning.day <= 10 else 1)
    await host.rest()
    assert {(await host.get(id_))["state"] for id_ in running} == {"succeeded"}
    line = await host.watch()
    await host.rest()
    return line
