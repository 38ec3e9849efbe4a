"""What is the emulator made of?"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount

from local.emulator.clock import Now, expiry, utc_now
from local.emulator.data.books import Books
from local.emulator.data.datasets import VERSIONS
from local.emulator.data.exports import Blob, Export
from local.emulator.data.invoices import Invoices
from local.emulator.data.subjects import Subject
from local.emulator.faults.fault import Fault
from local.emulator.faults.injector import FaultInjector
from local.emulator.options import EmulatorOptions
from local.emulator.requests_log import ReceivedRequest, RequestLog
from local.emulator.services.azurite import AzuriteBlobs
from local.emulator.services.blob_errors import BlobError, answer_blob_error
from local.emulator.services.graph import Graph
from local.emulator.services.operations import NO_DATA, Failure
from local.emulator.services.partner_center import PartnerCenter
from local.emulator.services.served_blobs import ServedBlobs
from local.emulator.services.statements import Statements
from local.emulator.services.storage import Grant, Storage

_DEFAULTS = EmulatorOptions()


class Emulator:
    """The partner billing API with data of its own, for one partner.

    `app` is the ASGI app; it works under any base URL.
    `requests` are those received so far, in the order of their arrival.
    `signatures` are those of all SAS tokens issued so far, plain and percent-encoded, to look for where none may be.
    `fired` are the faults that have happened so far, one as often as it has.

    Blobs are served by the emulator itself, or by Azurite if `blobs` says so. `now` is its only clock. `faults`
    is the script of what goes wrong.
    """

    def __init__(
        self,
        options: EmulatorOptions = _DEFAULTS,
        *,
        blobs: AzuriteBlobs | None = None,
        now: Now = utc_now,
        faults: Sequence[Fault] = (),
    ) -> None:
        self.requests: list[ReceivedRequest] = []
        self.signatures: set[str] = set()
        self.fired: list[Fault] = []
        self._options = options
        self._now = now
        self._invoices = Invoices(options.invoices, now, options.months, options.events)
        self._statements = Statements(options, self._invoices, Books(options, self._invoices, now), now)
        served = ServedBlobs(now)
        self._storage: Storage = blobs or served
        graph = Graph(options, self._statements, self._grant, now)
        self.app = Starlette(
            routes=[
                *(Mount(f"/{version}", graph.app(version)) for version in VERSIONS),
                PartnerCenter(options.token, self._invoices, self._statements.total, now).route,
                served.route,
            ],
            middleware=[Middleware(RequestLog, self.requests), Middleware(FaultInjector, faults, self.fired, now)],
            exception_handlers={BlobError: answer_blob_error},
        )

    def add_invoice(self, invoice_id: str, *, month: str | None = None, listed_from: datetime | None = None) -> None:
        """Has an invoice exist, with data, and listed by Partner Center: from a moment on, by the clock, or at once.

        `month` is the month it bills, `2026-10`; else it is the one before `listed_from`, or always the one before the
        clock's. Until it is listed its exports end with "No data available". Adding it again replaces it.

        Raises:
            ValueError: when the month is of another form.
        """
        self._invoices.add(invoice_id, month, listed_from)

    def use_data(
        self,
        about: str,
        blobs: Mapping[str, bytes],
        *,
        e_tag: str,
        dataset: str = "billedUsage",
        billing_period: str | None = None,
    ) -> None:
        """From now on exports of this invoice answer with exactly these blobs, by name, and with this eTag.

        In an unbilled dataset `about` is a currency, and the data belongs to the month that `billing_period`, `current`
        or `last`, means now. So it is with `restate` and `fail`.

        Raises:
            ValueError: when no export could be about it.
        """
        subject = Subject.named(dataset, about, billing_period, self._now)
        self._statements.use(
            subject, Export(dataset, e_tag, {name: Blob([content]) for name, content in blobs.items()})
        )

    def restate(
        self, about: str, revision: int, *, dataset: str = "billedUsage", billing_period: str | None = None
    ) -> None:
        """From now on exports of this invoice answer with generated data of this revision; the original one is 0.

        Another revision has another eTag, other names and other bytes. The same revision has the same ones again, with
        a new `createdDateTime` in its manifest.

        Raises:
            ValueError: when no export could be about it.
        """
        self._statements.restate(Subject.named(dataset, about, billing_period, self._now), revision)

    def fail(
        self,
        about: str,
        code: str = NO_DATA.code,
        message: str = NO_DATA.message,
        *,
        dataset: str = "billedUsage",
        billing_period: str | None = None,
    ) -> None:
        """From now on exports of this invoice end as failed, with this error, until `use_data` or `restate` gives data.

        Operations that have ended stay as they are.

        Raises:
            ValueError: when no export could be about it.
        """
        self._statements.fail(Subject.named(dataset, about, billing_period, self._now), Failure(code, message))

    async def _grant(self, export: Export, base_url: str) -> Grant:
        grant = await self._storage.grant(export, expiry(self._now(), self._options.sas_seconds), base_url)
        self.signatures |= grant.signatures
        return grant
