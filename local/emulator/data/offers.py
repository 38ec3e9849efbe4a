"""What does the partner sell besides usage, and at what price?"""

import uuid
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property


@dataclass(frozen=True)
class Offer:
    """One offer of the price list. `price` is in US dollars for one licence or purchase, and one billing cycle.

    `reserves` says that it is a commitment, of which Azure keeps an order of its own.
    """

    product: str
    sku: str
    price: Decimal
    term: str = "One-Year commitment for monthly/yearly billing"
    frequency: str = "Monthly"
    publisher: str = "Microsoft Corporation"
    reserves: bool = False

    @cached_property
    def product_id(self) -> str:
        """The product's id in the catalogue."""
        return f"CFQ7TTC0{uuid.uuid5(uuid.NAMESPACE_OID, self.product).hex[:4].upper()}"

    @cached_property
    def availability_id(self) -> str:
        """The id of the offer of this SKU."""
        return f"CFQ7TTC{uuid.uuid5(uuid.NAMESPACE_OID, self.sku).hex[:5].upper()}"

    @property
    def publisher_id(self) -> str:
        """Third parties have one."""
        return "" if self.publisher == "Microsoft Corporation" else self.publisher.lower().replace(" ", "")


_BY_MONTH = "One-Month commitment for monthly/yearly billing"
_ONCE = "One-Time"

LICENCES = (
    Offer("Microsoft 365 Business Basic", "Microsoft 365 Business Basic", Decimal("6.00")),
    Offer("Microsoft 365 Business Premium", "Microsoft 365 Business Premium", Decimal("22.00")),
    Offer("Microsoft 365 E5", "Microsoft 365 E5 (no Teams)", Decimal("54.75")),
    Offer("Exchange Online", "Exchange Online (Plan 1)", Decimal("4.80"), _BY_MONTH),
    Offer("Microsoft Entra ID", "Microsoft Entra ID P1", Decimal("6.00")),
    Offer("Dynamics 365 Sales", "Dynamics 365 Sales Professional", Decimal("65.00")),
    Offer("Power BI", "Power BI Pro", Decimal("14.00"), _BY_MONTH),
)
SAVINGS_PLAN = Offer(
    "Azure savings plan for compute", "Compute Savings Plan, 1 Year", Decimal("219.00"), "1 Year", reserves=True
)
RESERVATION = Offer(
    "Reserved VM Instance", "Standard_D2s_v5, EU West, 1 Year", Decimal("543.12"), "1 Year", _ONCE, reserves=True
)
MARKETPLACE = Offer(
    "Backup for Microsoft 365", "Standard, per user", Decimal("2.50"), _BY_MONTH, publisher="Tailspin Toys Software"
)
SOFTWARE = Offer("Windows Server", "Windows Server 2025 Standard, 16 Core", Decimal("1176.00"), _ONCE, _ONCE)
CREDIT = Offer("Azure plan", "Service credit", Decimal("35.17"), _ONCE, _ONCE)
