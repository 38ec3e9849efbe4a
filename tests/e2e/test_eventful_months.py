"""The months in which something happens to the emulated partner's invoices: in the end, what landed adds up."""

import asyncio
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.emulator import Emulator, EmulatorOptions
from local.emulator.data.months import month_after
from local.running import served
from tests.e2e.calendar_host import Calendar, CalendarHost, calendar_host, on_emulator
from tests.local.emulator.data.tie_out import Documents, Row

MONTHS = ("2026-01", "2026-03", "2026-05", "2026-07", "2026-09", "2026-11")
"""In which an invoice is restated, corrected or adjusted, usage comes late, or there never is any."""

PARTNER = EmulatorOptions(invoices=(), months=1, blobs=2, rows=15, customers=3, running_polls=0)


@dataclass(frozen=True)
class Books:
    """The app, Partner Center, and the folder that all lands in."""

    host: CalendarHost
    partner_center: httpx.AsyncClient
    landing: Path

    async def invoices(self, month: str) -> dict[str, Any]:
        """What Partner Center says of a month's new-commerce invoices by now, by their ids."""
        answer = await self.partner_center.get("/v1/invoices")
        items = json.loads(answer.content.decode("utf-8-sig"), parse_float=Decimal, parse_int=Decimal)["items"]
        of_month = (item for item in items if item["billingPeriodStartDate"].startswith(month))
        return {item["id"]: item for item in of_month if item["id"].startswith("G")}

    async def broken(self, month: str) -> dict[str, set[str]]:
        """The checks that what landed of a month fails now, by currency; of an invoice that was corrected too."""
        found: dict[str, set[str]] = {}
        for id_, item in (await self.invoices(month)).items():
            lines, usage = self._landed("billed_reconciliation", id_), self._landed("billed_usage", id_)
            broken = Documents(item["totalCharges"], list(lines), list(usage)).broken()
            found[item["currencyCode"]] = found.get(item["currencyCode"], set()) | broken
        return found

    def has_usage(self, invoice_id: str) -> bool:
        """Whether usage of an invoice has landed."""
        return any(True for _ in self._landed("billed_usage", invoice_id))

    def _landed(self, folder: str, invoice_id: str) -> Iterator[Row]:
        for pointer in self.landing.glob(f"{folder}/*/invoice_id={invoice_id}/*/_latest.json"):
            for blob in pointer.parent.glob(json.loads(pointer.read_text())["glob"]):
                for line in gzip.decompress(blob.read_bytes()).splitlines():
                    yield json.loads(line, parse_float=Decimal, parse_int=Decimal)


def test_what_landed_adds_up_whatever_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every month's timer exports it, and in the end all agrees: nobody has to look after it."""
    asyncio.run(_tell(tmp_path / "landing", monkeypatch))


async def _tell(folder: Path, environment: pytest.MonkeyPatch) -> None:
    calendar = Calendar(datetime(2026, 2, 1, tzinfo=UTC))
    emulator = Emulator(PARTNER, now=calendar.now)
    async with served(emulator.app) as url:
        headers = {"Authorization": "Bearer emulator-token"}
        async with (
            httpx.AsyncClient(base_url=url, headers=headers) as partner_center,
            calendar_host(calendar, environment, on_emulator(url, folder)) as host,
        ):
            books = Books(host, partner_center, folder)
            for month in MONTHS:
                await host.pass_until(datetime.combine(month_after(date.fromisoformat(f"{month}-01")), time(), UTC))
                await host.next_timer()
                await host.rest()
                assert (await host.get(f"monthly-{month}"))["state"] == "succeeded", month
                assert await books.broken(month) == {"EUR": set(), "USD": set()}, month
            assert len(await books.invoices("2026-03")) == 3
            assert [books.has_usage(invoice_id) for invoice_id in await books.invoices("2026-07")] == [True, False]
