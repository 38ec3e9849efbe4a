"""What does the partner sell besides usage, and at what price?"""

import uuid
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Offer:
    """One offer of the price list. `price` is in US dollars a licence and a month."""

    product: str
    sku: str
    price: float
    term: str
    publisher: str = "Microsoft Corporation"

    @cached_property
    def product_id(self) -> str:
        """The product's id in the catalogue."""
        return f"CFQ7TTC0{uuid.uuid5(uuid.NAMESPACE_OID, self.product).hex[:4].upper()}"


_MONTHLY = "One-Month commitment for monthly/yearly billing"
_YEARLY = "One-Year commitment for monthly/yearly billing"

OFFERS = (
    Offer("Microsoft 365 Business Basic", "Microsoft 365 Business Basic", 6.0, _YEARLY),
    Offer("Microsoft 365 Business Premium", "Microsoft 365 Business Premium", 22.0, _YEARLY),
    Offer("Microsoft 365 E5", "Microsoft 365 E5 (no Teams)", 54.75, _YEARLY),
    Offer("Exchange Online", "Exchange Online (Plan 1)", 4.8, _MONTHLY),
    Offer("Microsoft Entra ID", "Microsoft Entra ID P1", 6.0, _YEARLY),
    Offer("Dynamics 365 Sales", "Dynamics 365 Sales Professional", 65.0, _YEARLY),
    Offer("Power BI", "Power BI Pro", 14.0, _MONTHLY),
    Offer("Backup for Microsoft 365", "Backup for Microsoft 365 - Standard", 2.5, _MONTHLY, "Tailspin Toys Software"),
)
