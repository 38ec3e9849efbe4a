"""Serves an app's functions on this machine, unchanged, around a durable engine."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import azure.durable_functions as df
from azure.durable_functions.models.utils import http_utils
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from local.engine import Clock, DurableEngine, Options, Store
from local.functions import Functions, TimerFunction, index
from local.host import durable_api, http_triggers, timers
from local.serving import listen, serving, url_of


class Host:
    """One app's functions, served on a socket of this machine; its durable state in a file, or in memory.

    `settings` are what the timers' schedules are taken from; without them no timer fires.
    """

    def __init__(
        self,
        app: df.DFApp,
        public: socket.socket,
        state: Path | None,
        settings: Mapping[str, str] | None,
        options: Options | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Opens the state.

        Raises:
            SettingsError: when a timer's schedule cannot be used.
            StateUnusable: when another host works on the state, or the file cannot hold it.
        """
        self.url = url_of(public)
        self._functions = index(app)
        self._schedules = _schedules(self._functions, settings) if settings is not None else []
        self._store = Store(state)
        self._options = options
        self._clock = clock
        self._public = public

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serves and works while the context is open; the next host on the same state goes on where it was."""
        # As on Azure, the extension's API has a port of its own, which no caller of the app is told.
        private = listen()
        binding = _client_binding(url_of(private))
        engine = DurableEngine(self._functions, self._store, self._clock, binding, self._options)
        routes = [http_triggers.route(function, binding) for function in self._functions.routes]
        extension = Starlette(routes=durable_api.DurableApi(engine).routes)
        functions = Starlette(routes=routes)
        # A path that is no route is not found; a redirect would tell callers of another.
        functions.router.redirect_slashes = False
        app = _ByPort({self._public: functions, private: extension})
        calling = [timers.keep_calling(timer, schedule, binding) for timer, schedule in self._schedules]
        try:
            async with serving(app, [self._public, private]), asyncio.TaskGroup() as group:
                working = [group.create_task(work) for work in (engine.run(), *calling)]
                yield
                for task in working:
                    task.cancel()
        finally:
            # The SDK's client keeps its connections for ever.
            await http_utils._close_session()
            self._store.close()


def _schedules(functions: Functions, settings: Mapping[str, str]) -> list[tuple[TimerFunction, str]]:
    return [(timer, timers.resolved(timer.schedule, settings)) for timer in functions.timers]


class _ByPort:
    """Serves each app on its own socket only."""

    def __init__(self, apps: Mapping[socket.socket, ASGIApp]) -> None:
        self._apps = {bound.getsockname()[1]: app for bound, app in apps.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._apps[scope["server"][1]](scope, receive, send)


def _client_binding(url: str) -> str:
    """What a function's Durable client binding holds: where the extension's API is."""
    binding = {"taskHubName": "local", "creationUrls": {}, "managementUrls": {"id": "INSTANCEID"}}
    return json.dumps(binding | {"rpcBaseUrl": f"{url}{durable_api.PREFIX}/"})
