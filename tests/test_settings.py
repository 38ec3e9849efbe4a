"""What was configured?"""

import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from settings import Settings, SettingsError, is_loopback

LANDING = "https://acme.blob.core.windows.net/billing"
TENANT = "0e195b37-4574-4539-bc42-0f6f2b1c7f0a"
CLIENT = "5f2f6fd4-5fc7-4bb3-9b27-9f1b6fb2c4de"
EMULATOR = "http://127.0.0.1:7072/v1.0"


def settings(**values: str) -> Settings:
    """Settings with a landing zone, and these values."""
    return Settings.from_mapping({"LANDING_URL": LANDING} | values)


def faults(**values: str) -> tuple[str, ...]:
    """The faults of settings with these values."""
    with pytest.raises(SettingsError) as caught:
        settings(**values)
    return caught.value.faults


DEFAULTS = {
    "graph_base_url": "https://graph.microsoft.com/v1.0",
    "partner_center_base_url": "https://api.partnercenter.microsoft.com",
    "landing_url": LANDING,
    "landing_connection_string": None,
    "source_host_suffixes": (".blob.core.windows.net", ".dfs.core.windows.net"),
    "graph_tenant_id": None,
    "graph_client_id": None,
    "graph_static_token": None,
    "copy_batch_size": 100,
    "copy_concurrency": 16,
    "copy_slice_seconds": 240.0,
    "poll_interval_seconds": 10.0,
    "poll_max_seconds": 300.0,
    "retry_seconds": 30.0,
    "export_attempts": 3,
    "export_deadline_hours": 24.0,
    "export_schedule": "0 0 6 9 * *",
    "monthly_datasets": ("billedUsage", "billedReconciliation"),
    "invoice_recheck_hours": 12.0,
    "invoice_wait_days": 10.0,
    "unbilled_schedule": "0 0 5 * * *",
    "unbilled_datasets": ("unbilledUsage", "unbilledReconciliation"),
    "unbilled_currencies": None,
    "keep_versions": 10,
    "watch_schedule": "0 30 6 * * *",
    "history_days": 90.0,
    "tables": True,
    "notify_webhook_url": None,
}

TEXTS = {
    "GRAPH_BASE_URL": EMULATOR,
    "PARTNER_CENTER_BASE_URL": "http://localhost:7072/",
    "LANDING_URL": "http://127.0.0.1:10000/landing/usage/prefix",
    "LANDING_CONNECTION_STRING": "AccountName=landing;AccountKey=a2V5",
    "SOURCE_HOST_SUFFIXES": " .Example.com, .blob.storage.azure.net ",
    "GRAPH_TENANT_ID": TENANT.upper(),
    "GRAPH_CLIENT_ID": CLIENT,
    "GRAPH_STATIC_TOKEN": "emulator-token",
    "COPY_BATCH_SIZE": "1",
    "COPY_CONCURRENCY": "2",
    "COPY_SLICE_SECONDS": "3",
    "POLL_INTERVAL_SECONDS": "0.25",
    "POLL_MAX_SECONDS": "0.5",
    "RETRY_SECONDS": "0.75",
    "EXPORT_ATTEMPTS": "4",
    "EXPORT_DEADLINE_HOURS": "0.5",
    "EXPORT_SCHEDULE": "0 30 5 10 * *",
    "MONTHLY_DATASETS": "billedReconciliation, billedUsage",
    "INVOICE_RECHECK_HOURS": "6",
    "INVOICE_WAIT_DAYS": "0",
    "UNBILLED_SCHEDULE": "0 0 4 * * 1",
    "UNBILLED_DATASETS": "unbilledReconciliation",
    "UNBILLED_CURRENCIES": "USD, EUR,USD",
    "KEEP_VERSIONS": "3",
    "WATCH_SCHEDULE": "0 0 7 * * *",
    "HISTORY_DAYS": "30",
    "TABLES": "OFF",
    "NOTIFY_WEBHOOK_URL": "https://prod.logic.azure.com/workflows/1?sig=s3cret",
}
GIVEN = {
    "graph_base_url": EMULATOR,
    "partner_center_base_url": "http://localhost:7072",
    "landing_url": "http://127.0.0.1:10000/landing/usage/prefix",
    "landing_connection_string": "AccountName=landing;AccountKey=a2V5",
    "source_host_suffixes": (".example.com", ".blob.storage.azure.net"),
    "graph_tenant_id": TENANT,
    "graph_client_id": CLIENT,
    "graph_static_token": "emulator-token",
    "copy_batch_size": 1,
    "copy_concurrency": 2,
    "copy_slice_seconds": 3.0,
    "poll_interval_seconds": 0.25,
    "poll_max_seconds": 0.5,
    "retry_seconds": 0.75,
    "export_attempts": 4,
    "export_deadline_hours": 0.5,
    "export_schedule": "0 30 5 10 * *",
    "monthly_datasets": ("billedReconciliation", "billedUsage"),
    "invoice_recheck_hours": 6.0,
    "invoice_wait_days": 0.0,
    "unbilled_schedule": "0 0 4 * * 1",
    "unbilled_datasets": ("unbilledReconciliation",),
    "unbilled_currencies": ("USD", "EUR"),
    "keep_versions": 3,
    "watch_schedule": "0 0 7 * * *",
    "history_days": 30.0,
    "tables": False,
    "notify_webhook_url": "https://prod.logic.azure.com/workflows/1?sig=s3cret",
}
"""What `TEXTS` are read as."""


def test_defaults() -> None:
    """Only LANDING_URL must be given; all else has the documented default."""
    assert asdict(settings()) == DEFAULTS


def test_every_setting_can_be_given() -> None:
    """Each app setting reaches the field of its name, cast to its type."""
    given = settings(**TEXTS)
    assert asdict(given) == GIVEN
    assert "s3cret" not in repr(given)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MONTHLY_DATASETS", "unbilledUsage"),
        ("MONTHLY_DATASETS", ","),
        ("INVOICE_RECHECK_HOURS", "0"),
        ("INVOICE_WAIT_DAYS", "32"),
        ("UNBILLED_DATASETS", "billedUsage"),
        ("UNBILLED_CURRENCIES", "usd"),
        ("UNBILLED_CURRENCIES", ","),
        ("KEEP_VERSIONS", "0"),
        ("WATCH_SCHEDULE", "daily"),
        ("HISTORY_DAYS", "0"),
        ("NOTIFY_WEBHOOK_URL", "http://hook.example/1"),
        ("NOTIFY_WEBHOOK_URL", "hook"),
        ("NOTIFY_WEBHOOK_URL", "https://hook.example/a\tb?key=1"),
    ],
)
def test_what_the_monthly_timer_cannot_use_is_refused(name: str, value: str) -> None:
    """Each fault is a sentence that begins with the setting's name."""
    (fault,) = faults(**{name: value})
    assert fault.startswith(f"{name} must")


def test_a_run_does_not_look_for_invoices_all_the_time() -> None:
    """So many looks as the history of one run has room for."""
    (fault,) = faults(INVOICE_RECHECK_HOURS="1", INVOICE_WAIT_DAYS="10")
    assert fault.startswith("INVOICE_RECHECK_HOURS is too short")
    assert settings(INVOICE_RECHECK_HOURS="0.001", INVOICE_WAIT_DAYS="0.001").invoice_wait_days == 0.001


@pytest.mark.parametrize("empty", ["", "  "])
def test_empty_is_unset(empty: str) -> None:
    """A setting left empty, as deployment templates do, has its default."""
    assert settings(COPY_BATCH_SIZE=empty, GRAPH_STATIC_TOKEN=empty, EXPORT_SCHEDULE=empty) == settings()


def test_empty_landing_url_is_missing() -> None:
    """A required setting that is empty is reported as missing."""
    assert faults(LANDING_URL=" ") == ("LANDING_URL is required.",)


def test_other_variables_are_ignored() -> None:
    """The environment holds much that is not ours."""
    assert settings(PATH="/bin", landing_url="nothing") == settings()


def test_all_faults_at_once() -> None:
    """One error names every setting that has to be mended, each in a sentence."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_mapping(
            {
                "GRAPH_BASE_URL": "graph.microsoft.com",
                "SOURCE_HOST_SUFFIXES": "core.windows.net",
                "COPY_BATCH_SIZE": "many",
                "COPY_CONCURRENCY": "0",
                "POLL_INTERVAL_SECONDS": "ten",
                "EXPORT_SCHEDULE": "monthly",
            }
        )
    assert [fault.split()[0] for fault in caught.value.faults] == [
        "GRAPH_BASE_URL",
        "LANDING_URL",
        "SOURCE_HOST_SUFFIXES",
        "COPY_BATCH_SIZE",
        "COPY_CONCURRENCY",
        "POLL_INTERVAL_SECONDS",
        "EXPORT_SCHEDULE",
    ]
    assert all(fault in str(caught.value) and fault.endswith(".") for fault in caught.value.faults)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("COPY_BATCH_SIZE", "0"),
        ("COPY_BATCH_SIZE", "1.5"),
        ("COPY_CONCURRENCY", "257"),
        ("COPY_SLICE_SECONDS", "541"),
        ("POLL_INTERVAL_SECONDS", "0"),
        ("POLL_MAX_SECONDS", "nan"),
        ("RETRY_SECONDS", "inf"),
        ("RETRY_SECONDS", "-1"),
        ("EXPORT_ATTEMPTS", "21"),
        ("EXPORT_DEADLINE_HOURS", "145"),
        ("EXPORT_SCHEDULE", "0 6 9 * *"),
        ("SOURCE_HOST_SUFFIXES", ","),
        ("SOURCE_HOST_SUFFIXES", ".com"),
        ("SOURCE_HOST_SUFFIXES", ".blob.core.windows.net,evil.example.com"),
    ],
)
def test_out_of_bounds(name: str, text: str) -> None:
    """A value that would stall, flood or open the app is refused by the name of its setting."""
    assert [fault.split()[0] for fault in faults(**{name: text})] == [name]


@pytest.mark.parametrize(
    "url",
    [
        "graph.microsoft.com/v1.0",
        "http://graph.microsoft.com/v1.0",
        "https:///v1.0",
        "https://graph.microsoft.com/v1.0?api=1",
        "https://graph.microsoft.com/v1.0#top",
        "https://user:password@graph.microsoft.com",
        "https://@graph.microsoft.com",
        "https://[graph",
        "https://graph.microsoft.com:port/v1.0",
        "https://graph.microsoft.com:0/v1.0",
        "ftp://127.0.0.1/",
    ],
)
@pytest.mark.parametrize("name", ["GRAPH_BASE_URL", "PARTNER_CENTER_BASE_URL"])
def test_refused_base_urls(name: str, url: str) -> None:
    """Tokens travel to these URLs: only https will do, or plain http on this machine."""
    (fault,) = faults(**{name: url})
    assert fault.startswith(f"{name} ")
    assert "password@" not in fault


@pytest.mark.parametrize(
    ("name", "url", "form"),
    [
        ("GRAPH_BASE_URL", "https://graph.microsoft.com", "/v1.0 or /beta"),
        ("GRAPH_BASE_URL", "https://graph.microsoft.com/v1", "/v1.0 or /beta"),
        ("GRAPH_BASE_URL", "https://graph.microsoft.com/V1.0", "/v1.0 or /beta"),
        ("GRAPH_BASE_URL", "https://graph.microsoft.com/v1.0/reports", "/v1.0 or /beta"),
        ("GRAPH_BASE_URL", "http://127.0.0.1:7072", "/v1.0 or /beta"),
        ("PARTNER_CENTER_BASE_URL", "https://api.partnercenter.microsoft.com/v1", "before /v1"),
        ("PARTNER_CENTER_BASE_URL", "https://api.partnercenter.microsoft.com/v1/invoices/", "before /v1"),
    ],
)
def test_base_urls_that_lead_nowhere(name: str, url: str, form: str) -> None:
    """What the app appends must come to Microsoft's path: else each request would be answered with 404."""
    (fault,) = faults(**{name: url})
    assert fault.startswith(f"{name} must end")
    assert form in fault


@pytest.mark.parametrize("url", ["https://graph.microsoft.com/beta/", EMULATOR, "http://[::1]:7072/v1.0"])
def test_accepted_base_urls(url: str) -> None:
    """Another version, an emulator, and a trailing slash are fine."""
    assert settings(GRAPH_BASE_URL=url).graph_base_url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "https://acme.blob.core.windows.net/billing",
        "https://acme.blob.core.windows.net/billing/pre%20fix/deeper",
        "https://127.0.0.1:10000/account/container",
        "file:///srv/landed",
        "file:///srv/with%20space",
    ],
)
def test_accepted_landing_urls(url: str) -> None:
    """A container, a prefix in it, or an absolute folder; a trailing slash changes nothing."""
    assert settings(LANDING_URL=url).landing_url == url
    assert settings(LANDING_URL=url + "/").landing_url == url


@pytest.mark.parametrize(
    "url",
    [
        "landed",
        "s3://bucket/prefix",
        "https://acme.blob.core.windows.net",
        "https://acme.blob.core.windows.net/",
        "https://acme.blob.core.windows.net/billing?sv=2025&sig=secret",
        "https://acme.blob.core.windows.net/billing/../other",
        "https://acme.blob.core.windows.net/billing/%2E%2E/other",
        "http://acme.blob.core.windows.net/billing",
        "http://127.0.0.1:10000/account",
        "file://server/share",
        "file:landed",
        "file:///",
        "file:///landed?version=1",
    ],
)
def test_refused_landing_urls(url: str) -> None:
    """Anything else is refused when the app starts, not when the first blob lands; no secret is quoted."""
    found = faults(LANDING_URL=url, LANDING_CONNECTION_STRING="AccountName=a;AccountKey=a2V5")
    assert [fault.split()[0] for fault in found] == ["LANDING_URL"]
    assert "secret" not in found[0]


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("https://acme.dfs.core.windows.net/billing/usage", "https://acme.blob.core.windows.net/billing/usage"),
        ("https://acme.z7.dfs.storage.azure.net/billing", "https://acme.z7.blob.storage.azure.net/billing"),
        ("https://acme.file.core.windows.net/share", "https://acme.blob.core.windows.net/share"),
        ("https://acme.queue.core.windows.net/q-1", "https://acme.blob.core.windows.net/q-1"),
        ("abfss://billing@acme.dfs.core.windows.net/usage", "https://acme.blob.core.windows.net/billing/usage"),
        ("abfs://billing@acme.dfs.core.windows.net", "https://acme.blob.core.windows.net/billing"),
        ("wasbs://billing@acme.blob.core.windows.net/a/b", "https://acme.blob.core.windows.net/billing/a/b"),
        ("az://billing/usage", "https://{account}.blob.core.windows.net/{container}"),
        ("https://acme.blob.core.windows.net", "https://{account}.blob.core.windows.net/{container}"),
        ("https://acme.blob.core.windows.net/Billing", "3 to 63 lower-case letters, digits and single hyphens"),
        ("https://acme.blob.core.windows.net/billing_usage", "3 to 63 lower-case letters, digits and single hyphens"),
        ("https://acme.blob.core.windows.net/b", "3 to 63 lower-case letters, digits and single hyphens"),
        ("https://acme.blob.core.windows.net/a--b", "3 to 63 lower-case letters, digits and single hyphens"),
        ("https://acme.blob.core.windows.net/$web/usage", "3 to 63 lower-case letters, digits and single hyphens"),
        ("https://acme.blob.core.windows.net/billing?sig=secret", "LANDING_CONNECTION_STRING"),
        ("http://127.0.0.1:10000/billing", "http://127.0.0.1:{port}/{account}/{container}"),
        ("/srv/landed", "file:///srv/landed"),
        ("landed", "file:///"),
        ("C:\\landed", "file:///"),
        ("file://srv/landed", "file:///"),
        ("DefaultEndpointsProtocol=https;AccountName=a;AccountKey=secret", "file:///"),
    ],
)
def test_a_landing_url_that_cannot_work_is_told_the_form_that_does(url: str, form: str) -> None:
    """It is most often a copy from another tool, which names the same place differently."""
    (fault,) = faults(LANDING_URL=url, LANDING_CONNECTION_STRING="AccountName=a;AccountKey=a2V5")
    assert fault.startswith("LANDING_URL must ")
    assert form in fault
    assert "secret" not in fault


@pytest.mark.parametrize("url", ["http://127.0.0.1:10000/account/container", "HTTP://localhost:10000/account/con"])
def test_http_landing_needs_connection_string(url: str) -> None:
    """An Entra token never goes over plain http: an emulated storage account needs its key."""
    (fault,) = faults(LANDING_URL=url)
    assert fault.startswith("LANDING_CONNECTION_STRING is required")


@pytest.mark.parametrize(
    ("given", "missing"),
    [({"GRAPH_TENANT_ID": TENANT}, "GRAPH_CLIENT_ID"), ({"GRAPH_CLIENT_ID": CLIENT}, "GRAPH_TENANT_ID")],
)
def test_a_partner_tenant_and_its_app_registration_belong_together(given: dict[str, str], missing: str) -> None:
    """One without the other would end in tokens of the wrong tenant."""
    (fault,) = faults(**given)
    assert fault.startswith(f"{missing} is required")


@pytest.mark.parametrize("name", ["GRAPH_TENANT_ID", "GRAPH_CLIENT_ID"])
@pytest.mark.parametrize("text", ["contoso.example", f"{TENANT}/", "common", f" {TENANT[:-1]}"])
def test_a_tenant_and_an_app_are_given_by_their_ids(name: str, text: str) -> None:
    """They become part of the URL that tokens are asked for at."""
    (fault,) = faults(**{name: text})
    assert fault.startswith(f"{name} must be an id")


def test_static_token_stays_on_this_machine() -> None:
    """A fixed token is taken for an emulator and refused for Microsoft's service, without quoting it."""
    assert settings(GRAPH_BASE_URL=EMULATOR, GRAPH_STATIC_TOKEN="t0ken").graph_static_token == "t0ken"
    (fault,) = faults(GRAPH_STATIC_TOKEN="t0ken")
    assert fault.startswith("GRAPH_STATIC_TOKEN")
    assert "t0ken" not in fault


def test_poll_interval_above_maximum() -> None:
    """A backoff that would begin above its cap is a contradiction."""
    (fault,) = faults(POLL_INTERVAL_SECONDS="10", POLL_MAX_SECONDS="9")
    assert "POLL_MAX_SECONDS" in fault
    assert "POLL_INTERVAL_SECONDS" in fault
    assert settings(POLL_INTERVAL_SECONDS="9", POLL_MAX_SECONDS="9").poll_max_seconds == 9


def test_repr_hides_secrets() -> None:
    """Settings that end up in a log or a traceback give neither token nor storage key away."""
    given = settings(
        GRAPH_BASE_URL=EMULATOR, GRAPH_STATIC_TOKEN="t0ken", LANDING_CONNECTION_STRING="AccountName=a;AccountKey=k3y"
    )
    assert "t0ken" not in repr(given)
    assert "k3y" not in repr(given)


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:7072/v1.0", True),
        ("http://localhost/v1.0", True),
        ("http://[::1]:1/beta", True),
        ("https://graph.microsoft.com/v1.0", False),
        ("https://localhost.example.com/v1.0", False),
        ("https://127.0.0.1.example.com/v1.0", False),
    ],
)
def test_loopback(url: str, loopback: bool) -> None:
    """Only this very machine counts as loopback, not a name that looks like it."""
    assert is_loopback(url) is loopback
    assert settings(GRAPH_BASE_URL=url).graph_is_loopback is loopback


IMPORT = """
import dataclasses, functools, os, typing, urllib.parse
class Untouched(dict):
    def _refuse(self, *_): raise AssertionError("the environment was read at import")
    __getitem__ = __iter__ = __contains__ = get = keys = items = _refuse
os.environ = Untouched()
import settings
"""

CONFIGURED = """
import os
from settings import SettingsError, configured
try:
    configured()
except SettingsError as error:
    print(*error.faults)
os.environ["LANDING_URL"] = "file:///first"
print(configured().landing_url)
os.environ["LANDING_URL"] = "file:///second"
print(configured().landing_url)
"""


def child(program: str) -> list[str]:
    """The lines that the program prints in a process of its own, without settings in its environment."""
    root = Path(__file__).parent.parent
    command = [sys.executable, "-W", "error", "-c", program]
    return subprocess.run(command, cwd=root, env={}, check=True, capture_output=True, text=True).stdout.splitlines()


def test_nothing_is_read_at_import() -> None:
    """Importing costs no look at the environment: a cold start pays only for what it uses."""
    assert child(IMPORT) == []


def test_environment_is_read_once() -> None:
    """A fault is not kept, so mended settings are seen; good settings are kept for the process."""
    assert child(CONFIGURED) == ["LANDING_URL is required.", "file:///first", "file:///first"]


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        ("SOURCE_HOST_SUFFIXES", ".com", "two dots"),
        ("SOURCE_HOST_SUFFIXES", "core.windows.net", "beginning with a dot"),
        ("NOTIFY_WEBHOOK_URL", "https://hook.example:0/1", "port from 1 to 65535"),
        ("NOTIFY_WEBHOOK_URL", "hook.example/1", "absolute URL"),
        ("NOTIFY_WEBHOOK_URL", "https://hook.example/ü", "ASCII"),
        ("GRAPH_BASE_URL", "graph.microsoft.com/v1.0", "absolute URL"),
        ("GRAPH_BASE_URL", "https://[graph/v1.0", "absolute URL"),
        ("LANDING_URL", "https://[acme/billing", "absolute URL"),
        ("NOTIFY_WEBHOOK_URL", "https://[hook/1", "absolute URL"),
        ("GRAPH_BASE_URL", "https://graph.microsoft.com/v1.0?x=1", "without query"),
    ],
)
def test_the_rule_that_is_broken_is_the_rule_that_is_told(name: str, text: str, rule: str) -> None:
    """A person sees what to change, not what is right already."""
    (fault,) = faults(**{name: text})
    assert rule in fault


def test_a_connection_string_without_key_is_refused() -> None:
    """What could not open the landing zone is said at the start, not by the first activity."""
    with pytest.raises(SettingsError, match="AccountKey"):
        Settings.from_mapping(
            {"LANDING_URL": "file:///landed", "LANDING_CONNECTION_STRING": "UseDevelopmentStorage=true"}
        )
