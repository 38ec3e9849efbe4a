"""The clients that activities share: made at first need, once a process, and used on the worker's one event loop."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from billing.client import BillingClient
from billing.invoices import InvoiceClient
from billing.manifests import Manifests
from clients.credential import Credential
from clients.partner_credential import PartnerCredential
from clients.redaction import hide_token, quiet_libraries, redact_logs
from clients.webhook import Webhook
from landing.hosts import proxy_for
from landing.rights import Rights
from landing.source import SourceReader
from landing.zones.protocol import LandingZone
from settings import Settings, configured, is_loopback

if TYPE_CHECKING:
    from billing.auth import TokenSource

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
GRAPH = "https://graph.microsoft.com"
PARTNER_CENTER = "https://api.partnercenter.microsoft.com"


@dataclass(frozen=True)
class Clients:
    """What activities work with. `engine` is held by the one that works with DuckDB: its memory is not there twice."""

    settings: Settings
    billing: BillingClient
    invoices: InvoiceClient
    manifests: Manifests
    sources: SourceReader
    zone: LandingZone
    webhook: Webhook | None
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
    _of_process = _of_process or make_clients(configured())
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


def make_clients(settings: Settings, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Clients:
    """Clients for these settings; nothing is sent yet."""
    import httpx

    from billing.origins import SourceHosts
    from landing.connections import Connections
    from landing.zones.opening import open_zone

    redact_logs()
    quiet_libraries()
    timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    # Certificates take longest to load, so all clients share them.
    tls = httpx.create_ssl_context()

    def http_client(url: str, auth: httpx.Auth | None = None) -> httpx.AsyncClient:
        """For one server: httpx itself would send what is for this machine to a proxy of the environment, too."""
        return httpx.AsyncClient(auth=auth, timeout=timeout, verify=tls, trust_env=False, proxy=proxy_for(url))

    credential = Credential()
    partner = partner_credential(settings, credential)
    graph_auth = _auth(settings, partner, settings.graph_base_url, GRAPH)
    graph_http = http_client(settings.graph_base_url, graph_auth)
    partner_center = settings.partner_center_base_url
    invoice_auth = _auth(settings, partner, partner_center, PARTNER_CENTER)
    invoice_http = http_client(partner_center, invoice_auth)
    connections = Connections(tls, CONNECT_SECONDS, READ_SECONDS)
    threads = ThreadPoolExecutor(settings.copy_concurrency, "source")
    webhook_http = http_client(settings.notify_webhook_url or "")
    webhook = Webhook(settings.notify_webhook_url, webhook_http) if settings.notify_webhook_url else None
    source_hosts = SourceHosts(settings.source_host_suffixes, settings.graph_is_loopback)
    billing = BillingClient(settings.graph_base_url, graph_http, source_hosts, now)
    sources = SourceReader(connections.open, threads)
    zone = open_zone(settings.landing_url, settings.landing_connection_string, lambda: credential, sources, now)
    return Clients(
        settings,
        billing,
        InvoiceClient(partner_center, invoice_http, now),
        Manifests(billing.read_manifest, now),
        sources,
        zone,
        webhook,
        now,
        closing=(
            graph_http.aclose,
            invoice_http.aclose,
            sources.close,
            connections.close,
            webhook_http.aclose,
            zone.close,
            credential.close,
        ),
    )


def partner_credential(settings: Settings, identity: "TokenSource") -> "TokenSource":
    """What Microsoft's APIs are called with: the identity itself, unless the partner's tenant is another one."""
    if settings.graph_tenant_id and settings.graph_client_id:
        return PartnerCredential(settings.graph_tenant_id, settings.graph_client_id, identity)
    return identity


def _auth(settings: Settings, credential: "TokenSource", base_url: str, audience: str) -> Any:
    """Authentication for one API: the fixed token goes to loopback only, whatever else is configured."""
    from billing.auth import EntraToken, StaticToken

    if settings.graph_static_token and is_loopback(base_url):
        hide_token(settings.graph_static_token)
        return StaticToken(settings.graph_static_token, base_url)
    return EntraToken(credential, f"{audience}/.default", base_url)
