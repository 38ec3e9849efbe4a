"""Three months of an app that is left to itself, and of a person who looks in now and then, told on a calendar."""

import asyncio
import gzip
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from local.emulator import Emulator, EmulatorOptions
from local.running import served
from tests.e2e.calendar_host import Calendar, CalendarHost, calendar_host, on_emulator
from tests.faults import invariants

Json = dict[str, Any]

BEGINNING = datetime(2026, 11, 1, tzinfo=UTC)
FOLDER = "billed_usage/partner_tenant=4835fe82-e805-421f-9daf-95c6012ebc7f/invoice_id={}/attribute_set=full"

# What is exported in the story, as callers are told of it.
OCTOBER_LATE = {
    "eTag": "october-late",
    "version": "4f1ce0fdfcfe28ab",
    "blobCount": 2,
    "bytes": 92,
    "location": f"landing/{FOLDER.format('G000000101')}/version=4f1ce0fdfcfe28ab/",
    "unchanged": False,
}
OCTOBER_LATER = {
    "eTag": "october-later",
    "version": "c4d924530695d189",
    "blobCount": 2,
    "bytes": 94,
    "location": f"landing/{FOLDER.format('G000000102')}/version=c4d924530695d189/",
    "unchanged": False,
}
NOVEMBER = {
    "eTag": "november",
    "version": "44f1d90ab7abab61",
    "blobCount": 2,
    "bytes": 84,
    "location": f"landing/{FOLDER.format('G000000111')}/version=44f1d90ab7abab61/",
    "unchanged": False,
}
NOVEMBER_RESTATED = {
    "eTag": "november-restated",
    "version": "57dfdb2181842af6",
    "blobCount": 2,
    "bytes": 102,
    "location": f"landing/{FOLDER.format('G000000111')}/version=57dfdb2181842af6/",
    "unchanged": False,
    "previousVersion": NOVEMBER["version"],
}
DECEMBER = {
    "eTag": "december",
    "version": "2f212209596fc5e5",
    "blobCount": 2,
    "bytes": 84,
    "location": f"landing/{FOLDER.format('G000000121')}/version=2f212209596fc5e5/",
    "unchanged": False,
}
NO_DATA = {
    "code": "5000",
    "message": "Microsoft's export failed: No data available",
    "remedy": "Check the invoice id, or currency and period: Microsoft has no data of this kind for it (yet).",
    "requestId": None,
}
NOT_EXPORTED = {
    "id": "monthly-2026-11:billedUsage-G000000112-full",
    "invoiceId": "G000000112",
    "dataset": "billedUsage",
    "kind": "invoice",
    "state": "noData",
    "replacedBy": None,
    "version": None,
    "previousVersion": None,
    "blobCount": 0,
    "bytes": 0,
    "unchanged": False,
    "error": NO_DATA,
}
NOTHING = {"blobsDone": 0, "blobCount": 0, "bytesDone": 0}


class Receiver:
    """Takes all events that are posted to it."""

    def __init__(self) -> None:
        self.events: list[Json] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.events.append(json.loads(await Request(scope, receive).body()))
        await Response(status_code=204)(scope, receive, send)


@dataclass
class Story:
    """The app, Microsoft, and what there is to see of both."""

    host: CalendarHost
    emulator: Emulator
    landing: Path
    receiver: Receiver
    _heard: int = field(default=0)

    def issue(self, invoice_id: str, month: str, listed_from: datetime, e_tag: str) -> None:
        """Has Microsoft list an invoice for the month from a moment on, with data."""
        self.emulator.add_invoice(invoice_id, month=month, listed_from=listed_from)
        self.state(invoice_id, e_tag)

    def state(self, invoice_id: str, e_tag: str) -> None:
        """Has Microsoft state the invoice's data, in two blobs."""
        blob = gzip.compress(f'{{"is": "{e_tag}"}}\n'.encode(), compresslevel=0, mtime=0)
        self.emulator.use_data(
            invoice_id, dict.fromkeys(["part-00000.json.gz", "part-00001.json.gz"], blob), e_tag=e_tag
        )

    def news(self) -> list[tuple[str, str, Json]]:
        """Type, subject and data of the events since this was last asked; of one moment by their subjects."""
        new, self._heard = self.receiver.events[self._heard :], len(self.receiver.events)
        ordered = sorted(new, key=lambda event: (event["time"], event["subject"]))
        told = [(event["type"], event["subject"], event["data"]) for event in ordered]
        return [
            (type_, subject, _without_times_of_exports(self.host.told(json.dumps(data))))
            for type_, subject, data in told
        ]

    async def seen(self, run_id: str) -> Json:
        """What a caller is told of a run, but for its times."""
        return _without_times(await self.host.get(run_id))

    def blobs_read(self) -> int:
        """How many blobs were read from Microsoft."""
        return sum(
            request.method == "GET" and request.path.startswith("/exports/") for request in self.emulator.requests
        )


def _without_times(status: Json) -> Json:
    told = {"startedAt", "updatedAt", "endedAt", "attempt", "lastProblem", "nextTryAt"}
    left = {name: value for name, value in status.items() if name not in told}
    return {name: _without_times_of_exports(value) for name, value in left.items()}


def _without_times_of_exports(result: Any) -> Any:
    if not (isinstance(result, dict) and "invoices" in result):
        return result
    return result | {"invoices": [_without_times(export) for export in result["invoices"]]}


@asynccontextmanager
async def _story(folder: Path, environment: pytest.MonkeyPatch) -> AsyncIterator[Story]:
    calendar, receiver = Calendar(BEGINNING), Receiver()
    emulator = Emulator(EmulatorOptions(invoices=()), now=calendar.now)
    async with served(emulator.app) as url, served(receiver) as hook:
        settings = on_emulator(url, folder) | {
            "NOTIFY_WEBHOOK_URL": f"{hook}/events?key=k",
            "HISTORY_DAYS": "45",
            "MONTHLY_DATASETS": "billedUsage",
        }
        async with calendar_host(calendar, environment, settings) as host:
            yield Story(host, emulator, folder, receiver)


def _tell(folder: Path, environment: pytest.MonkeyPatch, *chapters: Callable[[Story], Awaitable[None]]) -> None:
    async def tell() -> None:
        async with _story(folder, environment) as story:
            for chapter in chapters:
                await chapter(story)

    asyncio.run(tell())


def test_the_app_works_every_month_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three months run: late invoices land, failures and restatements are told, and nothing is copied twice."""
    _tell(tmp_path / "landing", monkeypatch, _october, _november, _december, _afterwards)


async def _october(story: Story) -> None:
    """Its invoices are late: one is listed three days after the timer, another one six days after it."""
    story.issue("G000000101", "2026-10", datetime(2026, 11, 12, tzinfo=UTC), "october-late")
    story.issue("G000000102", "2026-10", datetime(2026, 11, 15, tzinfo=UTC), "october-later")

    await story.host.next_timer()
    assert await story.seen("monthly-2026-10") == {
        "id": "monthly-2026-10",
        "state": "pending",
        "phase": "pending",
        "progress": NOTHING,
        "result": None,
        "error": None,
    }
    await story.host.pass_until(datetime(2026, 11, 11, tzinfo=UTC))
    assert await story.seen("monthly-2026-10") == {
        "id": "monthly-2026-10",
        "state": "running",
        "phase": "waiting",
        "progress": NOTHING,
        "result": _month("2026-10"),
        "error": None,
    }
    await story.host.pass_until(datetime(2026, 11, 14, tzinfo=UTC))
    assert await story.seen("monthly-2026-10") == {
        "id": "monthly-2026-10",
        "state": "running",
        "phase": "waiting",
        "progress": {"blobsDone": 2, "blobCount": 2, "bytesDone": 92},
        "result": _month("2026-10", _exported("2026-10", "G000000101", OCTOBER_LATE)),
        "error": None,
    }
    assert story.news() == [
        ("partner.billing.export.succeeded", "monthly-2026-10:billedUsage-G000000101-full", OCTOBER_LATE)
    ]

    await story.host.rest()
    exported = _month(
        "2026-10",
        _exported("2026-10", "G000000101", OCTOBER_LATE),
        _exported("2026-10", "G000000102", OCTOBER_LATER),
    )
    assert await story.seen("monthly-2026-10") == {
        "id": "monthly-2026-10",
        "state": "succeeded",
        "phase": "done",
        "progress": {"blobsDone": 4, "blobCount": 4, "bytesDone": 186},
        "result": exported,
        "error": None,
    }
    assert story.news() == [
        ("partner.billing.export.succeeded", "monthly-2026-10:billedUsage-G000000102-full", OCTOBER_LATER),
        ("partner.billing.export.succeeded", "monthly-2026-10", exported),
        *_looked_once_more("2026-10", G000000101=OCTOBER_LATE, G000000102=OCTOBER_LATER),
    ]
    assert story.blobs_read() == 4


async def _november(story: Story) -> None:
    """It has two invoices, and Microsoft has no data for one of them, not for a person who asks again either."""
    story.issue("G000000111", "2026-11", datetime(2026, 12, 8, tzinfo=UTC), "november")
    story.issue("G000000112", "2026-11", datetime(2026, 12, 8, tzinfo=UTC), "never seen")
    story.emulator.fail("G000000112")

    await story.host.next_timer()
    await story.host.rest()
    failed = {
        "code": "InvoicesFailed",
        "message": "1 of 2 exports of the month failed: "
        "billedUsage-G000000112-full: 5000: Microsoft's export failed: No data available",
        "remedy": "Nothing of these invoices has landed: check in Partner Center whether they belong to this "
        "tenant and have lines, and that MONTHLY_DATASETS names billedReconciliation; then start the month again.",
        "requestId": None,
    }
    assert await story.seen("monthly-2026-11") == {
        "id": "monthly-2026-11",
        "state": "failed",
        "phase": "exporting",
        "progress": {"blobsDone": 2, "blobCount": 2, "bytesDone": 84},
        "result": _month("2026-11", NOT_EXPORTED, _exported("2026-11", "G000000111", NOVEMBER)),
        "error": failed,
    }
    assert story.news() == [
        ("partner.billing.export.succeeded", "monthly-2026-11:billedUsage-G000000111-full", NOVEMBER),
        ("partner.billing.export.failed", "monthly-2026-11", failed),
        *_looked_once_more("2026-11", G000000111=NOVEMBER),
    ]

    await story.host.post(invoiceId="G000000112")
    await story.host.rest()
    assert await story.seen("billedUsage-G000000112-full") == {
        "id": "billedUsage-G000000112-full",
        "state": "failed",
        "phase": "polling",
        "progress": NOTHING,
        "result": None,
        "error": NO_DATA,
    }
    assert story.news() == [("partner.billing.export.failed", "billedUsage-G000000112-full", NO_DATA)]
    assert story.blobs_read() == 6


async def _december(story: Story) -> None:
    """While its invoice is being exported, a person exports November's, restated, and then October once more."""
    story.issue("G000000121", "2026-12", datetime(2027, 1, 12, tzinfo=UTC), "december")
    story.state("G000000111", "november-restated")

    await story.host.next_timer()
    await story.host.pass_until(datetime(2027, 1, 12, 6, 0, 20, tzinfo=UTC))
    assert await story.seen("monthly-2026-12") == {
        "id": "monthly-2026-12",
        "state": "running",
        "phase": "exporting",
        "progress": NOTHING,
        "result": _month("2026-12", _running("2026-12", "G000000121")),
        "error": None,
    }
    assert _without_times(await story.host.post(invoiceId="G000000111")) == {
        "id": "billedUsage-G000000111-full",
        "state": "pending",
        "phase": "pending",
        "progress": NOTHING,
        "result": None,
        "error": None,
    }
    await story.host.pass_until(datetime(2027, 1, 12, 7, tzinfo=UTC))
    assert await story.seen("billedUsage-G000000111-full") == {
        "id": "billedUsage-G000000111-full",
        "state": "succeeded",
        "phase": "done",
        "progress": {"blobsDone": 2, "blobCount": 2, "bytesDone": 102},
        "result": NOVEMBER_RESTATED,
        "error": None,
    }
    assert story.news() == [
        ("partner.billing.export.succeeded", "monthly-2026-12:billedUsage-G000000121-full", DECEMBER),
        ("partner.billing.export.succeeded", "billedUsage-G000000111-full", NOVEMBER_RESTATED),
        ("partner.billing.export.restated", "billedUsage-G000000111-full", NOVEMBER_RESTATED),
    ]
    assert story.blobs_read() == 10

    await _october_again(story)
    await story.host.rest()
    exported = _month("2026-12", _exported("2026-12", "G000000121", DECEMBER))
    assert await story.seen("monthly-2026-12") == {
        "id": "monthly-2026-12",
        "state": "succeeded",
        "phase": "done",
        "progress": {"blobsDone": 2, "blobCount": 2, "bytesDone": 84},
        "result": exported,
        "error": None,
    }
    assert story.news() == [
        ("partner.billing.export.succeeded", "monthly-2026-12", exported),
        *_looked_once_more("2026-12", G000000121=DECEMBER),
    ]


async def _october_again(story: Story) -> None:
    """Durable has forgotten its run, after 45 days; what landed has not, and no blob is read."""
    forgotten = await story.seen("monthly-2026-10")
    assert forgotten == {"title": "Not Found", "status": 404, "detail": "There is no export of this id."}

    await story.host.start_month("2026-10")
    await story.host.pass_until(datetime(2027, 1, 12, 8, tzinfo=UTC))
    late, later = OCTOBER_LATE | {"unchanged": True}, OCTOBER_LATER | {"unchanged": True}
    exported = _month("2026-10", _exported("2026-10", "G000000101", late), _exported("2026-10", "G000000102", later))
    assert await story.seen("monthly-2026-10") == {
        "id": "monthly-2026-10",
        "state": "succeeded",
        "phase": "done",
        "progress": {"blobsDone": 4, "blobCount": 4, "bytesDone": 186},
        "result": exported,
        "error": None,
    }
    assert story.news() == [
        ("partner.billing.export.succeeded", "monthly-2026-10", exported),
        ("partner.billing.export.unchanged", "monthly-2026-10:billedUsage-G000000101-full", late),
        ("partner.billing.export.unchanged", "monthly-2026-10:billedUsage-G000000102-full", later),
    ]
    assert story.blobs_read() == 10


async def _afterwards(story: Story) -> None:
    """All that the three months leave behind."""
    assert [(run["id"], run["state"]) for run in await story.host.all(BEGINNING)] == [
        ("monthly-2026-10", "succeeded"),
        ("billedUsage-G000000111-full", "succeeded"),
        ("monthly-2026-12", "succeeded"),
        ("billedUsage-G000000112-full", "failed"),
        ("monthly-2026-11", "failed"),
    ]
    _require_landed(story.landing)
    read = Counter(request.path for request in story.emulator.requests if request.path.startswith("/exports/"))
    assert sorted(read.values()) == [1] * 10
    _require_envelopes(story.receiver.events)


def _require_landed(landing: Path) -> None:
    files = [str(path.relative_to(landing)) for path in landing.rglob("*") if path.is_file() and path.name != ".lock"]
    assert sorted(files) == sorted(
        [
            f"{FOLDER.format('G000000101')}/_latest.json",
            *_version(f"{FOLDER.format('G000000101')}/version=4f1ce0fdfcfe28ab"),
            f"{FOLDER.format('G000000102')}/_latest.json",
            *_version(f"{FOLDER.format('G000000102')}/version=c4d924530695d189"),
            f"{FOLDER.format('G000000111')}/_latest.json",
            *_version(f"{FOLDER.format('G000000111')}/version=44f1d90ab7abab61"),
            *_version(f"{FOLDER.format('G000000111')}/version=57dfdb2181842af6"),
            f"{FOLDER.format('G000000121')}/_latest.json",
            *_version(f"{FOLDER.format('G000000121')}/version=2f212209596fc5e5"),
        ]
    )
    assert [json.loads(pointer.read_text()) for pointer in sorted(landing.rglob("_latest.json"))] == [
        {
            "version": "4f1ce0fdfcfe28ab",
            "glob": "version=4f1ce0fdfcfe28ab/*.json.gz",
            "eTag": "october-late",
            "blobCount": 2,
            "bytes": 92,
            "manifestCreatedDateTime": "2026-11-12T06:01:10.0000000Z",
        },
        {
            "version": "c4d924530695d189",
            "glob": "version=c4d924530695d189/*.json.gz",
            "eTag": "october-later",
            "blobCount": 2,
            "bytes": 94,
            "manifestCreatedDateTime": "2026-11-15T06:01:10.0000000Z",
        },
        {
            "version": "57dfdb2181842af6",
            "glob": "version=57dfdb2181842af6/*.json.gz",
            "eTag": "november-restated",
            "blobCount": 2,
            "bytes": 102,
            "manifestCreatedDateTime": "2027-01-12T06:01:30.0000000Z",
        },
        {
            "version": "2f212209596fc5e5",
            "glob": "version=2f212209596fc5e5/*.json.gz",
            "eTag": "december",
            "blobCount": 2,
            "bytes": 84,
            "manifestCreatedDateTime": "2027-01-12T06:01:10.0000000Z",
        },
    ]
    invariants.require_whole_versions(landing)
    invariants.require_committed_pointers(landing)


def _require_envelopes(events: list[Json]) -> None:
    assert len(events) == len({event["id"] for event in events}) == 17
    told = ("id", "type", "subject", "time", "data")
    envelopes = [{name: value for name, value in event.items() if name not in told} for event in events]
    envelope = {"specversion": "1.0", "source": "/api/exports", "datacontenttype": "application/json"}
    assert envelopes == [envelope] * 17


def _version(folder: str) -> list[str]:
    """All files of a whole version."""
    return [
        f"{folder}/_SUCCESS",
        f"{folder}/_manifest.json",
        f"{folder}/_receipts/_00000-00002.json",
        f"{folder}/_receipts/_commit.json",
        f"{folder}/part-00000.json.gz",
        f"{folder}/part-00001.json.gz",
    ]


def _month(month: str, *exports: Json) -> Json:
    """A month's result with these exports."""
    states = ("landed", "listed", "voided", "cancelled", "running", "waiting", "noData", "unreadable", "failed")
    counts = {state: sum(export["state"] == state for export in exports) for state in states}
    return {"month": month, "summary": {"documents": len(exports), **counts}, "invoices": list(exports)}


def _exported(month: str, invoice_id: str, result: Json) -> Json:
    """What a month's result says of an export that ended with this one."""
    landed = {name: result[name] for name in ("version", "blobCount", "bytes", "unchanged")}
    return _running(month, invoice_id) | {"state": "landed"} | landed


def _looked_once_more(month: str, **results: Json) -> list[tuple[str, str, Json]]:
    """The events of a last look that finds nothing new."""
    return [
        ("partner.billing.export.unchanged", f"monthly-{month}:billedUsage-{id_}-full", result | {"unchanged": True})
        for id_, result in results.items()
    ]


def _running(month: str, invoice_id: str) -> Json:
    return {
        "id": f"monthly-{month}:billedUsage-{invoice_id}-full",
        "invoiceId": invoice_id,
        "dataset": "billedUsage",
        "kind": "invoice",
        "state": "running",
        "replacedBy": None,
        "version": None,
        "previousVersion": None,
        "blobCount": 0,
        "bytes": 0,
        "unchanged": False,
        "error": None,
    }


def test_an_invoice_of_the_last_hours_is_not_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last look is when INVOICE_WAIT_DAYS have passed, however long the exports before it have taken."""
    _tell(tmp_path / "landing", monkeypatch, _an_invoice_at_last)


async def _an_invoice_at_last(story: Story) -> None:
    story.issue("G000000101", "2026-10", datetime(2026, 11, 8, tzinfo=UTC), "october")
    story.issue("G000000102", "2026-10", datetime(2026, 11, 19, tzinfo=UTC), "october at last")
    await story.host.next_timer()
    await story.host.rest()
    result = (await story.seen("monthly-2026-10"))["result"]
    assert [export["invoiceId"] for export in result["invoices"]] == ["G000000101", "G000000102"]
