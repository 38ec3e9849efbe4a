"""What does Azure meter, in which unit, and at what price?"""

import uuid
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Meter:
    """One meter of the price list.

    `price` is in US dollars a unit; `busiest_day` is the most units that one resource uses in a day.
    """

    category: str
    sub_category: str
    name: str
    unit: str
    price: float
    busiest_day: float
    resource_type: str

    @cached_property
    def id(self) -> str:
        """The meter's GUID."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.category}/{self.name}"))

    @cached_property
    def product_id(self) -> str:
        """The product's id in the catalogue: one for each category."""
        return f"DZH318Z0{uuid.uuid5(uuid.NAMESPACE_OID, self.category).hex[:4].upper()}"

    @property
    def service(self) -> str:
        """The resource provider: `Microsoft.Compute`."""
        return self.resource_type.partition("/")[0]


METERS = (
    Meter("Virtual Machines", "Dsv5 Series", "D2s v5", "1 Hour", 0.096, 24, "Microsoft.Compute/virtualMachines"),
    Meter("Virtual Machines", "Dsv5 Series", "D8s v5", "1 Hour", 0.384, 24, "Microsoft.Compute/virtualMachines"),
    Meter("Virtual Machines", "BS Series", "B1s", "1 Hour", 0.0104, 24, "Microsoft.Compute/virtualMachines"),
    Meter("Storage", "Standard SSD Managed Disks", "E10 LRS Disk", "1/Month", 9.6, 0.0334, "Microsoft.Compute/disks"),
    Meter("Storage", "Blob", "Hot LRS Data Stored", "1 GB/Month", 0.0184, 170, "Microsoft.Storage/storageAccounts"),
    Meter("Storage", "Blob", "Hot Read Operations", "10K", 0.004, 900, "Microsoft.Storage/storageAccounts"),
    Meter("Bandwidth", "", "Standard Data Transfer Out", "1 GB", 0.087, 60, "Microsoft.Network/publicIPAddresses"),
    Meter("Virtual Network", "IP", "Static Public IP", "1 Hour", 0.005, 24, "Microsoft.Network/publicIPAddresses"),
    Meter("SQL Database", "General Purpose", "vCore", "1 Hour", 0.1521, 96, "Microsoft.Sql/servers"),
    Meter("Azure App Service", "Premium v3 Plan", "P1 v3 App", "1 Hour", 0.17, 24, "Microsoft.Web/serverfarms"),
    Meter("Log Analytics", "", "Data Ingestion", "1 GB", 2.3, 12, "Microsoft.OperationalInsights/workspaces"),
    Meter("Key Vault", "Standard", "Operations", "10K", 0.03, 40, "Microsoft.KeyVault/vaults"),
)
