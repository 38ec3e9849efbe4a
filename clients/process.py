"""The clients that activities share: made at first need, once a process, and used on the worker's one event loop."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from billing.manifests import Manifests
from landing.rights import Rights
from landing.source import SourceReader
from landing.zones.protocol import LandingZone
from settings import Settings, configured

if TYPE_CHECKING:
    from billing.client import BillingClient
    from billing.invoices import InvoiceClient
    from clients.webhook import Webhook


@dataclass(frozen=True)
class Clients:
    """What activities work with. `engine` is held by the one that works with DuckDB: its memory is not there twice."""

    settings: Settings
    billing: "BillingClient"
    invoices: "InvoiceClient"
    manifests: Manifests
    sources: SourceReader
    zone: LandingZone
    webhook: "Webhook | None"
    now: Callable[[], datetime]
    engine: asyncio.Lock = field(default_factory=asyncio.Lock)
    closing: tuple[Callable[[], Any], ...] = ()

    async def close(self) -> None:
        """Closes all connections."""
        for close in self.closing:
            await close()


_given: ContextVar[Clients | None] = ContextVar("given clients", default=None)
_of_process: Clients | None = None
_rights: Rights | None = None


async def clients() -> Clients:
    """The clients of this process, made from its settings at first need, whose rights on the landing zone are proven.

    Raises:
        SettingsError: when the settings cannot be used.
        LandingFailure, IdentityFailure: when the landing zone cannot be used.
    """
    global _rights
    using = unprepared_clients()
    if using is not _given.get():
        _rights = _rights or Rights(using.zone, using.now)
        await _rights.require()
    return using


def unprepared_clients() -> Clients:
    """The same, for those who do not need the landing zone.

    Raises:
        SettingsError: when the settings cannot be used.
    """
    global _of_process
    given = _given.get()
    if given is not None:
        return given
    if _of_process is None:
        # HTTP and other libraries of activities: whoever only starts a run, or plays one, does not wait for them.
        from clients.making import make_clients

        _of_process = make_clients(configured())
    return _of_process


@contextmanager
def given_clients(clients: Clients) -> Iterator[None]:
    """Lets the activities that are started inside work with these clients."""
    token = _given.set(clients)
    try:
        yield
    finally:
        _given.reset(token)


async def close_clients() -> None:
    """Closes the clients of this process, if there are any."""
    global _of_process, _rights
    closing, _of_process, _rights = _of_process, None, None
    if closing:
        await closing.close()
