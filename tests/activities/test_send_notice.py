"""Telling of a run's end: a line in the log, and an event for a webhook, if one is set."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clients.process import close_clients
from clients.webhook import TRIES
from failures import FINAL
from local.serving import listen, serving, url_of
from messages.names import SEND_NOTICE
from messages.notices import TABLE, Notice
from settings import configured
from tests.activities.conftest import Bench, CalledInVain, call, in_vain
from tests.replay.exports import PROBLEM, result

SECRET = "T0p%2FSecret%3D"
URL = f"https://hooks.example.com/workflows/9f1c2d/run?sp=%2Ftriggers&sv=1.0&sig={SECRET}"
WAYS_TO_TELL = ("hooks.example.com", "9f1c2d", "sig=", SECRET)
TIME = datetime(2026, 10, 9, 6, 30, 15, 123456, tzinfo=UTC)
SUBJECT = "billedUsage-G016907411-full"
SUCCEEDED = Notice("5c2e1d0a-1", "succeeded", SUBJECT, TIME, result(2).to_json())
UNCHANGED = Notice("5c2e1d0a-2", "unchanged", SUBJECT, TIME, {**result(2).to_json(), "unchanged": True})
FAILED = Notice("5c2e1d0a-3", "failed", SUBJECT, TIME, PROBLEM.to_json())
TABLE_FAILED = Notice("5c2e1d0a-4", "failed", f"{SUBJECT}:table:1f0c3b2a", TIME, PROBLEM.to_json(), about=TABLE)
LATER = [408, 425, 429, 500, 502, 503, 504, 599]

Answering = Callable[[httpx.Request], httpx.Response | None]


def _answering(*statuses: int) -> Answering:
    """Answers with one status after the other, the last one for ever."""
    following = iter(statuses)
    return lambda _: httpx.Response(next(following, statuses[-1]))


def _raising(fault: type[httpx.TransportError]) -> Answering:
    def answer(request: httpx.Request) -> httpx.Response:
        raise fault(f"All attempts to reach {request.url} failed.", request=request)

    return answer


def _in_turn(*answering: Answering) -> Answering:
    following = iter(answering)

    def answer(request: httpx.Request) -> httpx.Response | None:
        return next(following)(request)

    return answer


@pytest.fixture
def receiver(bench: Bench) -> Bench:
    """A bench with a webhook that takes everything."""
    bench.webhook = URL
    bench.source.interfere = _answering(202)
    return bench


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Everything that is logged, with httpx as quiet as clients of a process make it."""
    with caplog.at_level(logging.WARNING, "httpx"), caplog.at_level(logging.DEBUG):
        yield caplog


def _tell(bench: Bench, notice: Notice) -> None:
    bench.run(lambda: call(SEND_NOTICE, notice))


def _event(bench: Bench) -> Any:
    return json.loads(bench.source.requests[-1].content)


def _lines(log: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    """Level and text of what the activity logged."""
    return [(record.levelno, record.getMessage()) for record in log.records if record.name.startswith("activities")]


def _require_untold(*texts: str) -> None:
    assert not [(way, text) for text in texts for way in WAYS_TO_TELL if way in text]


@pytest.mark.parametrize("notice", [SUCCEEDED, UNCHANGED, FAILED], ids=lambda notice: notice.outcome)
def test_a_receiver_gets_a_cloud_event(receiver: Bench, notice: Notice) -> None:
    """It is CloudEvents 1.0 in structured JSON, with exactly the fields that are described."""
    _tell(receiver, notice)
    (request,) = receiver.source.requests
    assert (request.method, str(request.url)) == ("POST", URL)
    assert request.headers["Content-Type"].split(";")[0] == "application/cloudevents+json"
    assert json.loads(request.content) == {
        "specversion": "1.0",
        "id": notice.id,
        "source": "/api/exports",
        "type": f"partner.billing.export.{notice.outcome}",
        "subject": SUBJECT,
        "time": "2026-10-09T06:30:15.123456+00:00",
        "datacontenttype": "application/json",
        "data": notice.data,
    }


def test_the_time_has_a_zone(receiver: Bench) -> None:
    """RFC 3339, also on a whole second."""
    _tell(receiver, Notice("1", "failed", SUBJECT, TIME.replace(microsecond=0), PROBLEM.to_json()))
    assert _event(receiver)["time"] == "2026-10-09T06:30:15+00:00"


@pytest.mark.parametrize("status", LATER)
def test_a_receiver_that_is_busy_is_tried_again_at_once(receiver: Bench, status: int) -> None:
    """Short faults cost nothing but tries, each with the same event."""
    receiver.source.interfere = _answering(*[status] * (TRIES - 1), 200)
    _tell(receiver, SUCCEEDED)
    assert len(receiver.source.requests) == TRIES
    assert len({request.content for request in receiver.source.requests}) == 1


@pytest.mark.parametrize("fault", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError])
def test_a_connection_that_breaks_is_tried_again_at_once(receiver: Bench, fault: type[httpx.TransportError]) -> None:
    """A receiver that restarts misses nothing."""
    receiver.source.interfere = _in_turn(_raising(fault), _answering(200))
    _tell(receiver, SUCCEEDED)
    assert len(receiver.source.requests) == 2


@pytest.mark.parametrize("answering", [*map(_answering, LATER), _raising(httpx.ConnectError)])
def test_a_receiver_that_stays_away_is_left_to_the_orchestrator(
    receiver: Bench, answering: Answering, log: pytest.LogCaptureFixture
) -> None:
    """What no try delivered is raised, without the receiver's address, which may hold a key."""
    receiver.source.interfere = answering
    with pytest.raises(CalledInVain, match=r"It (answered|did not answer)") as raised:
        _tell(receiver, SUCCEEDED)
    assert len(receiver.source.requests) == TRIES
    _require_untold(str(raised.value), repr(raised.value), log.text)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 405, 410, 413, 415, 422])
def test_a_receiver_that_refuses_is_asked_once(receiver: Bench, status: int, log: pytest.LogCaptureFixture) -> None:
    """It would refuse again, which the answer says; a warning tells the operator the status."""
    receiver.source.interfere = _answering(status)
    assert in_vain(lambda: _tell(receiver, SUCCEEDED)).kind == FINAL
    assert len(receiver.source.requests) == 1
    (warning,) = [line for level, line in _lines(log) if level == logging.WARNING]
    assert SUBJECT in warning
    assert str(status) in warning
    _require_untold(log.text)


def test_without_a_webhook_there_is_only_the_log(bench: Bench, log: pytest.LogCaptureFixture) -> None:
    """Nothing is sent."""
    _tell(bench, SUCCEEDED)
    assert bench.source.requests == bench.graph.requests == []
    assert len(_lines(log)) == 1


def test_a_failure_is_an_error_in_the_log_that_alerts_can_match(bench: Bench, log: pytest.LogCaptureFixture) -> None:
    """Its line begins with the event's type, and tells subject, code and message."""
    _tell(bench, FAILED)
    assert _lines(log) == [
        (
            logging.ERROR,
            f"partner.billing.export.failed {SUBJECT}: Forbidden: The identity may not read it.",
        )
    ]


def test_a_table_that_failed_is_a_warning_and_an_event_of_its_own(
    receiver: Bench, log: pytest.LogCaptureFixture
) -> None:
    """What was exported is whole, so it alerts nobody as a failed export would."""
    _tell(receiver, TABLE_FAILED)
    event = _event(receiver)
    assert (event["source"], event["type"]) == ("/api/tables", "partner.billing.table.failed")
    assert event["subject"] == TABLE_FAILED.subject
    (line,) = _lines(log)
    assert line == (
        logging.WARNING,
        f"partner.billing.table.failed {TABLE_FAILED.subject}: Forbidden: The identity may not read it.",
    )


@pytest.mark.parametrize("notice", [SUCCEEDED, UNCHANGED], ids=lambda notice: notice.outcome)
def test_a_success_is_an_information_in_the_log(bench: Bench, notice: Notice, log: pytest.LogCaptureFixture) -> None:
    """It alerts nobody."""
    _tell(bench, notice)
    assert _lines(log) == [(logging.INFO, f"partner.billing.export.{notice.outcome} {SUBJECT}")]


def test_a_restatement_names_both_versions_in_the_log(bench: Bench, log: pytest.LogCaptureFixture) -> None:
    """Whoever has closed a book with the one finds the other."""
    restated = replace(result(2), previous_version="0" * 16)
    _tell(bench, replace(SUCCEEDED, outcome="restated", data=restated.to_json()))
    line = f"partner.billing.export.restated {SUBJECT}: version {restated.version} takes the place of {'0' * 16}"
    assert _lines(log) == [(logging.INFO, line)]


def test_the_log_tells_even_where_the_receiver_does_not_answer(receiver: Bench, log: pytest.LogCaptureFixture) -> None:
    """Alerts that read the log do not depend on the webhook."""
    receiver.source.interfere = _answering(503)
    with pytest.raises(CalledInVain):
        _tell(receiver, FAILED)
    assert logging.ERROR in [level for level, _ in _lines(log)]


class _Receiver:
    """A server of its own that keeps the events it takes."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self._socket = listen()
        self.url = f"{url_of(self._socket)}/hook/9f1c2d?sig={SECRET}"

    def running(self) -> AbstractAsyncContextManager[None]:
        app = Starlette(routes=[Route("/hook/9f1c2d", self._take, methods=["POST"])])
        return serving(app, [self._socket])

    async def _take(self, request: Request) -> Response:
        self.events.append(await request.json())
        return Response(status_code=202)


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[_Receiver]:
    """A process whose settings name the receiver, and a landing folder where a file is in the way."""
    receiver = _Receiver()
    (tmp_path / "mount").write_text("not mounted")
    monkeypatch.setenv("LANDING_URL", (tmp_path / "mount" / "landed").as_uri())
    monkeypatch.setenv("NOTIFY_WEBHOOK_URL", receiver.url)
    configured.cache_clear()
    yield receiver
    configured.cache_clear()


def _tell_from(process: _Receiver) -> None:
    """Tells of a failure in a process that makes its own clients."""

    async def scenario() -> None:
        async with process.running():
            try:
                await call(SEND_NOTICE, FAILED)
            finally:
                await close_clients()

    asyncio.run(scenario())


def test_a_landing_zone_that_cannot_be_prepared_keeps_nobody_from_being_told(
    process: _Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """The very runs that fail for it are told of, and the log of the whole process holds no address of a receiver."""
    caplog.set_level(logging.DEBUG)
    _tell_from(process)
    assert [event["data"]["code"] for event in process.events] == ["Forbidden"]
    assert (logging.ERROR, f"partner.billing.export.failed {SUBJECT}: Forbidden: {PROBLEM.message}") in _lines(caplog)
    _require_untold(caplog.text)


def test_settings_that_cannot_be_used_keep_no_end_out_of_the_log(
    process: _Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A wrong setting fails runs, too, and alerts look at nothing but the log."""
    monkeypatch.setenv("COPY_BATCH_SIZE", "many")
    with pytest.raises(Exception, match="SettingsError"):
        _tell_from(process)
    assert (logging.ERROR, f"partner.billing.export.failed {SUBJECT}: Forbidden: {PROBLEM.message}") in _lines(caplog)


def test_the_address_stays_untold_where_somebody_wants_to_see_requests(
    process: _Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """Many receivers' addresses hold their key in the path, which must not be in a log of any level."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "httpx")
    _tell_from(process)
    assert process.events
    _require_untold(caplog.text)
