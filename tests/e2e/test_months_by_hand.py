"""Months that somebody asks for over HTTP, against a host of its own, and the events that a webhook gets."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.running import Host, beside, host, served, until
from tests.e2e.conftest import World

SECRET = "s3cret%2Fof%3Dthe-hook"
PATH = "/hooks/9f1c2d"


@dataclass
class Receiver:
    """A webhook's receiver: keeps every event that it takes, and first answers as it is told."""

    answers: list[int] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    types: set[str] = field(default_factory=set)
    calls: int = 0

    @property
    def app(self) -> Starlette:
        """The receiver, as an ASGI app."""
        return Starlette(routes=[Route(PATH, self._take, methods=["POST"])])

    async def _take(self, request: Request) -> Response:
        self.calls += 1
        status = self.answers.pop(0) if self.answers else 202
        if status < 300:
            self.types.add(request.headers["Content-Type"].split(";")[0])
            self.events.append(await request.json())
        return Response(status_code=status)

    def told(self, events: int) -> list[tuple[str, str]]:
        """Type and subject of so many events, once they came, in the order in which the runs ended."""
        until(lambda: len(self.events) >= events, f"{events} events come")
        self.events.sort(key=lambda event: event["time"])
        return [(event["type"].rsplit(".", 1)[-1], event["subject"]) for event in self.events]


@dataclass
class Months:
    """A running host that finds the emulator's invoices, and what its webhook gets."""

    app: Host
    world: World
    receiver: Receiver

    def post(self, body: object) -> Any:
        """Asks for months."""
        return self.app.call("POST", "/api/exports/monthly", json=body)

    def run(self, body: object) -> dict[str, Any]:
        """Asks for months and waits for the end."""
        answer = self.post(body)
        assert answer.status_code == 202, answer.text
        return self.app.ended(answer.headers["Location"])

    def landed(self) -> list[str]:
        """The invoices that landed."""
        return sorted(path.parent.parent.name for path in self.world.landing.glob("billed_usage/*/*/*/_latest.json"))


@contextmanager
def _months(world: World, folder: Path, receiver: Receiver) -> Iterator[Months]:
    partner_center = world.settings["GRAPH_BASE_URL"].removesuffix("/v1.0")
    with beside(served(receiver.app)) as url:
        hook = {"PARTNER_CENTER_BASE_URL": partner_center, "NOTIFY_WEBHOOK_URL": f"{url}{PATH}?sig={SECRET}"}
        with host(world.settings | hook | {"MONTHLY_DATASETS": "billedUsage"}, folder, log_level="info") as app:
            yield Months(app, world, receiver)


@pytest.fixture
def months(world: World, tmp_path: Path) -> Iterator[Months]:
    """Two invoices of January 2026, one of March, and none of February."""
    world.emulator.add_invoice("G000000001", month="2026-01")
    world.emulator.add_invoice("G000000002", month="2026-01")
    world.emulator.add_invoice("G000000003", month="2026-03")
    with _months(world, tmp_path, Receiver()) as months:
        yield months


def test_a_month_is_exported_and_told(months: Months) -> None:
    """202 with the place of the status, which in the end lists the invoices; each export and the month are told of."""
    answer = months.post({"month": "2026-01"})
    location = f"{months.app.url}/api/exports/monthly-2026-01"
    assert (answer.status_code, answer.headers["Location"]) == (202, location)
    assert answer.json()["id"] == "monthly-2026-01"
    ended = months.app.ended(answer.headers["Location"])
    assert (ended["state"], ended["error"]) == ("succeeded", None)
    assert ended["result"]["month"] == "2026-01"
    invoices = ended["result"]["invoices"]
    assert [(invoice["invoiceId"], invoice["state"]) for invoice in invoices] == [
        ("G000000001", "landed"),
        ("G000000002", "landed"),
    ]
    assert all(invoice["version"] and invoice["blobCount"] == 6 for invoice in invoices)
    assert months.landed() == ["invoice_id=G000000001", "invoice_id=G000000002"]
    *exports, last = months.receiver.told(3)
    subjects = [f"monthly-2026-01:billedUsage-G00000000{number}-full" for number in (1, 2)]
    assert sorted(exports) == [("succeeded", subject) for subject in subjects]
    for subject in subjects:
        found = months.app.call("GET", f"/api/exports/{subject}")
        assert (found.status_code, found.json()["id"]) == (200, subject)
    assert last == ("succeeded", "monthly-2026-01")
    _require_cloud_events(months.receiver)
    assert months.receiver.events[-1]["data"] == ended["result"]


def _require_cloud_events(receiver: Receiver) -> None:
    """All events have the fields that are described, and ids of their own."""
    assert receiver.types == {"application/cloudevents+json"}
    assert len({event["id"] for event in receiver.events}) == len(receiver.events)
    for event in receiver.events:
        assert (event["specversion"], event["source"]) == ("1.0", "/api/exports")
        assert event["type"].startswith("partner.billing.export.")
        assert event["datacontenttype"] == "application/json"
        assert datetime.fromisoformat(event["time"]).tzinfo is not None
        assert set(event) == {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"}


def test_a_month_that_is_exported_again_is_unchanged(months: Months) -> None:
    """Nothing is copied twice, and the exports are told of as unchanged."""
    months.run({"month": "2026-03"})
    copied = len(months.world.gate.passed)
    again = months.run({"month": "2026-03"})
    assert [invoice["unchanged"] for invoice in again["result"]["invoices"]] == [True]
    assert len(months.world.gate.passed) == copied
    assert months.receiver.told(4)[-2:] == [
        ("unchanged", "monthly-2026-03:billedUsage-G000000003-full"),
        ("succeeded", "monthly-2026-03"),
    ]


def test_a_range_is_exported_month_after_month(months: Months) -> None:
    """A month without invoices fails, and stops no other; the list shows the range, and not what it began."""
    ended = months.run({"from": "2026-01", "to": "2026-03"})
    assert (ended["id"], ended["state"]) == ("monthly-2026-01-to-2026-03", "failed")
    assert ended["error"]["code"] == "MonthsFailed"
    shown = [(month["month"], month["state"]) for month in ended["result"]["months"]]
    assert shown == [("2026-01", "succeeded"), ("2026-02", "failed"), ("2026-03", "succeeded")]
    assert months.landed() == [f"invoice_id=G00000000{number}" for number in (1, 2, 3)]
    range_ = "monthly-2026-01-to-2026-03"
    assert [told for told in months.receiver.told(7) if "billedUsage" not in told[1]] == [
        ("succeeded", f"{range_}:2026-01"),
        ("failed", f"{range_}:2026-02"),
        ("succeeded", f"{range_}:2026-03"),
        ("failed", range_),
    ]
    for _, subject in months.receiver.told(7):
        assert months.app.call("GET", f"/api/exports/{subject.replace(':', '%3A')}").json()["id"] == subject
    assert months.receiver.events[-1]["data"] == ended["error"]
    listed = months.app.call("GET", "/api/exports").json()
    assert [status["id"] for status in listed] == ["monthly-2026-01-to-2026-03"]


def test_faults_are_named_all_at_once(months: Months) -> None:
    """400 with a problem document; nothing starts."""
    answer = months.post({"from": "2026-13", "to": "2099-01", "month": "2026-01", "invoiceId": "G000000001"})
    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert [error["field"] for error in answer.json()["errors"]] == ["month", "invoiceId", "from", "to"]
    assert all(error["detail"] for error in answer.json()["errors"])
    assert months.app.call("GET", "/api/exports").json() == []
    assert months.post([]).status_code == 400


def test_an_unknown_run_is_not_found(months: Months) -> None:
    """Neither is what is only nearly an id of a month."""
    paths = ["monthly-2026-01", "monthly-2026-01-to-2026-02", "monthly-2026-13", "monthly"]
    assert [months.app.call("GET", f"/api/exports/{path}").status_code for path in paths] == [404] * 4


def test_a_month_is_cancelled_with_its_exports(months: Months) -> None:
    """Whoever asks again while it runs is told of the same run; cancelled, nothing of it goes on."""
    months.world.gate.hold_after(0)
    location = months.post({"month": "2026-01"}).headers["Location"]
    until(lambda: months.world.gate.held, "the month's exports copy")
    again = months.post({"month": "2026-01"})
    assert (again.headers["Location"], again.json()["state"]) == (location, "running")
    assert months.app.call("DELETE", location).status_code == 202
    months.world.gate.open()
    assert months.app.ended(location)["state"] == "cancelled"
    assert months.app.call("DELETE", location).status_code == 202
    assert months.post({"month": "2026-01"}).status_code == 409
    assert months.run({"month": "2026-03"})["state"] == "succeeded"
    assert months.landed() == ["invoice_id=G000000003"]


def test_a_receiver_that_is_away_for_a_moment_gets_every_event_once(world: World, tmp_path: Path) -> None:
    """It is tried again, in the activity and after a durable timer, with the same event; no log holds its address."""
    receiver = Receiver(answers=[503] * 5)
    with _months(world, tmp_path, receiver) as months:
        assert months.app.export()["state"] == "succeeded"
        assert receiver.told(1) == [("succeeded", "billedUsage-G016907411-full")]
        log = months.app.log.read_text()
    assert receiver.calls == 6
    assert [way for way in (SECRET, "sig=", PATH) if way in log] == []


def test_a_receiver_that_refuses_costs_a_warning(world: World, tmp_path: Path) -> None:
    """The export succeeds, the refusal is in the log, and nothing is sent again."""
    receiver = Receiver(answers=[410])
    with _months(world, tmp_path, receiver) as months:
        assert months.app.export()["state"] == "succeeded"
        refusal = "The webhook did not take the notice of billedUsage-G016907411-full: It answered 410."
        until(lambda: refusal in months.app.log.read_text(), "the refusal is in the log")
    assert (receiver.calls, receiver.events) == (1, [])


def test_a_failure_is_told_with_what_to_do(world: World, tmp_path: Path) -> None:
    """The event holds the error as the status shows it, and the log has the line that alerts match."""
    world.emulator.fail("G016907411", "5004", "The data is not there.")
    with _months(world, tmp_path, Receiver()) as months:
        ended = months.app.export()
        assert months.receiver.told(1) == [("failed", "billedUsage-G016907411-full")]
        assert months.receiver.events[0]["data"] == ended["error"]
        log = months.app.log.read_text()
    line = f"partner.billing.export.failed billedUsage-G016907411-full: {ended['error']['code']}: "
    assert f"{line}{ended['error']['message']}" in " ".join(log.split())
