"""What is the emulator made of?"""

from collections.abc import Mapping, Sequence

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount

from local.emulator.azurite import AzuriteBlobs
from local.emulator.blob_errors import BlobError, answer_blob_error
from local.emulator.clock import Clock, expiry, utc_now
from local.emulator.exports import Blob, Export
from local.emulator.fault_injector import FaultInjector
from local.emulator.faults import Fault
from local.emulator.graph import Graph
from local.emulator.ledger import Ledger
from local.emulator.options import EmulatorOptions
from local.emulator.partner_center import PartnerCenter
from local.emulator.requests_log import ReceivedRequest, RequestLog
from local.emulator.served_blobs import ServedBlobs
from local.emulator.storage import Grant, Storage

_DEFAULTS = EmulatorOptions()


class Emulator:
    """The partner billing API with data of its own, for one partner.

    `app` is the ASGI app; it works under any base URL.
    `requests` are those received so far, in the order of their arrival.
    `signatures` are those of all SAS tokens issued so far, plain and percent-encoded, to look for where none may be.
    `fired` are the faults that have happened so far, one as often as it has.

    Blobs are served by the emulator itself, or lie in Azurite where `blobs` says so. `now` is its only clock. `faults`
    is the script of what goes wrong.
    """

    def __init__(
        self,
        options: EmulatorOptions = _DEFAULTS,
        *,
        blobs: AzuriteBlobs | None = None,
        now: Clock = utc_now,
        faults: Sequence[Fault] = (),
    ) -> None:
        self.requests: list[ReceivedRequest] = []
        self.signatures: set[str] = set()
        self.fired: list[Fault] = []
        self._options = options
        self._now = now
        self._ledger = Ledger(options, now)
        served = ServedBlobs(now)
        self._storage: Storage = blobs or served
        graph = Graph(options, self._ledger, self._grant, now).app()
        self.app = Starlette(
            routes=[
                Mount("/v1.0", graph),
                Mount("/beta", graph),
                PartnerCenter(options, now).route,
                served.route,
            ],
            middleware=[Middleware(RequestLog, self.requests), Middleware(FaultInjector, faults, self.fired, now)],
            exception_handlers={BlobError: answer_blob_error},
        )

    def use_data(self, invoice_id: str, blobs: Mapping[str, bytes], *, e_tag: str) -> None:
        """From now on exports of this invoice answer with exactly these blobs, by name, and with this eTag."""
        self._ledger.use(invoice_id, Export(e_tag, {name: Blob(content) for name, content in blobs.items()}))

    def restate(self, invoice_id: str, revision: int) -> None:
        """From now on exports of this invoice answer with generated data of this revision; the original one is 0.

        Another revision has another eTag, other names and other bytes. The same revision has the same ones again, with
        a new `createdDateTime` in its manifest.
        """
        self._ledger.restate(invoice_id, revision)

    async def _grant(self, export: Export, base_url: str) -> Grant:
        grant = await self._storage.grant(export, expiry(self._now(), self._options.sas_seconds), base_url)
        self.signatures |= grant.signatures
        return grant
