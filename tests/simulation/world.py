"""One simulated world: Microsoft, a landing zone, and one or two hosts between them, which export at the same time."""

import asyncio
from collections import Counter
from datetime import timedelta

import httpx

from billing.auth import EntraToken
from billing.client import BillingClient
from billing.invoices import InvoiceClient
from billing.manifests import Manifests
from billing.origins import SourceHosts
from catalog.export_request import ExportRequest
from clients.process import Clients
from http_start import cancelling, exports
from http_start.answers import Refused
from local.engine import Instance, Options
from tests.simulation import release
from tests.simulation.chance import Chance
from tests.simulation.chaos import Chaos
from tests.simulation.circumstances import Circumstances
from tests.simulation.durable_client import SimulatedDurable
from tests.simulation.graph import BASE_URL, TOKEN, Graph
from tests.simulation.host import Activity, Host
from tests.simulation.identity import Identity
from tests.simulation.ledger import Ledger
from tests.simulation.memory_zone import MemoryZone, Storage
from tests.simulation.release import Release
from tests.simulation.source_blobs import SimulatedReader, SourceBlobs
from tests.simulation.virtual_time import now

SCOPE = "https://graph.microsoft.com/.default"


class World:
    """Everything of one seed. To be made on a running `VirtualLoop`."""

    zone: type[MemoryZone] = MemoryZone

    def __init__(self, chance: Chance, circumstances: Circumstances) -> None:
        self.chance = chance
        self.circumstances = circumstances
        self.requests = [ExportRequest.of_invoice(f"G01690741{n}") for n in range(circumstances.invoices)]
        self.ledger = Ledger(chance, [request.values["invoiceId"] for request in self.requests], circumstances.blobs)
        self.source = SourceBlobs(self.ledger, chance, circumstances)
        self.graph = Graph(self.ledger, self.source, chance, circumstances)
        self.identity = Identity(TOKEN, chance)
        self.storage = Storage(circumstances.knows_md5, circumstances.slices, circumstances.unreached)
        self.chaos = Chaos(chance)
        self.settings = circumstances.settings
        self.ends: list[Instance] = []
        self.starts: Counter[str] = Counter()
        self.hosts = [self.new_host() for _ in range(circumstances.hosts)]

    def new_host(self) -> Host:
        """A host that knows nothing of the others, nor they of it."""
        latency = timedelta(seconds=self.circumstances.latency_seconds)
        return Host(self._clients, self.around, Options(latency=latency, early_timers=True))

    def next_release(self) -> Release:
        """What a deployment brings."""
        return release.following()

    def around(self, name: str, activity: Activity, host: Host) -> Activity:
        """What a host calls in place of the activity of this name."""
        return self.chaos.around(name, activity, host)

    async def export(self, host: Host, request: ExportRequest) -> Instance:
        """How an export ends that is started now, unless it is running already."""
        while not await self._start(host, request):
            await asyncio.sleep(cancelling.RETRY_SECONDS)
        self.starts[request.export_id] += 1
        ended = await host.ended(request.export_id)
        release.require_own_steps(ended, host.store.history(ended.execution))
        self.ends.append(ended)
        return ended

    async def _start(self, host: Host, request: ExportRequest) -> bool:
        """Starts the export; False while one of its id is being cancelled."""
        try:
            await exports.start(SimulatedDurable(host), request, self.settings, now())
        except Refused:
            return False
        return True

    async def cancel(self, host: Host, request: ExportRequest) -> bool:
        """Cancels the export; False when it has ended."""
        try:
            await cancelling.cancel(SimulatedDurable(host), request.export_id)
        except Refused:
            return False
        return True

    def is_active(self, request: ExportRequest) -> bool:
        """Whether the export runs, on whichever host."""
        found = [host.store.find(request.export_id) for host in self.hosts]
        return any(instance.is_active for instance in found if instance)

    def committed(self, request: ExportRequest) -> list[str]:
        """The commit markers of all versions of the export."""
        return self.storage.paths("/_SUCCESS", f"/invoice_id={request.values['invoiceId']}/")

    def complaints(self) -> list[str]:
        """What was noticed on the way that should not have happened."""
        stores = [complaint for host in self.hosts for complaint in host.store.complaints]
        return [*self.graph.complaints, *self.source.complaints, *stores]

    async def stop(self) -> None:
        """Ends everything."""
        await self.chaos.settle()
        for host in self.hosts:
            await host.stop()

    def _clients(self) -> Clients:
        graph = httpx.AsyncClient(
            transport=httpx.MockTransport(self.graph), auth=EntraToken(self.identity, SCOPE, BASE_URL)
        )
        sources = SimulatedReader(self.source, self.chance)
        billing = BillingClient(BASE_URL, graph, SourceHosts((".blob.core.windows.net",)), now)
        return Clients(
            settings=self.settings,
            billing=billing,
            invoices=InvoiceClient(BASE_URL, graph, now),
            manifests=Manifests(billing.read_manifest, now),
            sources=sources,
            zone=self.zone(self.storage, sources, self.chance),
            webhook=None,
            now=now,
        )
