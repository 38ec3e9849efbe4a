"""What does Azure meter, in which unit, and at what price?"""

import uuid
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property


@dataclass(frozen=True)
class Meter:
    """One meter of the price list.

    `price` is in US dollars a unit, with at most four digits after the point; `busiest_day` is the most units that one
    resource uses in a day.
    """

    category: str
    sub_category: str
    name: str
    unit: str
    price: Decimal
    busiest_day: Decimal
    resource_type: str

    @cached_property
    def id(self) -> str:
        """The meter's GUID."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.category}/{self.name}"))

    @cached_property
    def product_id(self) -> str:
        """The product's id in the catalogue: one for each category."""
        return f"DZH318Z0{uuid.uuid5(uuid.NAMESPACE_OID, self.category).hex[:4].upper()}"

    @cached_property
    def sku_id(self) -> str:
        """The id of the meter within its product."""
        return uuid.uuid5(uuid.NAMESPACE_OID, f"sku {self.id}").hex[:4].upper()

    @cached_property
    def availability_id(self) -> str:
        """The id of the offer of this SKU."""
        return f"DZH318Z{uuid.uuid5(uuid.NAMESPACE_OID, f'availability {self.id}').hex[:5].upper()}"

    @property
    def service(self) -> str:
        """The resource provider: `Microsoft.Compute`."""
        return self.resource_type.partition("/")[0]

    @property
    def is_steady(self) -> bool:
        """Whether it runs by the hour, on Sundays as on Mondays."""
        return self.unit == "1 Hour"

    @property
    def is_compute(self) -> bool:
        """Whether a savings plan for compute covers it."""
        return self.category in {"Virtual Machines", "Azure App Service", "Functions", "Container Instances"}


def _meter(
    category: str, sub_category: str, name: str, unit: str, price: str, busiest_day: str, resource_type: str
) -> Meter:
    resource_type = f"Microsoft.{resource_type}"
    return Meter(category, sub_category, name, unit, Decimal(price), Decimal(busiest_day), resource_type)


METERS = (
    _meter("Virtual Machines", "Dsv5 Series", "D2s v5", "1 Hour", "0.096", "24", "Compute/virtualMachines"),
    _meter("Virtual Machines", "Dsv5 Series", "D8s v5", "1 Hour", "0.384", "24", "Compute/virtualMachines"),
    _meter("Virtual Machines", "BS Series", "B1s", "1 Hour", "0.0104", "24", "Compute/virtualMachines"),
    _meter("Storage", "Standard SSD Managed Disks", "E10 LRS Disk", "1/Month", "9.6", "0.0334", "Compute/disks"),
    _meter("Storage", "Blob", "Hot LRS Data Stored", "1 GB/Month", "0.0184", "170", "Storage/storageAccounts"),
    _meter("Storage", "Blob", "Hot Read Operations", "10K", "0.004", "900", "Storage/storageAccounts"),
    _meter("Bandwidth", "", "Standard Data Transfer Out", "1 GB", "0.087", "60", "Network/publicIPAddresses"),
    _meter("Virtual Network", "IP", "Static Public IP", "1 Hour", "0.005", "24", "Network/publicIPAddresses"),
    _meter("SQL Database", "General Purpose", "vCore", "1 Hour", "0.1521", "96", "Sql/servers"),
    _meter("Azure App Service", "Premium v3 Plan", "P1 v3 App", "1 Hour", "0.17", "24", "Web/serverfarms"),
    _meter("Log Analytics", "", "Data Ingestion", "1 GB", "2.3", "12", "OperationalInsights/workspaces"),
    _meter("Key Vault", "Standard", "Operations", "10K", "0.03", "40", "KeyVault/vaults"),
    _meter("Azure Cosmos DB", "", "100 RU/s", "1 Hour", "0.008", "96", "DocumentDB/databaseAccounts"),
    _meter(
        "Azure Database for PostgreSQL", "Ddsv5", "vCore", "1 Hour", "0.089", "48", "DBforPostgreSQL/flexibleServers"
    ),
    _meter("Azure Database for MySQL", "Burstable", "B1ms", "1 Hour", "0.017", "24", "DBforMySQL/flexibleServers"),
    _meter("Redis Cache", "Standard", "C1 Cache", "1 Hour", "0.138", "24", "Cache/redis"),
    _meter(
        "Azure Kubernetes Service", "Uptime SLA", "Standard", "1 Hour", "0.1", "24", "ContainerService/managedClusters"
    ),
    _meter("Container Registry", "", "Standard Registry Unit", "1/Day", "0.6667", "1", "ContainerRegistry/registries"),
    _meter(
        "Container Instances", "Linux", "vCPU Duration", "1 Hour", "0.0486", "48", "ContainerInstance/containerGroups"
    ),
    _meter("Azure Container Apps", "", "Standard Requests", "1M", "0.4", "9", "App/containerApps"),
    _meter("Functions", "", "Standard Total Executions", "10", "0.0002", "90000", "Web/sites"),
    _meter("Logic Apps", "Consumption", "Standard Connector Actions", "1K", "0.125", "30", "Logic/workflows"),
    _meter("Service Bus", "Standard", "Messaging Operations", "1M", "0.8", "6", "ServiceBus/namespaces"),
    _meter("Event Hubs", "Standard", "Throughput Unit", "1 Hour", "0.03", "24", "EventHub/namespaces"),
    _meter("Event Grid", "", "Standard Event Operations", "100K", "0.06", "20", "EventGrid/topics"),
    _meter("API Management", "Basic", "Basic Unit", "1 Hour", "0.2055", "24", "ApiManagement/service"),
    _meter(
        "Application Gateway", "Standard v2", "Capacity Units", "1 Hour", "0.008", "72", "Network/applicationGateways"
    ),
    _meter("Load Balancer", "Standard", "Included LB Rules", "1 Hour", "0.025", "24", "Network/loadBalancers"),
    _meter("VPN Gateway", "", "VpnGw1", "1 Hour", "0.19", "24", "Network/virtualNetworkGateways"),
    _meter("ExpressRoute", "Metered", "Metered Data Out", "1 GB", "0.025", "400", "Network/expressRouteCircuits"),
    _meter("Azure Firewall", "Standard", "Deployment", "1 Hour", "1.25", "24", "Network/azureFirewalls"),
    _meter("Azure Bastion", "", "Basic Gateway", "1 Hour", "0.19", "24", "Network/bastionHosts"),
    _meter("Azure DNS", "", "Public Queries", "1M", "0.4", "3", "Network/dnszones"),
    _meter("Azure Front Door Service", "", "Outbound Data Transfer", "1 GB", "0.083", "80", "Cdn/profiles"),
    _meter("Traffic Manager", "", "DNS Queries", "1M", "0.54", "2", "Network/trafficManagerProfiles"),
    _meter("Backup", "", "Azure VM Protected Instances", "1/Month", "10", "0.0334", "RecoveryServices/vaults"),
    _meter("Azure Site Recovery", "", "VM Replicated to Azure", "1/Month", "25", "0.0334", "RecoveryServices/vaults"),
    _meter("Azure Monitor", "", "Metrics Queries", "1K", "0.01", "50", "Insights/components"),
    _meter("Microsoft Defender for Cloud", "Servers", "Plan 2 Node", "1 Hour", "0.02", "24", "Security/pricings"),
    _meter("Sentinel", "", "Pay-as-you-go Analysis", "1 GB", "4.3", "9", "OperationsManagement/solutions"),
    _meter("Azure Data Factory v2", "", "Cloud Orchestration Run", "1K", "1", "4", "DataFactory/factories"),
    _meter("Azure Synapse Analytics", "Serverless SQL", "Data Processed", "1 TB", "5", "1.5", "Synapse/workspaces"),
    _meter("Azure Databricks", "Premium", "All-purpose Compute DBU", "1 Hour", "0.55", "60", "Databricks/workspaces"),
    _meter("Azure Data Explorer", "", "Azure Data Explorer Markup", "1 Hour", "0.11", "48", "Kusto/clusters"),
    _meter("Stream Analytics", "", "Standard Streaming Unit", "1 Hour", "0.11", "24", "StreamAnalytics/streamingjobs"),
    _meter("Foundry Models", "GPT", "Input Tokens", "1K", "0.0025", "8000", "CognitiveServices/accounts"),
    _meter("Cognitive Search", "", "Standard S1 Unit", "1 Hour", "0.336", "24", "Search/searchServices"),
    _meter("Azure Machine Learning", "", "vCPU Usage", "1 Hour", "0.0001", "96", "MachineLearningServices/workspaces"),
    _meter("Azure Bot Service", "", "Premium Messages", "1K", "0.5", "20", "BotService/botServices"),
    _meter("IoT Hub", "Standard", "S1 Unit", "1/Day", "0.8333", "2", "Devices/IotHubs"),
    _meter("SignalR", "", "Standard Unit", "1/Day", "1.61", "3", "SignalRService/signalR"),
    _meter("Notification Hubs", "", "Basic Unit", "1/Month", "10", "0.0334", "NotificationHubs/namespaces"),
    _meter("Automation", "Process", "Basic Runtime", "1 Minute", "0.002", "500", "Automation/automationAccounts"),
    _meter(
        "Azure NetApp Files", "Standard", "Standard Capacity", "1 GiB/Hour", "0.0002", "24000", "NetApp/netAppAccounts"
    ),
)
