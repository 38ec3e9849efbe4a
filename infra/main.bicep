// What is built? One resource group with the app and all that it needs.
targetScope = 'subscription'

@description('Name of the azd environment; every resource is named after it.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('Azure region; it must offer Flex Consumption (az functionapp list-flexconsumption-locations).')
@minLength(1)
@metadata({
  azd: {
    type: 'location'
  }
})
param location string

@description('Who gets a mail when an export fails.')
@minLength(3)
param alertEmail string

@description('Assign PartnerBilling.Read.All here. It needs a directory role; docs/deploy.md describes the alternative.')
param assignGraphRole bool = true

@description('The partner\'s tenant, if it is not the one that is deployed to; docs/deploy.md has the other steps.')
param graphTenantId string = ''

@description('The app registration that the app uses in that tenant.')
param graphClientId string = ''

@description('When the monthly timer fires (NCRONTAB of six fields, UTC).')
param exportSchedule string = '0 0 6 9 * *'

@description('What the monthly timer exports, comma-separated.')
param monthlyDatasets string = 'billedUsage,billedReconciliation'

@description('The currencies whose data is exported before it is billed, comma-separated; empty: none is.')
param unbilledCurrencies string = ''

@description('When data not yet billed is exported (NCRONTAB of six fields, UTC).')
param unbilledSchedule string = '0 0 5 * * *'

@description('What is exported of it, comma-separated.')
param unbilledDatasets string = 'unbilledUsage,unbilledReconciliation'

@description('Where the app posts notices of finished runs; empty: nowhere.')
@secure()
param notifyWebhookUrl string = ''

@description('The Python version that runs the app.')
@allowed([
  '3.11'
  '3.12'
  '3.13'
])
param pythonVersion string = '3.12'

@description('Memory of an instance in MB; the always-ready one is paid for around the clock.')
@allowed([
  512
  2048
  4096
])
param instanceMemoryMB int = 2048

@description('Maximum number of instances at once, including the always-ready one.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Your own container, as a URL (https://{account}.blob.core.windows.net/{container}[/prefix]); empty: one is built.')
param landingUrl string = ''

@description('The container that exports land in, if one is built.')
@minLength(3)
@maxLength(63)
param landingContainerName string = 'landing'

@description('How the landing account replicates each blob.')
@allowed([
  'Standard_LRS'
  'Standard_ZRS'
  'Standard_GRS'
  'Standard_GZRS'
])
param landingRedundancy string = 'Standard_LRS'

@description('How many days deleted blobs of the landing account can be restored.')
@minValue(7)
@maxValue(365)
param softDeleteDays int = 30

@description('Lock the landing account against deletion, also by azd down.')
param landingLock bool = true

@description('Log who read and who deleted blobs of the landing account.')
param landingAudit bool = true

var token = uniqueString(subscription().id, environmentName, location)
var tags = { 'azd-env-name': environmentName }
var landingAccountName = 'stland${token}'

// azd keeps outputs beside what was given: a URL of the account that is built here is no account of your own.
var landingIsBuilt = empty(landingUrl) || startsWith(landingUrl, 'https://${landingAccountName}.')

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: 'id-${token}'
    location: location
    tags: tags
  }
}

module hostStorage 'host-storage.bicep' = {
  name: 'host-storage'
  scope: group
  params: {
    name: 'sthost${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
  }
}

module landing 'landing.bicep' = if (landingIsBuilt) {
  name: 'landing'
  scope: group
  params: {
    name: landingAccountName
    location: location
    tags: tags
    containerName: landingContainerName
    redundancy: landingRedundancy
    softDeleteDays: softDeleteDays
    locked: landingLock
    audited: landingAudit
    workspaceId: monitoring.outputs.workspaceId
    principalId: identity.outputs.principalId
  }
}

module monitoring 'monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    suffix: token
    location: location
    tags: tags
    principalId: identity.outputs.principalId
  }
}

module alerts 'alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    suffix: token
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    email: alertEmail
  }
}

module app 'app.bicep' = {
  name: 'app'
  scope: group
  params: {
    name: 'func-${token}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    hostStorageName: hostStorage.outputs.name
    packageContainerUrl: hostStorage.outputs.packageContainerUrl
    insightsConnectionString: monitoring.outputs.insightsConnectionString
    landingUrl: landingIsBuilt ? landing!.outputs.containerUrl : landingUrl
    graphTenantId: graphTenantId
    graphClientId: graphClientId
    exportSchedule: exportSchedule
    monthlyDatasets: monthlyDatasets
    unbilledSchedule: unbilledSchedule
    unbilledDatasets: unbilledDatasets
    unbilledCurrencies: unbilledCurrencies
    notifyWebhookUrl: notifyWebhookUrl
    pythonVersion: pythonVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
  }
}

// Last of all: it takes a while until Microsoft Graph knows a new identity.
module graphRole 'graph-role.bicep' = if (assignGraphRole) {
  name: 'graph-role'
  scope: group
  params: {
    principalId: identity.outputs.principalId
  }
  dependsOn: [
    app
  ]
}

output AZURE_RESOURCE_GROUP string = group.name
output FUNCTION_APP_NAME string = app.outputs.name
output FUNCTION_APP_URL string = app.outputs.url
output IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId
output IDENTITY_CLIENT_ID string = identity.outputs.clientId
output LANDING_URL string = landingIsBuilt ? landing!.outputs.containerUrl : landingUrl
output LOG_WORKSPACE_ID string = monitoring.outputs.workspaceCustomerId
