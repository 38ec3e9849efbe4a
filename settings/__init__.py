"""What was configured? One frozen settings class, read from a mapping of app settings (environment variables).

Nothing is read at import: `configured` reads the process's environment once, when it is first needed.
"""

import functools
import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit

from catalog.datasets import CURRENCY, INVOICE_DATASETS, UNBILLED_DATASETS
from settings import urls
from settings.urls import is_loopback

__all__ = ["GUID", "MOST_LOOKS", "SCHEDULES", "Settings", "SettingsError", "configured", "is_loopback"]

MOST_LOOKS = 60
"""Looks at one month, each of which exports again what has not landed."""

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class SettingsError(ValueError):
    """The app settings cannot be used. `faults` holds one sentence for every fault found, each naming its setting."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("The app settings cannot be used: " + " ".join(faults))
        self.faults = tuple(faults)


def _guid(text: str) -> str:
    if not GUID.fullmatch(text):
        raise ValueError("must be an id of the form 00000000-0000-0000-0000-000000000000")
    return text.lower()


def _storage_key(text: str) -> str:
    names = {part.split("=", 1)[0].strip().lower() for part in text.split(";")}
    if not ({"accountname", "accountkey"} <= names or "sharedaccesssignature" in names):
        raise ValueError("must contain AccountName and AccountKey, or SharedAccessSignature")
    return text


def _host_suffixes(text: str) -> tuple[str, ...]:
    suffixes = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    if not suffixes or not all(suffix.startswith(".") and suffix.count(".") > 1 for suffix in suffixes):
        raise ValueError(
            "must be a comma-separated list of host suffixes, each beginning with a dot and with two dots at least"
        )
    return suffixes


def _schedule(text: str) -> str:
    if len(text.split()) != 6:
        raise ValueError("must be an NCRONTAB expression of six fields")
    return text


def _listed(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _some_of(known: Collection[str]) -> Callable[[str], tuple[str, ...]]:
    def read(text: str) -> tuple[str, ...]:
        names = _listed(text)
        if not names or not set(names) <= set(known):
            raise ValueError(f"must be a comma-separated list of {', '.join(known)}")
        return names

    return read


def _currencies(text: str) -> tuple[str, ...]:
    codes = _listed(text)
    if not codes or not all(re.fullmatch(CURRENCY.pattern, code) for code in codes):
        raise ValueError("must be a comma-separated list of ISO 4217 codes, three upper-case letters each")
    return codes


def _on_or_off(text: str) -> bool:
    if text.lower() not in {"on", "off"}:
        raise ValueError("must be on or off")
    return text.lower() == "on"


def _between(least: float, most: float, cast: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        kind = "a whole number" if cast is int else "a number"
        try:
            number = cast(text)
        except ValueError:
            raise ValueError(f"must be {kind}") from None
        if not least <= number <= most:
            raise ValueError(f"must be {kind} from {least:g} to {most:g}")
        return number

    return read


def _setting(
    read: Callable[[str], Any], default: str | None = None, *, required: bool = False, secret: bool = False
) -> Any:
    return field(repr=not secret, metadata={"read": read, "default": default, "required": required})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The app's settings; each field stands for the app setting of the same name in upper case.

    Durations are seconds, but where a name says hours or days. README holds the meaning of each. `repr` leaves out
    secrets.
    """

    graph_base_url: str = _setting(urls.graph_base_url, "https://graph.microsoft.com/v1.0")
    partner_center_base_url: str = _setting(urls.partner_center_base_url, "https://api.partnercenter.microsoft.com")
    landing_url: str = _setting(urls.landing_url, required=True)
    landing_connection_string: str | None = _setting(_storage_key, secret=True)
    source_host_suffixes: tuple[str, ...] = _setting(_host_suffixes, ".blob.core.windows.net,.dfs.core.windows.net")
    graph_tenant_id: str | None = _setting(_guid)
    graph_client_id: str | None = _setting(_guid)
    graph_static_token: str | None = _setting(str, secret=True)
    copy_batch_size: int = _setting(_between(1, 1_000_000, int), "100")
    # Measured once with 512 blobs of 256 KiB, on two cores: 4, 8 and 32 at once took as long as 16, within 4 %.
    copy_concurrency: int = _setting(_between(1, 256, int), "16")
    copy_slice_seconds: float = _setting(_between(1, 300, float), "240")
    poll_interval_seconds: float = _setting(_between(0.01, 3600, float), "10")
    poll_max_seconds: float = _setting(_between(0.01, 86_400, float), "300")
    retry_seconds: float = _setting(_between(0.01, 900, float), "30")
    export_attempts: int = _setting(_between(1, 20, int), "3")
    export_deadline_hours: float = _setting(_between(0.001, 144, float), "24")
    export_schedule: str = _setting(_schedule, "0 0 6 9 * *")
    monthly_datasets: tuple[str, ...] = _setting(_some_of(INVOICE_DATASETS), "billedUsage,billedReconciliation")
    invoice_recheck_hours: float = _setting(_between(0.001, 120, float), "12")
    invoice_wait_days: float = _setting(_between(0, 27, float), "10")
    unbilled_schedule: str = _setting(_schedule, "0 0 5 * * *")
    unbilled_datasets: tuple[str, ...] = _setting(_some_of(UNBILLED_DATASETS), ",".join(UNBILLED_DATASETS))
    unbilled_currencies: tuple[str, ...] | None = _setting(_currencies)
    keep_versions: int = _setting(_between(1, 10_000, int), "10")
    watch_schedule: str = _setting(_schedule, "0 30 6 * * *")
    history_days: float = _setting(_between(1, 3650, float), "90")
    tables: bool = _setting(_on_or_off, "on")
    notify_webhook_url: str | None = _setting(urls.webhook_url, secret=True)

    @classmethod
    def from_mapping(cls, values: Mapping[str, str]) -> "Settings":
        """The settings that the mapping gives; an empty value counts as not given.

        Raises:
            SettingsError: with every fault, when a required setting is missing or one cannot be used.
        """
        read: dict[str, Any] = {}
        faults: list[str] = []
        for setting in fields(cls):
            name = setting.name.upper()
            text = values.get(name, "").strip() or setting.metadata["default"]
            try:
                if text is None and setting.metadata["required"]:
                    raise ValueError("is required")
                read[setting.name] = None if text is None else setting.metadata["read"](text)
            except ValueError as fault:
                faults.append(f"{name} {fault}.")
        faults += _contradictions(read)
        if faults:
            raise SettingsError(faults)
        return cls(**read)

    @property
    def lists_invoices(self) -> bool:
        """Whether Partner Center's list is about what Graph exports: the real one knows no emulator's invoices."""
        return not self.graph_is_loopback or is_loopback(self.partner_center_base_url)

    @property
    def graph_is_loopback(self) -> bool:
        """Whether the billing API is an emulator on this machine, for which loopback source blobs are allowed."""
        return is_loopback(self.graph_base_url)


SCHEDULES = tuple(setting.name.upper() for setting in fields(Settings) if setting.metadata["read"] is _schedule)
"""The settings that are schedules: on Azure the Functions host reads them by itself."""


def _contradictions(read: Mapping[str, Any]) -> list[str]:
    faults = []
    graph_base_url = read.get("graph_base_url")
    if read.get("graph_static_token") and graph_base_url and not is_loopback(graph_base_url):
        faults.append("GRAPH_STATIC_TOKEN is for emulators: it is refused unless GRAPH_BASE_URL is loopback.")
    partner = {name.upper(): read[name] for name in ("graph_tenant_id", "graph_client_id") if name in read}
    if len(partner) == 2 and any(partner.values()) and not all(partner.values()):
        (missing,) = (name for name, value in partner.items() if not value)
        faults.append(f"{missing} is required: GRAPH_TENANT_ID and GRAPH_CLIENT_ID must be set together.")
    if read.get("poll_interval_seconds", 0) > read.get("poll_max_seconds", float("inf")):
        faults.append("POLL_MAX_SECONDS must not be less than POLL_INTERVAL_SECONDS.")
    if read.get("invoice_wait_days", 0) * 24 > read.get("invoice_recheck_hours", float("inf")) * MOST_LOOKS:
        faults.append(
            f"INVOICE_RECHECK_HOURS is too short: it must fit into INVOICE_WAIT_DAYS at most {MOST_LOOKS} times."
        )
    landing_url = read.get("landing_url") or ""
    if urlsplit(landing_url).scheme == "http" and not read.get("landing_connection_string"):
        faults.append("LANDING_CONNECTION_STRING is required if LANDING_URL is http.")
    return faults


@functools.cache
def configured() -> Settings:
    """The settings of this process's environment, read once.

    Raises:
        SettingsError: as `Settings.from_mapping`; nothing is kept then, so the next call reads again.
    """
    return Settings.from_mapping(os.environ)
