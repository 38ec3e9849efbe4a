"""What happens to activities: hosts die around them, they run twice, late, or long after anybody waits for them."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from catalog.export_request import ExportRequest
from clients.process import given_clients
from messages.names import COMMIT_EXPORT
from tests.simulation.chance import Chance
from tests.simulation.host import Activity, Host, Json

Effect = Callable[[], Awaitable[Json]]
"""One run of an activity, with whatever it leaves behind."""


class Chaos:
    """Calls activities in all the ways in which at-least-once delivery may call them."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._strays: set[asyncio.Task[Json]] = set()
        self._committing: Counter[str] = Counter()
        self._fates = [_die_before, _die_after, _twice_in_turn, _twice_at_once, self._late, self._leave_a_stray]

    def around(self, name: str, activity: Activity, host: Host) -> Activity:
        """The activity as the host's engine is to call it."""

        async def called(message: Json) -> Json:
            async def effect() -> Json:
                with self._counted(name, message):
                    return await activity(message)

            with self._counted(name, message):
                if self._chance.strikes(0.12):
                    return await self._chance.pick(self._fates)(effect, host)
                return await effect()

        return called

    def is_committing(self, export_id: str) -> bool:
        """Whether a commit of this export runs, wherever, or is still to come."""
        return self._committing[export_id] > 0

    async def settle(self) -> None:
        """Returns when nothing runs any more that nobody waits for."""
        await asyncio.gather(*self._strays, return_exceptions=True)

    @contextmanager
    def _counted(self, name: str, message: Json) -> Iterator[None]:
        export = ExportRequest.from_json(message["request"]).export_id if name == COMMIT_EXPORT else ""
        self._committing[export] += 1
        try:
            yield
        finally:
            self._committing[export] -= 1

    async def _late(self, effect: Effect, _: Host) -> Json:
        await self._chance.pass_time(300)
        answer = await effect()
        await self._chance.pass_time(300)
        return answer

    async def _leave_a_stray(self, effect: Effect, host: Host) -> Json:
        """A machine that was given up, and goes on where it was: nobody hears what it does."""
        self._strays.add(asyncio.create_task(self._much_later(effect, host)))
        return await effect()

    async def _much_later(self, effect: Effect, host: Host) -> Json:
        await self._chance.pass_time(self._chance.pick([5, 60, 3600]))
        return await _elsewhere(effect, host)


async def _die_before(_: Effect, host: Host) -> Json:
    return await died(host)


async def _die_after(effect: Effect, host: Host) -> Json:
    await asyncio.gather(effect(), return_exceptions=True)
    return await died(host)


async def _twice_in_turn(effect: Effect, _: Host) -> Json:
    await asyncio.gather(effect(), return_exceptions=True)
    return await effect()


async def _twice_at_once(effect: Effect, host: Host) -> Json:
    first, second = await asyncio.gather(effect(), _elsewhere(effect, host), return_exceptions=True)
    answer = second if isinstance(first, BaseException) else first
    if isinstance(answer, BaseException):
        raise answer
    return answer


async def _elsewhere(effect: Effect, host: Host) -> Json:
    """As another machine runs it, which has nothing in its caches."""
    with given_clients(host.new_clients()):
        return await effect()


async def died(host: Host) -> NoReturn:
    """The host's death, as an activity on it sees it."""
    host.die()
    await asyncio.Event().wait()
    raise AssertionError("unreachable: who is dead does not go on")
