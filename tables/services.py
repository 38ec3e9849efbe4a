"""Which service does a line belong to, and which of FOCUS's categories does that have?

A service is found by the type of the resource, or by the name of the meter's category or of the product, which is the
service's own name or one of those in quotes. FOCUS wants one category for a service.

Source of the categories: https://focus.finops.org/focus-specification/v1-2/ (ServiceSubcategory). Which service has
which is our choice.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Service:
    """A service, and by what it is known: resource types and names, in lower case."""

    category: str
    subcategory: str
    name: str
    resource_types: tuple[str, ...]
    names: tuple[str, ...]


_LIST = """
# Compute: Virtual Machines
Virtual Machines: compute/virtualmachines compute/virtualmachinescalesets classiccompute/virtualmachines
    "Virtual Machines Licenses"
Azure Dedicated Host: compute/hostgroups compute/hosts
Azure VMware Solution: avs/privateclouds
Azure Compute Gallery: compute/galleries compute/images
Azure Spot Placement: compute/placementscores
Azure Cloud Services: classiccompute/domainnames compute/cloudservices "Cloud Services"
Azure Batch: batch/batchaccounts "Batch"
Azure Baremetal Infrastructure: baremetalinfrastructure/baremetalinstances
Azure Arc Servers: hybridcompute/machines
Azure Stack HCI: azurestackhci/clusters "Azure Local"
# Compute: Containers
Azure Kubernetes Service: containerservice/managedclusters containerservice/fleets kubernetes/connectedclusters
Container Registry: containerregistry/registries
Container Instances: containerinstance/containergroups
Azure Container Apps: app/containerapps app/managedenvironments app/jobs
Azure Red Hat OpenShift: redhatopenshift/openshiftclusters
Azure Service Fabric: servicefabric/clusters servicefabric/managedclusters
Azure Spring Apps: appplatform/spring
# Compute: Serverless Compute
Functions: web/functionapps "Azure Functions"
# Compute: End User Computing
Azure Virtual Desktop: desktopvirtualization/hostpools desktopvirtualization/applicationgroups
    desktopvirtualization/workspaces
Windows 365: "Windows 365 Enterprise" "Windows 365 Business"
Azure Lab Services: labservices/labs labservices/labplans
# Compute: Quantum Compute
Azure Quantum: quantum/workspaces
# Storage: Object Storage
Storage: storage/storageaccounts classicstorage/storageaccounts "Storage Accounts" "Blob Storage"
Azure Data Lake: datalakestore/accounts "Data Lake Store"
# Storage: Block Storage
Managed Disks: compute/disks compute/snapshots
Azure Elastic SAN: elasticsan/elasticsans
# Storage: File Storage
Azure NetApp Files: netapp/netappaccounts
Azure Managed Lustre: storagecache/amlfilesystems
Azure HPC Cache: storagecache/caches
Azure File Sync: storagesync/storagesyncservices
# Storage: Backup Storage
Backup: recoveryservices/vaults dataprotection/backupvaults "Azure Backup"
# Storage: Storage Platforms
Azure Data Box: databox/jobs databoxedge/databoxedgedevices
Azure Storage Mover: storagemover/storagemovers
# Databases: Relational Databases
SQL Database: sql/servers sql/instancepools "Azure SQL Database"
SQL Managed Instance: sql/managedinstances
SQL Server on Virtual Machines: sqlvirtualmachine/sqlvirtualmachines
Azure Database for PostgreSQL: dbforpostgresql/servers dbforpostgresql/flexibleservers
    dbforpostgresql/servergroupsv2
Azure Database for MySQL: dbformysql/servers dbformysql/flexibleservers
Azure Database for MariaDB: dbformariadb/servers
Oracle Database at Azure: oracle.database/cloudexadatainfrastructures oracle.database/autonomousdatabases
# Databases: NoSQL Databases
Azure Cosmos DB: documentdb/databaseaccounts documentdb/mongoclusters documentdb/cassandraclusters
# Databases: Caching
Redis Cache: cache/redis cache/redisenterprise "Azure Cache for Redis" "Azure Managed Redis"
# Databases: Ledger Databases
Azure Confidential Ledger: confidentialledger/ledgers
# Databases: Time Series Databases
Azure Data Explorer: kusto/clusters
# Analytics: Analytics Platforms
Azure Synapse Analytics: synapse/workspaces synapse/privatelinkhubs
Azure Databricks: databricks/workspaces databricks/accessconnectors
Microsoft Fabric: fabric/capacities
Azure HDInsight: hdinsight/clusters "HDInsight"
Log Analytics: operationalinsights/workspaces operationalinsights/clusters
# Analytics: Business Intelligence
Power BI: powerbidedicated/capacities "Power BI Embedded" "Power BI Pro" "Power BI Premium"
Azure Analysis Services: analysisservices/servers
# Analytics: Data Processing
Azure Data Factory: datafactory/factories "Azure Data Factory v2"
Azure Data Share: datashare/accounts
# Analytics: Search
Cognitive Search: search/searchservices "Azure AI Search"
# Analytics: Streaming Analytics
Stream Analytics: streamanalytics/streamingjobs streamanalytics/clusters
Event Hubs: eventhub/namespaces eventhub/clusters
# AI and Machine Learning: Generative AI
Foundry Models: "Azure OpenAI" "Azure OpenAI Service"
# AI and Machine Learning: AI Platforms
Azure AI Services: cognitiveservices/accounts "Cognitive Services" "Foundry Tools"
# AI and Machine Learning: Machine Learning
Azure Machine Learning: machinelearningservices/workspaces machinelearningservices/registries
# AI and Machine Learning: Bots
Azure Bot Service: botservice/botservices
Health Bot: healthbot/healthbots
Copilot Studio: "Microsoft Copilot Studio"
# Networking: Network Infrastructure
Virtual Network: network/virtualnetworks network/publicipaddresses network/publicipprefixes
    network/networkinterfaces network/natgateways network/privateendpoints "NAT Gateway" "IP Addresses"
Bandwidth: "Data Transfer" "Rtn Preference: MGN"
# Networking: Network Connectivity
VPN Gateway: network/virtualnetworkgateways network/connections network/vpngateways
ExpressRoute: network/expressroutecircuits network/expressroutegateways network/expressrouteports
Virtual WAN: network/virtualwans network/virtualhubs network/vpnsites
Azure Bastion: network/bastionhosts
Private Link: network/privatelinkservices "Azure Private Link"
Azure Peering Service: peering/peerings
# Networking: Network Routing
Load Balancer: network/loadbalancers
Traffic Manager: network/trafficmanagerprofiles
Azure DNS: network/dnszones network/privatednszones network/dnsresolvers
Azure Route Server: network/routeservers
# Networking: Application Networking
Application Gateway: network/applicationgateways servicenetworking/trafficcontrollers
# Networking: Content Delivery
Azure Front Door Service: cdn/profiles network/frontdoors "Content Delivery Network" "Azure Front Door"
# Networking: Network Security
Azure Firewall: network/azurefirewalls network/firewallpolicies
Azure DDoS Protection: network/ddosprotectionplans
Web Application Firewall: network/applicationgatewaywebapplicationfirewallpolicies
    network/frontdoorwebapplicationfirewallpolicies
Network Watcher: network/networkwatchers
# Web: Application Platforms
Azure App Service: web/sites web/serverfarms web/hostingenvironments
Azure Static Web Apps: web/staticsites
SignalR: signalrservice/signalr signalrservice/webpubsub "SignalR Service" "Web PubSub"
Azure Maps: maps/accounts
App Service Domains: domainregistration/domains
App Service Certificates: certificateregistration/certificateorders
# Mobile: Other (Mobile)
Notification Hubs: notificationhubs/namespaces
Azure Communication Services: communication/communicationservices
# Integration: API Management
API Management: apimanagement/service apicenter/services
# Integration: Messaging
Service Bus: servicebus/namespaces
Event Grid: eventgrid/topics eventgrid/domains eventgrid/systemtopics eventgrid/namespaces
Azure Relay: relay/namespaces
# Integration: Workflow Orchestration
Logic Apps: logic/workflows logic/integrationaccounts
Power Automate: "Microsoft Power Automate"
Azure Data Manager for Energy: openenergyplatform/energyservices
# Internet of Things: IoT Platforms
IoT Hub: devices/iothubs devices/provisioningservices
IoT Central: iotcentral/iotapps
Azure Digital Twins: digitaltwins/digitaltwinsinstances
Azure IoT Operations: iotoperations/instances
# Internet of Things: IoT Analytics
Azure Time Series Insights: timeseriesinsights/environments
# Security: Secret Management
Key Vault: keyvault/vaults keyvault/managedhsms
Azure Dedicated HSM: hardwaresecuritymodules/dedicatedhsms
# Security: Security Posture Management
Microsoft Defender for Cloud: security/pricings security/automations "Advanced Threat Protection"
    "Azure Defender"
Microsoft Purview: purview/accounts
# Security: Threat Detection and Response
Sentinel: operationsmanagement/solutions securityinsights/workspaces "Microsoft Sentinel" "Azure Sentinel"
Microsoft Security Copilot: securitycopilot/capacities
Microsoft Defender: "Microsoft Defender for Endpoint" "Microsoft Defender for Business"
    "Microsoft Defender for Office 365"
# Security: Other (Security)
Azure Attestation: attestation/attestationproviders
# Identity: Identity and Access Management
Microsoft Entra ID: azureactivedirectory/b2cdirectories "Azure Active Directory"
    "Azure Active Directory for External Identities"
Microsoft Entra Domain Services: aad/domainservices
Managed Identities: managedidentity/userassignedidentities
Enterprise Mobility + Security: "Enterprise Mobility + Security E3" "Enterprise Mobility + Security E5"
# Management and Governance: Observability
Azure Monitor: insights/components insights/metricalerts insights/activitylogalerts insights/scheduledqueryrules
    monitor/accounts "Application Insights"
Azure Managed Grafana: dashboard/grafana
Network Performance Monitor: network/connectionmonitors
# Management and Governance: Disaster Recovery
Azure Site Recovery: recoveryservices/replicationvaults
# Management and Governance: Compliance
Azure Policy: policyinsights/remediations
# Management and Governance: Cost Management
Cost Management: costmanagement/exports
# Management and Governance: Architecture
Azure Advisor: advisor/recommendations
Azure Managed Applications: solutions/applications
Azure Blueprints: blueprint/blueprints
# Management and Governance: Endpoint Management
Microsoft Intune: "Intune" "Microsoft Intune Suite"
# Management and Governance: Support
Azure Support: support/supporttickets
# Management and Governance: Other (Management and Governance)
Automation: automation/automationaccounts "Azure Automation"
Azure Update Manager: maintenance/maintenanceconfigurations
Azure Lighthouse: managedservices/registrationassignments
Azure Arc: azurearcdata/sqlserverinstances azurearcdata/datacontrollers
# Developer Tools: Developer Platforms
Azure DevOps: visualstudio/account devops/organizations "GitHub"
Visual Studio: "Visual Studio Subscription" "Visual Studio Professional" "Visual Studio Enterprise"
Azure App Configuration: appconfiguration/configurationstores
Microsoft Dev Box: devcenter/devcenters devcenter/projects
Power Apps: "Microsoft Power Apps" "Power Apps Premium"
# Developer Tools: Development Environments
Azure DevTest Labs: devtestlab/labs
# Developer Tools: Quality Assurance
Azure Load Testing: loadtestservice/loadtests
Azure Chaos Studio: chaos/experiments
Azure Playwright Testing: azureplaywrightservice/accounts
# Media: Media Streaming
Media Services: media/mediaservices
Azure AI Video Indexer: videoindexer/accounts
# Media: Gaming
PlayFab: playfab/titles
# Media: Mixed Reality
Spatial Anchors: mixedreality/spatialanchorsaccounts
Remote Rendering: mixedreality/remoterenderingaccounts
# Migration: Resource Migration
Azure Migrate: migrate/migrateprojects migrate/assessmentprojects
# Migration: Data Migration
Database Migration Service: datamigration/services datamigration/sqlmigrationservices
# Multicloud: Multicloud Integration
Multicloud Connector: hybridconnectivity/publiccloudconnectors
# Business Applications: Productivity and Collaboration
Microsoft 365: "Microsoft 365 Business Basic" "Microsoft 365 Business Standard" "Microsoft 365 Business Premium"
    "Microsoft 365 Apps for business" "Microsoft 365 Apps for enterprise" "Microsoft 365 E3" "Microsoft 365 E5"
    "Microsoft 365 F1" "Microsoft 365 F3" "Microsoft 365 Copilot" "Office 365 E1" "Office 365 E3"
    "Office 365 E5" "Office 365 F3"
Exchange Online: "Exchange Online Kiosk" "Exchange Online Archiving"
SharePoint: "SharePoint Online"
Microsoft Teams: "Microsoft Teams Essentials" "Microsoft Teams Premium" "Microsoft Teams Phone Standard"
    "Microsoft Teams Rooms Pro"
Planner and Project: "Project" "Planner"
Visio: "Visio Plan 1" "Visio Plan 2"
OneDrive: "OneDrive for business"
Microsoft Viva: "Microsoft Viva Suite"
# Business Applications: Other (Business Applications)
Dynamics 365: "Dynamics 365 Sales" "Dynamics 365 Sales Enterprise" "Dynamics 365 Sales Professional"
    "Dynamics 365 Business Central" "Dynamics 365 Business Central Essentials"
    "Dynamics 365 Business Central Premium" "Dynamics 365 Customer Service" "Dynamics 365 Finance"
    "Dynamics 365 Supply Chain Management" "Dynamics 365 Field Service" "Dynamics 365 Human Resources"
Microsoft Dataverse: "Dataverse"
"""


def _services() -> Iterator[Service]:
    category = subcategory = ""
    for line in _LIST.strip().replace("\n    ", " ").splitlines():
        if line.startswith("# "):
            category, _, subcategory = line.removeprefix("# ").partition(": ")
            continue
        name, _, keys = line.partition(": ")
        types = (_resource_type(key) for key in re.sub('"[^"]*"', "", keys).split())
        names = (known.lower() for known in (name, *re.findall('"([^"]*)"', keys)))
        yield Service(category, subcategory, name, tuple(types), tuple(names))


def _resource_type(key: str) -> str:
    return key if "." in key else f"microsoft.{key}"


SERVICES = tuple(_services())
