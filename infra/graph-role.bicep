// May the app read the partner's billing? The application role PartnerBilling.Read.All of Microsoft Graph, consented to.
extension microsoftGraphV1

@description('Object id of the service principal that gets the role.')
param principalId string

var partnerBillingReadAll = '7c3e1994-38ff-4412-a99b-9369f6bb7706'

resource graph 'Microsoft.Graph/servicePrincipals@v1.0' existing = {
  appId: '00000003-0000-0000-c000-000000000000'
}

resource mayReadBilling 'Microsoft.Graph/appRoleAssignedTo@v1.0' = {
  appRoleId: partnerBillingReadAll
  principalId: principalId
  resourceId: graph.id
}
