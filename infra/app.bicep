// What runs, and with which settings? A Flex Consumption plan, the function app, its app settings.
param name string
param location string
param tags object

@description('The user-assigned identity that runs the app.')
param identityId string
param identityClientId string

param hostStorageName string
param packageContainerUrl string
param insightsConnectionString string
param landingUrl string

@description('The partner\'s tenant, and the app registration used there; both empty: the identity itself, in its own tenant.')
param graphTenantId string
param graphClientId string

param exportSchedule string
param monthlyDatasets string
param unbilledSchedule string
param unbilledDatasets string
param unbilledCurrencies string
@secure()
param notifyWebhookUrl string

param pythonVersion string
param instanceMemoryMB int
param maximumInstanceCount int

// What the Functions host and the SDKs read. Flex Consumption takes runtime and version from functionAppConfig alone.
var hostSettings = {
  AzureWebJobsStorage__accountName: hostStorageName
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  AZURE_CLIENT_ID: identityClientId
  AZURE_FUNCTIONS_DURABLE_STRICT_TYPING: '1'
  // Every schedule is set, for without it the host would report an error: a timer that has nothing to do is disabled.
  'AzureWebJobs.start_unbilled_exports.Disabled': empty(unbilledCurrencies) ? 'true' : 'false'
}

// What the app itself reads: README.md says what each means. An empty value counts as not given.
var exportSettings = {
  GRAPH_BASE_URL: 'https://graph.microsoft.com/v1.0'
  PARTNER_CENTER_BASE_URL: 'https://api.partnercenter.microsoft.com'
  LANDING_URL: landingUrl
  #disable-next-line no-hardcoded-env-urls
  SOURCE_HOST_SUFFIXES: '.blob.core.windows.net,.dfs.core.windows.net'
  GRAPH_TENANT_ID: graphTenantId
  GRAPH_CLIENT_ID: graphClientId
  COPY_BATCH_SIZE: '100'
  COPY_CONCURRENCY: '16'
  COPY_SLICE_SECONDS: '240'
  POLL_INTERVAL_SECONDS: '10'
  POLL_MAX_SECONDS: '300'
  RETRY_SECONDS: '30'
  EXPORT_ATTEMPTS: '3'
  EXPORT_DEADLINE_HOURS: '24'
  EXPORT_SCHEDULE: exportSchedule
  MONTHLY_DATASETS: monthlyDatasets
  INVOICE_RECHECK_HOURS: '12'
  INVOICE_WAIT_DAYS: '10'
  UNBILLED_SCHEDULE: unbilledSchedule
  UNBILLED_DATASETS: unbilledDatasets
  UNBILLED_CURRENCIES: unbilledCurrencies
  KEEP_VERSIONS: '10'
  WATCH_SCHEDULE: '0 30 6 * * *'
  HISTORY_DAYS: '90'
  TABLES: 'on'
  NOTIFY_WEBHOOK_URL: notifyWebhookUrl
}

resource plan 'Microsoft.Web/serverfarms@2025-05-01' = {
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    tier: 'FlexConsumption'
    name: 'FC1'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2025-05-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'exports' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    siteConfig: {
      minTlsVersion: '1.2'
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: pythonVersion
      }
      scaleAndConcurrency: {
        alwaysReady: [
          {
            // It watches Durable's queues and timers, so that no step of an export waits for a cold start.
            name: 'durable'
            instanceCount: 1
          }
        ]
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
      }
    }
  }
}

resource settings 'Microsoft.Web/sites/config@2025-05-01' = {
  parent: app
  name: 'appsettings'
  properties: union(hostSettings, exportSettings)
}

// Deployments sign in with Entra: user names and passwords for publishing are off.
resource noScmPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-05-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
  // One change of the site at a time.
  dependsOn: [
    settings
  ]
}

resource noFtpPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-05-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
  dependsOn: [
    noScmPassword
  ]
}

output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
