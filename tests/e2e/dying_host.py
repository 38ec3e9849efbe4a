"""`python -m local` in a process that kills itself around one call: `dying_host before copy_blobs 2 host --port 0`.

The call is named by an activity, or by the name of a file of ours that is written into the landing folder.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import unquote, urlsplit

import function_app
from clients.making import make_clients
from clients.process import Clients, given_clients
from landing.zones.local_folder import LocalFolder
from local.__main__ import app
from local.functions import ActivityFunction, index
from settings import configured

T = TypeVar("T")
Activity = Callable[..., Awaitable[Any]]


@dataclass
class Doom:
    """The end of this process: `before` or `after` the call of this number of what has this name."""

    moment: str
    name: str
    call: int
    calls: int = 0

    async def around(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        """Does the work, unless the process ends first."""
        if name != self.name:
            return await work()
        self.calls += 1
        self._come("before")
        done = await work()
        self._come("after")
        return done

    def _come(self, moment: str) -> None:
        if (moment, self.calls) == (self.moment, self.call):
            os.kill(os.getpid(), signal.SIGKILL)


class DoomedFolder(LocalFolder):
    """A landing folder whose writing of a file of ours may be the process's end."""

    def __init__(self, clients: Clients, doom: Doom) -> None:
        super().__init__(Path(unquote(urlsplit(clients.zone.url).path)), clients.sources)
        self._doom = doom

    async def write(self, path: str, content: bytes) -> None:
        write = super().write
        await self._doom.around(Path(path).name, lambda: write(path, content))

    async def swap(self, path: str, content: bytes, seen: str | None) -> bool:
        swap = super().swap
        return await self._doom.around(Path(path).name, lambda: swap(path, content, seen))

    async def swap_file(self, path: str, file: Path, seen: str | None) -> bool:
        swap_file = super().swap_file
        return await self._doom.around(Path(path).name, lambda: swap_file(path, file, seen))


def doom_activities(doom: Doom) -> None:
    """Puts the doom around all activities, which run one at a time: so it is known what is done when the end comes."""
    one_at_a_time = asyncio.Lock()

    def doomed(name: str, activity: Activity) -> Activity:
        async def called(**bindings: Any) -> Any:
            async with one_at_a_time:
                return await doom.around(name, lambda: activity(**bindings))

        return called

    # The host takes the functions from this index, which is made once a process.
    activities = cast("dict[str, ActivityFunction]", index(function_app.app).activities)
    activities.update(
        {name: replace(activity, call=doomed(name, activity.call)) for name, activity in activities.items()}
    )


def main(moment: str, name: str, call: str, *arguments: str) -> None:
    """Runs the command line of `local` with these arguments, until the end comes."""
    doom = Doom(moment, name, int(call))
    doom_activities(doom)
    clients = make_clients(configured())
    with given_clients(replace(clients, zone=DoomedFolder(clients, doom))):
        app(arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
