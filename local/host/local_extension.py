"""The local engine and its HTTP API, in the place of the Durable extension."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from starlette.applications import Starlette

from local.engine import Clock, DurableEngine, Options, Store
from local.functions import Functions
from local.host import durable_api
from local.serving import listen, serving, url_of


class LocalExtension:
    """Keeps its state in a file, or in memory; the next one on the same file goes on where this one was."""

    def __init__(self, state: Path | None, options: Options | None = None, clock: Clock | None = None) -> None:
        self._state = state
        self._options = options
        self._clock = clock

    @asynccontextmanager
    async def running(self, functions: Functions) -> AsyncIterator[str]:
        """Works while the context is open; yields the JSON that Durable clients are made from.

        Raises:
            StateUnusable: when another host works on the state, or the file cannot hold it.
        """
        with closing(Store(self._state)) as store:
            # As on Azure, the extension's API has a port of its own, which no caller of the app is told.
            private = listen()
            binding = _client_binding(url_of(private))
            engine = DurableEngine(functions, store, self._clock, binding, self._options)
            api = Starlette(routes=durable_api.DurableApi(engine).routes)
            async with serving(api, [private]), asyncio.TaskGroup() as group:
                working = group.create_task(engine.run())
                yield binding
                working.cancel()


def _client_binding(url: str) -> str:
    """What a function's Durable client binding holds: where the extension's API is."""
    binding = {"taskHubName": "local", "creationUrls": {}, "managementUrls": {"id": "INSTANCEID"}}
    return json.dumps(binding | {"rpcBaseUrl": f"{url}{durable_api.PREFIX}/"})
