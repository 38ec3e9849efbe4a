"""Each dataset's way from the HTTP call, by Microsoft's path for it, into a folder that a reader reads."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.emulator import Emulator, EmulatorOptions
from local.running import served
from tests.e2e.calendar_host import Calendar, CalendarHost, calendar_host, on_emulator

Json = dict[str, Any]

NOW = datetime(2026, 11, 20, 6, tzinfo=UTC)
TENANT = "partner_tenant=4835fe82-e805-421f-9daf-95c6012ebc7f"


@dataclass
class Posted:
    """Stands before the emulator, and notes the bodies of all exports by their paths."""

    app: ASGIApp
    bodies: list[tuple[str, Json]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def noting() -> Message:
            message = await receive()
            if scope["method"] == "POST" and message.get("body"):
                self.bodies.append((scope["path"], json.loads(message["body"])))
            return message

        await self.app(scope, noting, send)


@dataclass(frozen=True)
class World:
    """The app, and what it asks Microsoft for. All data is in 2 blobs."""

    host: CalendarHost
    emulator: Emulator
    posted: Posted
    landing: Path

    async def export(self, **body: str) -> Json:
        """The status with which an export ends."""
        started = await self.host.post(**body)
        await self.host.rest()
        return await self.host.get(started["id"])

    def blobs_read(self) -> int:
        """How many blobs were read from Microsoft."""
        return sum(
            request.method == "GET" and request.path.startswith("/exports/") for request in self.emulator.requests
        )

    def folders(self) -> list[str]:
        """The folders of all exports that have landed."""
        return sorted(str(pointer.parent.relative_to(self.landing)) for pointer in self.landing.rglob("_latest.json"))

    def read(self, folder: str, *columns: str) -> list[tuple[Any, ...]]:
        """What a reader who follows the folder's pointer reads: values of the columns, each with its number of rows."""
        blobs = self.landing / folder / json.loads((self.landing / folder / "_latest.json").read_text())["glob"]
        rows = f"read_json('{blobs}', format = 'newline_delimited')"
        with duckdb.connect() as database:
            return database.execute(f"SELECT {', '.join(columns)}, count(*) FROM {rows} GROUP BY ALL").fetchall()  # noqa: S608


def _play(
    folder: Path,
    environment: pytest.MonkeyPatch,
    scene: Callable[[World], Awaitable[None]],
    start: datetime = NOW,
    settings: Mapping[str, str] | None = None,
) -> None:
    async def play() -> None:
        calendar = Calendar(start)
        emulator = Emulator(EmulatorOptions(blobs=2, rows=5, customers=2), now=calendar.now)
        posted = Posted(emulator.app)
        async with (
            served(posted) as url,
            calendar_host(calendar, environment, on_emulator(url, folder) | dict(settings or {})) as host,
        ):
            await scene(World(host, emulator, posted, folder))

    asyncio.run(play())


@dataclass(frozen=True)
class Case:
    """An export: what a caller asks for, what Microsoft is asked for and where, the run's id, and where it lands.

    `means` are the values of all rows in some of their columns, those of the folders among them. Of a month that is not
    over there are fewer rows, and an invoice has lines besides those of its usage.
    """

    asked: Json
    path: str
    sent: Json
    run_id: str
    folder: str
    means: Json
    rows: int = 10


CASES = [
    Case(
        {"invoiceId": "G016907411"},
        "/v1.0/reports/partners/billing/usage/billed/export",
        {"invoiceId": "G016907411", "attributeSet": "full"},
        "billedUsage-G016907411-full",
        f"billed_usage/{TENANT}/invoice_id=G016907411/attribute_set=full",
        {"InvoiceNumber": "G016907411", "invoice_id": "G016907411", "attribute_set": "full"},
    ),
    Case(
        {"dataset": "unbilledUsage", "currencyCode": "USD", "billingPeriod": "current"},
        "/v1.0/reports/partners/billing/usage/unbilled/export",
        {"currencyCode": "USD", "billingPeriod": "current", "attributeSet": "full"},
        "unbilledUsage-USD-current-full",
        f"unbilled_usage/{TENANT}/currency=USD/period=2026-11/attribute_set=full",
        {"BillingCurrency": "USD", "currency": "USD", "period": "2026-11", "attribute_set": "full"},
        rows=5,
    ),
    Case(
        {"dataset": "unbilledUsage", "currencyCode": "EUR", "billingPeriod": "last", "attributeSet": "basic"},
        "/v1.0/reports/partners/billing/usage/unbilled/export",
        {"currencyCode": "EUR", "billingPeriod": "last", "attributeSet": "basic"},
        "unbilledUsage-EUR-last-basic",
        f"unbilled_usage/{TENANT}/currency=EUR/period=2026-10/attribute_set=basic",
        {"BillingCurrency": "EUR", "currency": "EUR", "period": "2026-10", "attribute_set": "basic"},
    ),
    Case(
        {"dataset": "billedReconciliation", "invoiceId": "G016907411"},
        "/v1.0/reports/partners/billing/reconciliation/billed/export",
        {"invoiceId": "G016907411", "attributeSet": "full"},
        "billedReconciliation-G016907411-full",
        f"billed_reconciliation/{TENANT}/invoice_id=G016907411/attribute_set=full",
        {"InvoiceNumber": "G016907411", "invoice_id": "G016907411", "attribute_set": "full"},
        rows=19,
    ),
    Case(
        {"dataset": "unbilledReconciliation", "currencyCode": "USD", "billingPeriod": "last"},
        "/v1.0/reports/partners/billing/reconciliation/unbilled/export",
        {"currencyCode": "USD", "billingPeriod": "last", "attributeSet": "full"},
        "unbilledReconciliation-USD-last-full",
        f"unbilled_reconciliation/{TENANT}/currency=USD/period=2026-10/attribute_set=full",
        {"PricingCurrency": "USD", "currency": "USD", "period": "2026-10", "attribute_set": "full"},
        rows=19,
    ),
    Case(
        {"dataset": "billedAggregatedUsage", "invoiceId": "G016907411"},
        "/beta/reports/partners/billing/aggregatedUsage/billed/export",
        {"invoiceId": "G016907411"},
        "billedAggregatedUsage-G016907411",
        f"billed_aggregated_usage/{TENANT}/invoice_id=G016907411",
        {"InvoiceNumber": "G016907411", "invoice_id": "G016907411"},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.run_id for case in CASES])
def test_a_dataset_lands_where_it_is_read(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Microsoft is asked once, at the dataset's path and version of Graph, and what lands is read by the pointer."""

    async def scene(world: World) -> None:
        status = await world.export(**case.asked)
        version = status["result"]["version"]
        folder = world.landing / case.folder / f"version={version}"
        sizes = [blob.stat().st_size for blob in folder.glob("part-*.json.gz")]
        assert status == {
            "id": case.run_id,
            "state": "succeeded",
            "phase": "done",
            "startedAt": status["startedAt"],
            "updatedAt": status["endedAt"],
            "endedAt": status["endedAt"],
            "attempt": 1,
            "lastProblem": None,
            "nextTryAt": None,
            "progress": {"blobsDone": 2, "blobCount": 2, "bytesDone": sum(sizes)},
            "result": {
                "eTag": json.loads((folder / "_manifest.json").read_text())["eTag"],
                "version": version,
                "blobCount": 2,
                "bytes": sum(sizes),
                "location": f"landing/{case.folder}/version={version}/",
                "unchanged": False,
            },
            "error": None,
        }
        assert world.posted.bodies == [(case.path, case.sent)]
        assert world.folders() == [case.folder]
        assert world.read(case.folder, *case.means, "version") == [(*case.means.values(), version, case.rows)]

    _play(tmp_path / "landing", monkeypatch, scene)


def test_the_last_period_of_a_new_month_is_what_was_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is the month's, whichever word asked for it: what landed on its last day is not copied again."""
    folder = f"unbilled_usage/{TENANT}/currency=USD/period=2026-11/attribute_set=full"

    async def scene(world: World) -> None:
        current = await world.export(dataset="unbilledUsage", currencyCode="USD", billingPeriod="current")
        await world.host.pass_until(datetime(2026, 12, 1, 6, tzinfo=UTC))
        last = await world.export(dataset="unbilledUsage", currencyCode="USD", billingPeriod="last")
        assert last["result"] == current["result"] | {"unchanged": True}
        assert world.folders() == [folder]
        assert world.blobs_read() == 2

    _play(tmp_path / "landing", monkeypatch, scene, datetime(2026, 11, 30, 6, tzinfo=UTC))


def test_data_asked_for_before_midnight_lands_in_the_month_that_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The month is that of the call to Microsoft, not of the day on which it has answered or the blobs are copied."""

    async def scene(world: World) -> None:
        status = await world.export(dataset="unbilledReconciliation", currencyCode="USD", billingPeriod="current")
        assert status["state"] == "succeeded"
        assert world.host.calendar.now() > datetime(2026, 12, 1, tzinfo=UTC)
        assert world.folders() == [f"unbilled_reconciliation/{TENANT}/currency=USD/period=2026-11/attribute_set=full"]

    _play(tmp_path / "landing", monkeypatch, scene, datetime(2026, 11, 30, 23, 59, 50, tzinfo=UTC))


def test_new_data_of_the_current_period_is_a_new_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A month that is not over has more every day: the pointer names the newest version, the older one stays."""
    folder = f"unbilled_usage/{TENANT}/currency=EUR/period=2026-11/attribute_set=full"

    async def scene(world: World) -> None:
        results = []
        for day in (20, 21):
            await world.host.pass_until(datetime(2026, 11, day, 6, tzinfo=UTC))
            status = await world.export(dataset="unbilledUsage", currencyCode="EUR", billingPeriod="current")
            results.append(status["result"])
        versions = [result["version"] for result in results]
        assert [result["unchanged"] for result in results] == [False, False]
        assert sorted(path.name for path in (world.landing / folder).glob("version=*")) == sorted(
            f"version={version}" for version in versions
        )
        assert world.read(folder, "version") == [(versions[-1], 5)]

    _play(tmp_path / "landing", monkeypatch, scene)


def test_a_month_exports_all_datasets_of_its_invoices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each dataset of MONTHLY_DATASETS is exported of each invoice of the month, once."""
    usage, reconciliation = (
        f"/v1.0/reports/partners/billing/{kind}/billed/export" for kind in ("usage", "reconciliation")
    )

    async def scene(world: World) -> None:
        world.emulator.add_invoice("G016907412", month="2026-10")
        world.emulator.add_invoice("G016907413", month="2026-09")
        await world.host.start_month("2026-10")
        await world.host.rest()
        status = await world.host.get("monthly-2026-10")
        exported = status["result"]["invoices"]
        assert [(e["invoiceId"], e["dataset"], e["state"], e["blobCount"]) for e in exported] == [
            ("G016907411", "billedReconciliation", "landed", 2),
            ("G016907412", "billedReconciliation", "landed", 2),
            ("G016907411", "billedUsage", "landed", 2),
            ("G016907412", "billedUsage", "landed", 2),
        ]
        assert (status["state"], status["progress"]["blobsDone"]) == ("succeeded", 8)
        assert sorted(world.posted.bodies, key=str) == [
            (reconciliation, {"invoiceId": "G016907411", "attributeSet": "full"}),
            (reconciliation, {"invoiceId": "G016907412", "attributeSet": "full"}),
            (usage, {"invoiceId": "G016907411", "attributeSet": "full"}),
            (usage, {"invoiceId": "G016907412", "attributeSet": "full"}),
        ]
        assert world.folders() == [
            f"billed_reconciliation/{TENANT}/invoice_id=G016907411/attribute_set=full",
            f"billed_reconciliation/{TENANT}/invoice_id=G016907412/attribute_set=full",
            f"billed_usage/{TENANT}/invoice_id=G016907411/attribute_set=full",
            f"billed_usage/{TENANT}/invoice_id=G016907412/attribute_set=full",
        ]

    datasets = {"MONTHLY_DATASETS": "billedUsage,billedReconciliation", "INVOICE_WAIT_DAYS": "0"}
    _play(tmp_path / "landing", monkeypatch, scene, settings=datasets)
