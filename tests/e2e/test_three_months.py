"""Three months of an app that is left to itself, and of a person who looks in now and then, told on a calendar."""

import asyncio
import gzip
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from local.emulator import Emulator, EmulatorOptions, Event
from local.emulator.data.invoices import replacing_id, void_note_id
from local.running import served
from messages.months import STATES
from tests.e2e.calendar_host import Calendar, CalendarHost, calendar_host, on_emulator
from tests.faults import invariants
from tests.simulation import release
from tests.simulation.release import Release

Json = dict[str, Any]
News = tuple[str, str, Json]

BEGINNING = datetime(2026, 11, 1, tzinfo=UTC)
HALF_A_DAY = timedelta(hours=12)
DAYS_OF_LOOKS = range(9, 20)
FOLDERS = {"billedUsage": "billed_usage", "billedReconciliation": "billed_reconciliation"}
PLACE = "{}/partner_tenant=4835fe82-e805-421f-9daf-95c6012ebc7f/invoice_id={}/attribute_set=full"
NAMES = ["part-00000.json.gz", "part-00001.json.gz"]
CORRECTED = "G000000111"
NO_DATA = {
    "code": "5000",
    "message": "Microsoft's export failed: No data available",
    "remedy": "Check the invoice id, or currency and period: Microsoft has no data of this kind for it (yet).",
}
BROKEN = {
    "code": "5004",
    "message": "Microsoft's export failed: The data is being repaired",
    "remedy": "Start the export again later; if this lasts, give code and request id to Microsoft's support.",
}
NOTHING = {"blobsDone": 0, "blobCount": 0, "bytesDone": 0}

VERSIONS = {
    "101-usage": "5df80b0906e14c26",
    "101-usage-restated": "82a06cb52cf4ed26",
    "101-lines": "f2e81b55f8a7e7c9",
    "102-lines": "d38aa4b0fd2ec5cb",
    "103-usage": "8404da92f5bba2e4",
    "103-lines": "989eb49fc34803c8",
    "111-usage": "512736ed034e7d9a",
    "111-lines": "7e7c8e25c02dce14",
    "111-usage-corrected": "8d9f74e87a8eeba1",
    "111-lines-corrected": "addc56355d67b192",
    "112-usage": "b654513ca04240e0",
    "112-usage-restated": "8b7981a3fdd2be4c",
    "112-lines": "72295196f1585563",
    "121-usage": "ade0b9bf1eabf9f1",
    "121-lines": "a5613f922ab9a0db",
    "122-usage": "c35fe8f3828d2529",
    "122-lines": "15f635bd506eb327",
    "123-usage": "90d60b8c8cac1bc3",
    "123-lines": "d376b5a641cb56b9",
}
"""As which version lands what Microsoft states with an eTag."""


class Receiver:
    """Takes all events that are posted to it."""

    def __init__(self) -> None:
        self.events: list[Json] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.events.append(json.loads(await Request(scope, receive).body()))
        await Response(status_code=204)(scope, receive, send)


class PartnerCenter:
    """Stands before the emulator, whose list of invoices nobody can read while Partner Center is away."""

    def __init__(self, app: ASGIApp, now: Callable[[], datetime]) -> None:
        self.away: tuple[datetime, datetime] = (BEGINNING, BEGINNING)
        self._app = app
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        first, last = self.away
        is_away = scope["path"] == "/v1/invoices" and first <= self._now() < last
        await (Response(status_code=503) if is_away else self._app)(scope, receive, send)


@dataclass
class Story:
    """The app, Microsoft, and what there is to see of both. Each host that is opened goes on where the last one was."""

    calendar: Calendar
    emulator: Emulator
    partner_center: PartnerCenter
    landing: Path
    receiver: Receiver
    open_host: Callable[[], Any]
    restarts: bool
    host: CalendarHost = field(init=False)
    _heard: int = field(default=0)
    _running: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def begin(self) -> None:
        """The host is there."""
        self.host = await self._running.enter_async_context(self.open_host())

    async def end(self) -> None:
        """The host is gone; what ran is in its state."""
        await self._running.aclose()

    async def until(self, moment: str) -> None:
        """Lets time pass; at noon and at midnight, between any two looks, the host is another one if it restarts."""
        while self.restarts and (stop := _following(self.calendar.now())) < _at(moment):
            await self.host.pass_until(stop)
            if stop.day in DAYS_OF_LOOKS:
                await self.end()
                await self.begin()
        await self.host.pass_until(_at(moment))

    def issue(self, invoice_id: str, month: str, listed_from: str, usage: str | None, lines: str | None) -> None:
        """Has Microsoft list an invoice for the month from a moment on; what has no eTag ends without data."""
        self.emulator.add_invoice(invoice_id, month=month, listed_from=_at(listed_from))
        for dataset, e_tag in (("billedUsage", usage), ("billedReconciliation", lines)):
            if e_tag:
                self.state(invoice_id, e_tag, dataset)
            else:
                self.emulator.fail(invoice_id, dataset=dataset)

    def state(self, invoice_id: str, e_tag: str, dataset: str = "billedUsage") -> None:
        """Has Microsoft state the invoice's data, in two blobs."""
        self.emulator.use_data(invoice_id, dict.fromkeys(NAMES, _blob(e_tag)), e_tag=e_tag, dataset=dataset)

    def news(self) -> list[News]:
        """Type, subject and data of the events since this was last asked; of one moment by their subjects."""
        new, self._heard = self.receiver.events[self._heard :], len(self.receiver.events)
        ordered = sorted(new, key=lambda event: (event["time"], event["subject"], event["type"]))
        told = [(event["type"].rpartition(".")[2], event["subject"], event["data"]) for event in ordered]
        return [(type_, subject, _comparable(self.host.told(json.dumps(data)))) for type_, subject, data in told]

    async def seen(self, run_id: str) -> Json:
        """What a caller is told of a run, but for its times."""
        told: Json = _comparable(await self.host.get(run_id))
        return told


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _following(moment: datetime) -> datetime:
    """The next noon or midnight."""
    beginning = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return beginning + (moment - beginning) // HALF_A_DAY * HALF_A_DAY + HALF_A_DAY


def _comparable(told: Any) -> Any:
    if isinstance(told, list):
        return [_comparable(each) for each in told]
    if not isinstance(told, dict):
        return told
    differing = {"startedAt", "updatedAt", "endedAt", "attempt", "lastProblem", "nextTryAt", "requestId"}
    return {name: _comparable(value) for name, value in told.items() if name not in differing}


def _blob(e_tag: str) -> bytes:
    return gzip.compress(f'{{"is": "{e_tag}"}}\n'.encode(), compresslevel=0, mtime=0)


@asynccontextmanager
async def _story(
    folder: Path, environment: pytest.MonkeyPatch, releases: Callable[[], Iterator[Release]] | None
) -> AsyncIterator[Story]:
    calendar, receiver = Calendar(BEGINNING), Receiver()
    options = EmulatorOptions(invoices=(), events=(Event("nested-correction", date(2026, 11, 1)),))
    emulator = Emulator(options, now=calendar.now)
    partner_center = PartnerCenter(emulator.app, calendar.now)
    served_one_by_one = releases() if releases else iter([release.at_hand()])
    async with served(partner_center) as url, served(receiver) as hook:
        settings = on_emulator(url, folder) | {"NOTIFY_WEBHOOK_URL": f"{hook}/events?key=k", "HISTORY_DAYS": "45"}

        def host() -> Any:
            state = folder.with_name("state.sqlite")
            return calendar_host(calendar, environment, settings, state, next(served_one_by_one))

        story = Story(calendar, emulator, partner_center, folder, receiver, host, restarts=releases is not None)
        await story.begin()
        try:
            yield story
        finally:
            await story.end()


def _restarted() -> Iterator[Release]:
    while True:
        yield release.at_hand()


def _deployed() -> Iterator[Release]:
    yield release.at_hand()
    while True:
        yield release.following()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("releases", [None, _restarted, _deployed], ids=["one host", "restarts", "deployments"])
def test_the_app_works_every_month_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, releases: Callable[[], Iterator[Release]] | None
) -> None:
    """Whatever happens lands, once, and is told; also where the host is another one between any two looks."""

    async def tell() -> None:
        async with _story(tmp_path / "landing", monkeypatch, releases) as story:
            for chapter in (_october, _november, _december, _afterwards):
                await chapter(story)

    asyncio.run(tell())


async def _october(story: Story) -> None:
    """Usage is late, an invoice has none, and while Partner Center is away for two days another one is issued."""
    story.issue("G000000101", "2026-10", "2026-11-08", usage=None, lines="101-lines")
    story.issue("G000000102", "2026-10", "2026-11-08", usage=None, lines="102-lines")
    story.issue("G000000103", "2026-10", "2026-11-12", usage="103-usage", lines="103-lines")
    story.partner_center.away = _at("2026-11-12"), _at("2026-11-14")

    await story.until("2026-11-09T05:00:00")
    await story.host.next_timer()
    assert await story.seen("monthly-2026-10") == _status("monthly-2026-10", "pending", "pending", None)
    await story.until("2026-11-10T10:00:00")
    lines = [_landed("2026-10", f"G00000010{n}", "billedReconciliation", f"10{n}-lines") for n in (1, 2)]
    waiting = [_export("2026-10", f"G00000010{n}", "billedUsage", "waiting", error=NO_DATA) for n in (1, 2)]
    assert await story.seen("monthly-2026-10") == _status(
        "monthly-2026-10", "running", "waiting", _month("2026-10", *waiting, *lines)
    )
    assert story.news() == [_told("succeeded", each) for each in lines]

    story.state("G000000101", "101-usage")
    await story.until("2026-11-13T10:00:00")
    usage = _landed("2026-10", "G000000101", "billedUsage", "101-usage")
    told = await story.host.get("monthly-2026-10")
    assert (told["phase"], told["lastProblem"]["code"]) == ("waiting", "HTTP503")
    assert _comparable(told["result"]) == _month("2026-10", waiting[1], *lines, usage)
    assert story.news() == [_told("succeeded", usage)]

    await story.until("2026-11-20")
    late = [_landed("2026-10", "G000000103", dataset, f"103-{kind}") for dataset, kind in _BOTH]
    none = _export("2026-10", "G000000102", "billedUsage", "noData", error=NO_DATA)
    month = _month("2026-10", none, *sorted([*lines, usage, *late], key=_id))
    assert await story.seen("monthly-2026-10") == _status("monthly-2026-10", "succeeded", "done", month)
    assert story.news() == [
        *(_told("succeeded", each) for each in sorted(late, key=_id)),
        ("succeeded", "monthly-2026-10", month),
        *(_told("unchanged", each) for each in sorted([*lines, usage, *late], key=_id)),
    ]


async def _november(story: Story) -> None:
    """An invoice is corrected, and replaced by another; of a second one the usage is restated."""
    story.issue(CORRECTED, "2026-11", "2026-12-08", usage="111-usage", lines="111-lines")
    story.issue("G000000112", "2026-11", "2026-12-08", usage="112-usage", lines="112-lines")
    for dataset, kind in _BOTH:
        story.state(replacing_id(CORRECTED), f"111-{kind}-corrected", dataset)
    await story.until("2026-12-09T05:00:00")
    await story.host.next_timer()
    await story.until("2026-12-15")
    first = [_landed("2026-11", f"G00000011{n}", dataset, f"11{n}-{kind}") for n in (1, 2) for dataset, kind in _BOTH]
    correct = [_landed("2026-11", replacing_id(CORRECTED), dataset, f"111-{kind}-corrected") for dataset, kind in _BOTH]
    assert story.news() == [_told("succeeded", each) for each in (*sorted(first, key=_id), *sorted(correct, key=_id))]

    story.state("G000000112", "112-usage-restated")
    await story.until("2026-12-20")
    voided = [each | {"state": "voided", "replacedBy": replacing_id(CORRECTED)} for each in first[:2]]
    restated = _landed("2026-11", "G000000112", "billedUsage", "112-usage-restated", "112-usage")
    note = _export("2026-11", void_note_id(CORRECTED), None, "listed", kind="void_note")
    landed = sorted([first[3], restated, *correct], key=_id)
    month = _month("2026-11", *sorted(voided, key=_id), note, *landed)
    assert await story.seen("monthly-2026-11") == _status("monthly-2026-11", "succeeded", "done", month)
    again = [("restated", restated), ("succeeded", restated)]
    again += [("unchanged", each) for each in (*voided, first[3], *correct)]
    assert story.news() == [
        ("succeeded", "monthly-2026-11", month),
        *(_told(outcome, each) for outcome, each in sorted(again, key=lambda told: (_id(told[1]), told[0]))),
    ]


async def _december(story: Story) -> None:
    """A person exports by hand what could not be exported, and twice has the month look for an invoice at once."""
    story.issue("G000000121", "2026-12", "2027-01-08", usage="121-usage", lines=None)
    story.emulator.fail("G000000121", "5004", "The data is being repaired", dataset="billedReconciliation")
    story.issue("G000000122", "2026-12", "2027-01-12", usage="122-usage", lines="122-lines")
    story.issue("G000000123", "2026-12", "2027-01-12T06:00:30", usage="123-usage", lines="123-lines")
    await story.until("2027-01-09T05:00:00")
    await story.host.next_timer()
    await story.until("2027-01-11T10:00:00")
    usage = _landed("2026-12", "G000000121", "billedUsage", "121-usage")
    failed = _export("2026-12", "G000000121", "billedReconciliation", "failed", error=BROKEN)
    assert await story.seen("monthly-2026-12") == _status(
        "monthly-2026-12", "running", "waiting", _month("2026-12", failed, usage)
    )
    assert story.news() == [_told("succeeded", usage)]

    story.state("G000000121", "121-lines", "billedReconciliation")
    await story.host.post(invoiceId="G000000121", dataset="billedReconciliation")
    await story.until("2027-01-11T20:00:00")
    lines = _landed("2026-12", "G000000121", "billedReconciliation", "121-lines")
    by_hand = "billedReconciliation-G000000121-full"
    assert await story.seen(by_hand) == _status(by_hand, "succeeded", "done", _result("121-lines", lines))
    found = lines | {"unchanged": True}
    assert story.news() == [("succeeded", by_hand, _result("121-lines", lines)), _told("unchanged", found)]
    assert (await story.seen("monthly-2026-12"))["result"] == _month("2026-12", found, usage)

    await story.until("2027-01-12T06:00:20")
    running = [_export("2026-12", "G000000122", dataset, "running") for dataset in sorted(FOLDERS)]
    assert _comparable(await story.host.ask_for_month("2026-12")) == _status(
        "monthly-2026-12", "running", "exporting", _month("2026-12", *running, found, usage)
    )
    await story.until("2027-01-12T06:05:00")
    others = [_landed("2026-12", f"G00000012{n}", dataset, f"12{n}-{kind}") for n in (2, 3) for dataset, kind in _BOTH]
    landed = sorted([found, usage, *others], key=_id)
    assert story.news() == [
        _told("succeeded", each) for each in (*sorted(others[:2], key=_id), *sorted(others[2:], key=_id))
    ]
    asked = await story.host.ask_for_month("2026-12")
    assert asked["nextTryAt"] is None
    assert _comparable(asked) == _status("monthly-2026-12", "running", "listing", _month("2026-12", *landed))
    await story.until("2027-01-12T06:10:00")
    assert (await story.host.get("monthly-2026-12"))["nextTryAt"] == "2027-01-12T18:05:00+00:00"

    await _october_again(story)
    await story.until("2027-01-20")
    month = _month("2026-12", *landed)
    assert await story.seen("monthly-2026-12") == _status("monthly-2026-12", "succeeded", "done", month)
    assert story.news() == [
        ("succeeded", "monthly-2026-12", month),
        *(_told("unchanged", each) for each in landed),
    ]


async def _october_again(story: Story) -> None:
    """Before the year is closed. Durable has forgotten the run, after 45 days; what landed has not."""
    forgotten = await story.seen("monthly-2026-10")
    assert forgotten == {"title": "Not Found", "status": 404, "detail": "There is no export of this id."}

    story.state("G000000101", "101-usage-restated")
    await story.host.ask_for_month("2026-10")
    await story.until("2027-01-12T08:00:00")
    restated = _landed("2026-10", "G000000101", "billedUsage", "101-usage-restated", "101-usage")
    same = [
        _landed("2026-10", f"G00000010{n}", "billedReconciliation", f"10{n}-lines", unchanged=True) for n in (1, 2, 3)
    ]
    same.append(_landed("2026-10", "G000000103", "billedUsage", "103-usage", unchanged=True))
    none = _export("2026-10", "G000000102", "billedUsage", "noData", error=NO_DATA)
    month = _month("2026-10", none, *sorted([restated, *same], key=_id))
    assert await story.seen("monthly-2026-10") == _status("monthly-2026-10", "succeeded", "done", month)
    again = [("restated", restated), ("succeeded", restated), *(("unchanged", each) for each in same)]
    assert story.news() == [
        ("succeeded", "monthly-2026-10", month),
        *(_told(outcome, each) for outcome, each in sorted(again, key=lambda told: (_id(told[1]), told[0]))),
    ]


async def _afterwards(story: Story) -> None:
    """All that the three months leave behind."""
    assert [(run["id"], run["state"]) for run in await story.host.all(BEGINNING)] == [
        ("monthly-2026-10", "succeeded"),
        ("billedReconciliation-G000000121-full", "succeeded"),
        ("monthly-2026-12", "succeeded"),
        ("monthly-2026-11", "succeeded"),
    ]
    _require_landed(story.landing)
    read = [request.path for request in story.emulator.requests if request.path.startswith("/exports/")]
    gets = Counter(
        request.path for request in story.emulator.requests if request.method == "GET" and request.path in read
    )
    assert set(gets.values()) == {1}
    assert len(gets) == len(NAMES) * len(VERSIONS)
    events = story.receiver.events
    assert len(events) == len({event["id"] for event in events})
    envelope = {"specversion": "1.0", "source": "/api/exports", "datacontenttype": "application/json"}
    told = {"id", "type", "subject", "time", "data"}
    assert all({name: event[name] for name in event.keys() - told} == envelope for event in events)


LANDED = {
    "G000000101": {"billedUsage": ["101-usage", "101-usage-restated"], "billedReconciliation": ["101-lines"]},
    "G000000102": {"billedReconciliation": ["102-lines"]},
    "G000000103": {"billedUsage": ["103-usage"], "billedReconciliation": ["103-lines"]},
    CORRECTED: {"billedUsage": ["111-usage"], "billedReconciliation": ["111-lines"]},
    replacing_id(CORRECTED): {
        "billedUsage": ["111-usage-corrected"],
        "billedReconciliation": ["111-lines-corrected"],
    },
    "G000000112": {"billedUsage": ["112-usage", "112-usage-restated"], "billedReconciliation": ["112-lines"]},
    "G000000121": {"billedUsage": ["121-usage"], "billedReconciliation": ["121-lines"]},
    "G000000122": {"billedUsage": ["122-usage"], "billedReconciliation": ["122-lines"]},
    "G000000123": {"billedUsage": ["123-usage"], "billedReconciliation": ["123-lines"]},
}
"""The eTags of the versions of each export, the latest last."""


def _require_landed(landing: Path) -> None:
    expected: dict[str, str | None] = {}
    for invoice, exports in LANDED.items():
        for dataset, e_tags in exports.items():
            place = PLACE.format(FOLDERS[dataset], invoice)
            expected[f"{place}/_latest.json"] = VERSIONS[e_tags[-1]]
            for e_tag in e_tags:
                expected |= dict.fromkeys(_version(f"{place}/version={VERSIONS[e_tag]}"))
    files = [path for path in landing.rglob("*") if path.is_file() and path.name != ".lock"]
    assert {str(path.relative_to(landing)): _pointed(path) for path in files} == expected
    invariants.require_whole_versions(landing)
    invariants.require_committed_pointers(landing)


def _pointed(path: Path) -> str | None:
    return str(json.loads(path.read_text())["version"]) if path.name == "_latest.json" else None


def _version(folder: str) -> list[str]:
    """All files of a whole version."""
    markers = ["_SUCCESS", "_manifest.json", "_receipts/_00000-00002.json", "_receipts/_commit.json"]
    return [f"{folder}/{name}" for name in [*markers, *NAMES]]


_BOTH = [("billedUsage", "usage"), ("billedReconciliation", "lines")]


def _status(run_id: str, state: str, phase: str, result: Json | None) -> Json:
    """What callers are told of a run that did not fail."""
    landed = result.get("invoices", [result]) if result else []
    blobs = sum(each["blobCount"] for each in landed)
    progress = {"blobsDone": blobs, "blobCount": blobs, "bytesDone": sum(each["bytes"] for each in landed)}
    return {"id": run_id, "state": state, "phase": phase, "progress": progress, "result": result, "error": None}


def _month(month: str, *exports: Json) -> Json:
    """A month's result with these exports."""
    counts = {state: sum(export["state"] == state for export in exports) for state in reversed(STATES)}
    return {"month": month, "summary": {"documents": len(exports), **counts}, "invoices": list(exports)}


def _export(month: str, invoice_id: str, dataset: str | None, state: str, **told: Any) -> Json:
    """What a month's result says of an export."""
    return {
        "id": f"monthly-{month}:{dataset}-{invoice_id}-full" if dataset else invoice_id,
        "invoiceId": invoice_id,
        "dataset": dataset,
        "kind": "invoice",
        "state": state,
        "replacedBy": None,
        "version": None,
        "previousVersion": None,
        "blobCount": 0,
        "bytes": 0,
        "unchanged": False,
        "error": None,
        **told,
    }


def _landed(
    month: str, invoice_id: str, dataset: str, e_tag: str, instead_of: str = "", *, unchanged: bool = False
) -> Json:
    """Of one that landed what Microsoft states with this eTag."""
    totals = {"blobCount": len(NAMES), "bytes": len(NAMES) * len(_blob(e_tag))}
    versions = {"version": VERSIONS[e_tag], "previousVersion": VERSIONS.get(instead_of)}
    return _export(month, invoice_id, dataset, "landed", **versions, **totals, unchanged=unchanged)


def _id(export: Json) -> str:
    return str(export["id"])


def _told(outcome: str, export: Json) -> News:
    """The event of an export of a month that has landed, or was unchanged."""
    (e_tag,) = [e_tag for e_tag, version in VERSIONS.items() if version == export["version"]]
    return outcome, export["id"], _result(e_tag, export | {"unchanged": outcome == "unchanged"})


def _result(e_tag: str, export: Json) -> Json:
    """What the export itself ended with."""
    place = PLACE.format(FOLDERS[export["dataset"]], export["invoiceId"])
    told = {name: export[name] for name in ("version", "blobCount", "bytes", "unchanged")}
    previous = {"previousVersion": export["previousVersion"]} if export["previousVersion"] else {}
    return {"eTag": e_tag, **told, **previous, "location": f"landing/{place}/version={export['version']}/"}
