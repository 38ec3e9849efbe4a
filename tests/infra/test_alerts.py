"""Who is told when something fails on Azure."""

import json
import re

import pytest

import function_app
from catalog.datasets import DATASETS, Dataset
from catalog.export_request import ExportRequest
from catalog.run_ids import TABLE_ID
from http_start.watch import SIGN
from local.functions import index
from messages.names import MONTHLY_EXPORTS
from tests.infra.bicep import (
    ALERT,
    ROOT,
    Resource,
    all_of,
    app_settings,
    modules,
)

TABLE_IDS = [
    "table-G016907411",
    "tables-2026-10",
    "tables-2026-10:table:0123abcd",
    "billedUsage-G016907411-full:table:0123abcd",
    "monthly-2026-10:billedUsage-G016907411-full:table:0123abcd",
]


def _rule(name: str) -> Resource:
    (rule,) = (alert for alert in all_of(ALERT) if alert.config["name"].startswith(f"{name}-"))
    return rule


def _query(name: str) -> str:
    (criterion,) = _rule(name).properties["criteria"]["allOf"]
    return str(criterion["query"])


def _tells(name: str, line: str) -> bool:
    found = re.search(r'AppTraces\n *\| where SeverityLevel >= [23]\n.* matches regex @"(.*)"\n', _query(name))
    assert found
    return bool(re.search(found[1], line))


def test_what_rules_look_for_is_never_sampled_away() -> None:
    """The app's lines, and the host's records of what it ran."""
    host = json.loads((ROOT / "host.json").read_text())
    excluded = host["logging"]["applicationInsights"]["samplingSettings"]["excludedTypes"]
    assert {"Request", "Trace"} <= set(excluded.split(";"))


def test_a_failed_month_is_found_by_its_request_too() -> None:
    """A month may end without a line; an export that fails within it is tried again, and told with the month."""
    assert _query("month-failed").startswith("union\n")
    assert f'(AppRequests\n    | where Name == "{MONTHLY_EXPORTS}" and Success == false' in _query("month-failed")
    assert "AppRequests" not in _query("export-failed")


EVERY_FIELD = {"invoiceId": "G016907411", "currencyCode": "USD", "billingPeriod": "last", "attributeSet": "full"}


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=DATASETS)
def test_a_failed_export_is_told(dataset: Dataset) -> None:
    """The first rule sees a failed export of any data set, started by a call or by the monthly timer."""
    body = {field.name: EVERY_FIELD[field.name] for field in dataset.fields}
    export_id = ExportRequest.parse({"dataset": dataset.name, **body}).export_id
    line = f"partner.billing.export.failed {export_id}: Forbidden: Access denied."
    assert _tells("export-failed", line)
    assert not _tells("month-failed", line)


def test_a_failed_month_is_told() -> None:
    """The second rule sees a monthly run that failed, and the first does not."""
    for months in ("2026-10", "2026-01-to-2026-06"):
        line = f"partner.billing.export.failed monthly-{months}: NoInvoice: billedUsage-G016907411-full: none."
        assert _tells("month-failed", line)
        assert not _tells("export-failed", line)


@pytest.mark.parametrize("table_id", TABLE_IDS)
def test_a_failed_table_is_told(table_id: str) -> None:
    """The third rule sees a failed table, made by hand or within a run; it is a warning, as no export has failed."""
    assert TABLE_ID.fullmatch(table_id)
    line = f"partner.billing.table.failed {table_id}: NoRoom: The temporary folder has become full."
    assert _tells("table-failed", line)
    assert not _tells("export-failed", line)
    assert not _tells("month-failed", line)
    assert "SeverityLevel >= 2\n" in _query("table-failed")


@pytest.mark.parametrize("rule", ["export-failed", "month-failed", "table-failed"])
def test_what_did_not_fail_is_not_told(rule: str) -> None:
    """No rule is moved by other lines, by one that quotes a failure, or by that of an export within a month."""
    assert not _tells(rule, "partner.billing.export.succeeded billedUsage-G016907411-full: 200 blobs")
    assert not _tells(rule, "partner.billing.export.failed monthly-2026-10:billedUsage-G016907411-full: X: y")
    assert not _tells(rule, "Retried: partner.billing.export.failed billedUsage-G016907411-full: X: y")
    assert not _tells(rule, "Retried: partner.billing.table.failed table-G016907411: X: y")


def test_every_timer_that_fails_is_told() -> None:
    """One rule names each timer of the app: a failure before a run has started shows in the timer's own record only.

    A new timer is added to `timers` in infra/alerts.bicep.
    """
    timers = [timer.name for timer in index(function_app.app).timers]
    assert timers
    assert sorted(modules()["alerts"].variable("timers")) == sorted(timers)
    named = re.search(r"^AppRequests\n\| where Name in \((.*)\) and Success == false\n", _query("timer-failed"))
    assert named
    assert sorted(named[1].split(", ")) == sorted(f'"{timer}"' for timer in timers)


def test_alerts_reach_the_address() -> None:
    """The rules look at the app's workspace, fire at the first failure and write to the given address."""
    alerts = modules(alertEmail="operations@contoso.example")["alerts"]
    people = alerts.resource("Microsoft.Insights/actionGroups")
    assert people.properties["enabled"] is True
    assert [person["emailAddress"] for person in people.properties["emailReceivers"]] == ["operations@contoso.example"]
    assert len(people.properties["groupShortName"]) <= 12
    for alert in alerts.resources(ALERT):
        (criterion,) = alert.properties["criteria"]["allOf"]
        assert alert.properties["enabled"] is True
        assert alert.properties["actions"] == {"actionGroups": [f"{people.symbol}.id"]}
        assert alert.properties["scopes"] == [modules()["monitoring"].output("workspaceId")]
        assert criterion["timeAggregation"] == "Count"


def test_a_failure_is_told_once_even_if_its_log_is_late() -> None:
    """The window outlasts the interval and muting covers the window; Azure mutes no rule that resolves by itself."""
    for alert in all_of(ALERT):
        assert alert.properties["autoMitigate"] is False
        # It fires at what does not come; all others fire at what does.
        if alert.config["name"] != _rule("watch-silent").config["name"]:
            (criterion,) = alert.properties["criteria"]["allOf"]
            assert (criterion["operator"], criterion["threshold"]) == ("GreaterThan", 0)
            assert alert.properties["evaluationFrequency"] == "PT15M"
            assert alert.properties["windowSize"] == alert.properties["muteActionsDuration"] == "PT1H"


def test_a_watch_that_is_silent_is_told() -> None:
    """Less than one line in two days, the longest window that Azure takes, of a watch that fires every day."""
    (criterion,) = _rule("watch-silent").properties["criteria"]["allOf"]
    assert (criterion["operator"], criterion["threshold"]) == ("LessThan", 1)
    assert _rule("watch-silent").properties["windowSize"] == "P2D"
    assert criterion["query"] == f'AppTraces\n| where Message startswith "{SIGN} "\n'
    assert app_settings()["WATCH_SCHEDULE"].endswith(" * * *")
