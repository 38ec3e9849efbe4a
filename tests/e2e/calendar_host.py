"""A host whose clock is a calendar: the app's own functions over real HTTP, and days that pass in no time."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.durable_functions import DurableOrchestrationClient
from azure.durable_functions.models.utils import http_utils
from croniter import croniter
from starlette.applications import Starlette

import function_app
from catalog.export_request import ExportRequest
from catalog.months_request import MonthsRequest
from clients.making import make_clients
from clients.process import given_clients
from http_start import exports, monthly, unbilled, watch
from local.engine import DurableEngine, Options, Store, VirtualClock
from local.functions import index
from local.host import http_triggers
from local.host.durable_api import PREFIX, DurableApi
from local.running import WITHOUT_TLS
from local.serving import listen, serving, url_of
from settings import Settings, configured
from tests.simulation.release import Release, at_hand

Json = dict[str, Any]


class _Reached(Exception):
    """It is the moment at which the calendar was to stop."""


class Calendar(VirtualClock):
    """A virtual time that also stops at a moment of which no timer knows."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self._stop: datetime | None = None

    async def wait(self, until: datetime | None, woken: asyncio.Event, *, busy: bool) -> None:
        """Jumps to the next timer, but not beyond the moment to stop at."""
        if self._stop and not busy and not woken.is_set() and (until is None or until > self._stop):
            raise _Reached
        await super().wait(until, woken, busy=busy)

    async def play(self, engine: DurableEngine, until: datetime | None) -> None:
        """Lets the engine work until that moment, or without one until nothing is left to do."""
        self._stop = until
        with suppress(_Reached):
            await engine.run_until_idle()
        self._now = max(self._now, until or self._now)


@dataclass(frozen=True)
class CalendarHost:
    """The app while its calendar runs. Time passes in `pass_until` and `rest` alone.

    In all that callers are told, `landing` stands for the landing zone's URL.
    """

    calendar: Calendar
    settings: Settings
    _engine: DurableEngine
    _client: DurableOrchestrationClient
    _http: httpx.AsyncClient

    async def post(self, **body: str) -> Json:
        """Starts an export as its call does, by the calendar; the status that answers."""
        request, now = ExportRequest.parse(body), self.calendar.now()
        return self.told(json.dumps(await exports.start(self._client, request, self.settings, now)))

    async def get(self, run_id: str) -> Json:
        """The answer to a caller who asks for a run."""
        return self.told((await self._http.get(f"/api/exports/{run_id}")).text)

    async def all(self, since: datetime) -> list[Json]:
        """The runs that callers find in the list of those started since, by the calendar."""
        found = await exports.started_since(self._client, since, self.calendar.now())
        return [self.told(json.dumps(status)) for status in found]

    async def start_month(self, month: str) -> None:
        """Starts a month as its call does, by the calendar."""
        await monthly.start(self._client, MonthsRequest(month), self.settings, self.calendar.now())

    async def ask_for_month(self, month: str) -> Json:
        """Starts a month, or has it look, as its call does, by the calendar; the status that answers."""
        months, now = MonthsRequest(month), self.calendar.now()
        return self.told(json.dumps(await monthly.start_or_look(self._client, months, self.settings, now)))

    async def next_timer(self) -> None:
        """Lets time pass until EXPORT_SCHEDULE's next moment, and then does what the monthly timer does."""
        moments = croniter(self.settings.export_schedule, self.calendar.now(), second_at_beginning=True)
        await self.pass_until(moments.get_next(datetime))
        await monthly.begin(self._client, self.settings, self.calendar.now())

    async def start_unbilled(self) -> list[str]:
        """Does what the timer of data not yet billed does; the ids of what runs."""
        return await unbilled.begin(self._client, self.settings, self.calendar.now())

    async def watch(self) -> str:
        """Does what the daily watch does; its line."""
        return await watch.look(self._client, self.settings, self.calendar.now())

    async def pass_until(self, moment: datetime) -> None:
        """Lets time pass."""
        await self.calendar.play(self._engine, moment)

    async def rest(self) -> None:
        """Lets time pass until all runs have ended."""
        await self.calendar.play(self._engine, None)

    def told(self, text: str) -> Json:
        """What a JSON object of the app says."""
        told: Json = json.loads(text.replace(self.settings.landing_url, "landing"))
        return told


@asynccontextmanager
async def calendar_host(
    calendar: Calendar,
    environment: pytest.MonkeyPatch,
    given: Mapping[str, str],
    state: Path | None = None,
    release: Release | None = None,
) -> AsyncIterator[CalendarHost]:
    """Serves the app with just these settings, and their defaults.

    What runs goes on with the `state` that a host before has left; of another `release` than the code at hand.
    """
    settings = _configure(environment, given)
    clients = make_clients(settings, calendar.now)
    await clients.zone.prepare()
    store, bound, served = Store(state), listen(), release or at_hand()
    options = Options(versions=served.versions)
    engine = DurableEngine(served.functions, store, calendar, _binding(url_of(bound)), options)
    client = DurableOrchestrationClient(_binding(url_of(bound)))
    try:
        async with (
            serving(_app(engine, _binding(url_of(bound))), [bound]),
            httpx.AsyncClient(base_url=url_of(bound), verify=WITHOUT_TLS) as http,
        ):
            with given_clients(clients):
                yield CalendarHost(calendar, settings, engine, client, http)
    finally:
        # The SDK's client keeps its connections for ever.
        await http_utils._close_session()
        await clients.close()
        store.close()
        configured.cache_clear()


def on_emulator(url: str, landing: Path) -> dict[str, str]:
    """The settings of an app that exports from the emulator at this URL into the folder."""
    return {
        "GRAPH_BASE_URL": f"{url}/v1.0",
        "PARTNER_CENTER_BASE_URL": url,
        "GRAPH_STATIC_TOKEN": "emulator-token",
        "LANDING_URL": landing.as_uri(),
        "TABLES": "off",
    }


def _configure(environment: pytest.MonkeyPatch, given: Mapping[str, str]) -> Settings:
    for setting in fields(Settings):
        environment.delenv(setting.name.upper(), raising=False)
    for name, value in given.items():
        environment.setenv(name, value)
    configured.cache_clear()
    return configured()


def _app(engine: DurableEngine, binding: str) -> Starlette:
    routes = [http_triggers.route(function, binding) for function in index(function_app.app).routes]
    return Starlette(routes=[*routes, *DurableApi(engine).routes])


def _binding(url: str) -> str:
    """What a function's Durable client binding holds: where Durable's API is."""
    binding = {"taskHubName": "calendar", "creationUrls": {}, "managementUrls": {"id": "INSTANCEID"}}
    return json.dumps(binding | {"rpcBaseUrl": f"{url}{PREFIX}/"})
