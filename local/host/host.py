"""Serves an app's functions on this machine, unchanged, around a Durable extension."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import azure.durable_functions as df
from azure.durable_functions.models.utils import http_utils
from starlette.applications import Starlette

from local.functions import Functions, TimerFunction, index
from local.host import http_triggers, timers
from local.host.durable import DurableExtension
from local.serving import serving, url_of


class Host:
    """One app's functions, served on a socket of this machine; their orchestrations are the extension's.

    `settings` are what the timers' schedules are taken from; without them, or its own, no timer fires.
    """

    def __init__(
        self, app: df.DFApp, public: socket.socket, extension: DurableExtension, settings: Mapping[str, str] | None
    ) -> None:
        """Reads the schedules.

        Raises:
            SettingsError: when a timer's schedule cannot be used.
        """
        self.url = url_of(public)
        self._functions = index(app)
        self._schedules = _schedules(self._functions, settings) if settings is not None else []
        self._extension = extension
        self._public = public

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serves and works while the context is open."""
        try:
            async with (
                self._extension.running(self._functions) as binding,
                serving(self._app(binding), [self._public]),
                asyncio.TaskGroup() as group,
            ):
                calling = [
                    group.create_task(timers.keep_calling(timer, schedule, binding))
                    for timer, schedule in self._schedules
                ]
                yield
                for task in calling:
                    task.cancel()
        finally:
            # The SDK's client keeps its connections for ever.
            await http_utils._close_session()

    def _app(self, client_binding: str) -> Starlette:
        app = Starlette(routes=[http_triggers.route(function, client_binding) for function in self._functions.routes])
        # A path that is no route is not found; a redirect would tell callers of another.
        app.router.redirect_slashes = False
        return app


def _schedules(functions: Functions, settings: Mapping[str, str]) -> list[tuple[TimerFunction, str]]:
    schedules = [(timer, timers.schedule_of(timer, settings)) for timer in functions.timers]
    return [(timer, schedule) for timer, schedule in schedules if schedule]
