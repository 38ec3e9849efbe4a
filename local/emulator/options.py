"""What can be chosen about an emulator?"""

from dataclasses import dataclass

from local.emulator.data.differences import Difference
from local.emulator.data.events import Event


@dataclass(frozen=True, kw_only=True)
class EmulatorOptions:
    """How much data there is, and how the service behaves.

    `seed`: the same seed gives the same bytes.
    `token`: the bearer token that callers must send.
    `blobs`, `rows`, `customers`: blobs an export, line items a blob, and distinct customers.
    `running_polls`: how often an operation answers `running` before it ends.
    `retry_after`: the wait, in seconds, that 202 and running answers ask for; None asks for none.
    `linked_manifest`: operations link their manifest instead of embedding it.
    `sas_seconds`: the life of a SAS token in seconds, rounded up to a whole one as Azure's tokens are.
    `invoices`: the ids of the new-commerce invoices that exist from the beginning.
    `currencies`: the currencies that have something unbilled.
    `months`: how many months the partner's own invoices go back, two a month; 0 has none but `invoices`.
    `events`: what happens to the invoices of some months; with `months`, things happen by the calendar besides.
    `differences`: in what one document contradicts another, on purpose.

    The export of any other invoice or currency ends with "No data available".
    """

    seed: int = 1
    token: str = "emulator-token"
    blobs: int = 8
    rows: int = 250
    customers: int = 12
    running_polls: int = 2
    retry_after: float | None = None
    linked_manifest: bool = False
    sas_seconds: float = 3600
    invoices: tuple[str, ...] = ("G016907411",)
    currencies: tuple[str, ...] = ("EUR", "USD")
    months: int = 0
    events: tuple[Event, ...] = ()
    differences: tuple[Difference, ...] = ()
