"""A host that dies around one call of an activity."""

import asyncio
from typing import Any

from tests.simulation.chaos import died
from tests.simulation.host import Activity, Host, Json


class Doomed:
    """Makes a world one whose host dies at the call of this number, before its effect or after it."""

    def __init__(self, *world: Any, fatal: int | None = None, after: bool = False) -> None:
        self.calls = 0
        self.died = asyncio.Event()
        self._fatal = fatal
        self._after = after
        super().__init__(*world)

    def around(self, name: str, activity: Activity, host: Host) -> Activity:
        async def called(message: Json) -> Json:
            self.calls += 1
            if self.calls - 1 != self._fatal:
                return await activity(message)
            if self._after:
                await activity(message)
            self.died.set()
            return await died(host)

        return called
