"""Makes all that activities work with from the app's settings."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx

from billing.auth import EntraToken, StaticToken, TokenSource
from billing.client import BillingClient
from billing.invoices import InvoiceClient
from billing.manifests import Manifests
from billing.origins import SourceHosts
from clients.credential import Credential
from clients.partner_credential import PartnerCredential
from clients.process import Clients
from clients.redaction import hide_token, quiet_libraries, redact_logs
from clients.webhook import Webhook
from landing.connections import Connections
from landing.hosts import proxy_for
from landing.source import SourceReader
from landing.zones.opening import open_zone
from settings import Settings, is_loopback

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
GRAPH = "https://graph.microsoft.com"
PARTNER_CENTER = "https://api.partnercenter.microsoft.com"


def make_clients(settings: Settings, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Clients:
    """Clients for these settings; nothing is sent yet."""
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


def partner_credential(settings: Settings, identity: TokenSource) -> TokenSource:
    """What Microsoft's APIs are called with: the identity itself, unless the partner's tenant is another one."""
    if settings.graph_tenant_id and settings.graph_client_id:
        return PartnerCredential(settings.graph_tenant_id, settings.graph_client_id, identity)
    return identity


def _auth(settings: Settings, credential: TokenSource, base_url: str, audience: str) -> httpx.Auth:
    """Authentication for one API: the fixed token goes to loopback only, whatever else is configured."""
    if settings.graph_static_token and is_loopback(base_url):
        hide_token(settings.graph_static_token)
        return StaticToken(settings.graph_static_token, base_url)
    return EntraToken(credential, f"{audience}/.default", base_url)
