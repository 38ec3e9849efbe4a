// Who is told when an export, a month or a table fails? Rules over the app's log, one action group with one address.
param suffix string
param location string
param tags object

@description('The Log Analytics workspace that the app writes to.')
param workspaceId string

@description('Who gets the mails.')
param email string

// The app's own line, which host.json never samples away. The host's record of a run that failed would also tell of an
// export that its month tries again.
var failedExports = '''
AppTraces
| where SeverityLevel >= 3
| where Message matches regex @"^partner\.billing\.export\.failed (un)?billed[A-Za-z]+(-[A-Za-z0-9]+)+: "
| project TimeGenerated, OperationId, What = Message
'''

// A month that has failed is over: there the host's record tells as well, even of one that ended without a line.
var failedMonths = '''
union
  (AppTraces
    | where SeverityLevel >= 3
    | where Message matches regex @"^partner\.billing\.export\.failed monthly-[0-9]{4}-[0-9]{2}(-to-[0-9]{4}-[0-9]{2})?: "
    | project TimeGenerated, OperationId, What = Message),
  (AppRequests
    | where Name == "monthly_exports" and Success == false
    | project TimeGenerated, OperationId, What = "monthly_exports failed")
'''

// A table fails without its export: a warning, whichever run it was made in.
var failedTables = '''
AppTraces
| where SeverityLevel >= 2
| where Message matches regex @"^partner\.billing\.table\.failed "
| project TimeGenerated, OperationId, What = Message
'''

// Every timer of the app: what fails before it has started a run shows nowhere else.
var timers = [
  'start_monthly_exports'
  'start_unbilled_exports'
  'watch_months'
]
var timerNames = join(timers, '", "')
var failedTimers = '''
AppRequests
| where Name in ("{0}") and Success == false
| project TimeGenerated, OperationId, What = Name
'''

// The one line a day that says that timers fire at all.
var watched = '''
AppTraces
| where Message startswith "partner.billing.watch "
'''

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${suffix}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'BilledUsage'
    enabled: true
    emailReceivers: [
      {
        name: 'operators'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

// The window is longer than the interval, since logs arrive late; muting keeps one failure from being told four times.
var failed = {
  every: 'PT15M'
  window: 'PT1H'
  mute: 'PT1H'
  operator: 'GreaterThan'
  threshold: 0
}

// Two days, the longest window there is: the line of one day may come a little later than that of the day before.
var silent = {
  every: 'PT6H'
  window: 'P2D'
  mute: 'P1D'
  operator: 'LessThan'
  threshold: 1
}

var rules = [
  {
    name: 'export-failed'
    displayName: 'An export failed'
    description: 'An export of billed usage ended as failed. docs/failures.md says what its code asks for.'
    query: failedExports
    when: failed
  }
  {
    name: 'month-failed'
    displayName: 'An expected invoice was not exported'
    description: 'The monthly run ended as failed: an invoice was not issued, or could not be exported.'
    query: failedMonths
    when: failed
  }
  {
    name: 'table-failed'
    displayName: 'A table could not be made'
    description: 'What landed is whole, but the table of an invoice is missing or old. docs/failures.md says what its code asks for.'
    query: failedTables
    when: failed
  }
  {
    name: 'timer-failed'
    displayName: 'A timer failed'
    description: 'A timer of the app fired and failed before it could start its run: the settings, or the storage of the host.'
    query: format(failedTimers, timerNames)
    when: failed
  }
  {
    name: 'watch-silent'
    displayName: 'The daily watch is silent'
    description: 'No sign of the daily watch in two days: the app is stopped, cannot start, or its timers do not fire.'
    query: watched
    when: silent
  }
]

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for rule in rules: {
  name: '${rule.name}-${suffix}'
  location: location
  tags: tags
  properties: {
    displayName: rule.displayName
    description: rule.description
    enabled: true
    severity: 1
    scopes: [
      workspaceId
    ]
    evaluationFrequency: rule.when.every
    windowSize: rule.when.window
    muteActionsDuration: rule.when.mute
    autoMitigate: false
    // A new workspace has no tables yet, against which the query could be checked.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: rule.query
          timeAggregation: 'Count'
          operator: rule.when.operator
          threshold: rule.when.threshold
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    actions: {
      actionGroups: [
        people.id
      ]
    }
  }
}]
