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

@description('Who is told when an export fails.')
@minLength(3)
param alertEmail string

@description('Assign PartnerBilling.Read.All here. It needs a right in the directory; docs/deploy.md has the other way.')
param assignGraphRole bool = true

@description('When the monthly timer fires (NCRONTAB of six fields, UTC).')
param exportSchedule string = '0 0 6 9 * *'

@description('What the monthly timer exports, comma-separated.')
param monthlyDatasets string = 'billedUsage'

@description('Where the app posts what ended; empty: nowhere.')
@secure()
param notifyWebhookUrl string = ''

@description('Memory of an instance in MB; the always-ready one is paid for around the clock.')
@allowed([
  512
  2048
  4096
])
param instanceMemoryMB int = 2048

@description('Most instances at once, the always-ready one included.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('The container that exports land in.')
@minLength(3)
@maxLength(63)
param landingContainerName string = 'landing'

@description('How often the landing account keeps each blob.')
@allowed([
  'Standard_LRS'
  'Standard_ZRS'
  'Standard_GRS'
  'Standard_GZRS'
])
param landingRedundancy string = 'Standard_LRS'

@description('For how many days what was deleted from the landing account can be restored.')
@minValue(7)
@maxValue(365)
param softDeleteDays int = 30

var token = uniqueString(subscription().id, environmentName, location)
var tags = { 'azd-env-name': environmentName }

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

module graphRole 'graph-role.bicep' = if (assignGraphRole) {
  name: 'graph-role'
  scope: group
  params: {
    principalId: identity.outputs.principalId
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

module landing 'landing.bicep' = {
  name: 'landing'
  scope: group
  params: {
    name: 'stland${token}'
    location: location
    tags: tags
    containerName: landingContainerName
    redundancy: landingRedundancy
    softDeleteDays: softDeleteDays
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
    landingUrl: landing.outputs.containerUrl
    exportSchedule: exportSchedule
    monthlyDatasets: monthlyDatasets
    notifyWebhookUrl: notifyWebhookUrl
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
  }
}

output AZURE_RESOURCE_GROUP string = group.name
output FUNCTION_APP_NAME string = app.outputs.name
output FUNCTION_APP_URL string = app.outputs.url
output IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId
output IDENTITY_CLIENT_ID string = identity.outputs.clientId
output LANDING_URL string = landing.outputs.containerUrl
output LOG_WORKSPACE_ID string = monitoring.outputs.workspaceCustomerId
