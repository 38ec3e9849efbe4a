"""The app settings of this machine: the environment, and behind it `local.settings.json`, as Core Tools read it."""

import json
import logging
import os
from pathlib import Path

from rich.console import Console

from clients.redaction import redact_logs
from local.host.timers import schedule_faults
from settings import SettingsError, configured

LOCAL_SETTINGS = Path("local.settings.json")

EMULATOR_PORT = 7072
HOST_PORT = 7071

DEMO_LANDING = Path("landed")


def load_local_settings(file: Path = LOCAL_SETTINGS) -> None:
    """Adds the file's `Values` to the environment, where it is there; what the environment says already counts more.

    Raises:
        SettingsError: when the file is not what Core Tools would read.
    """
    if not file.exists():
        return
    try:
        values = json.loads(file.read_text(encoding="utf-8"))["Values"]
        for name, value in values.items():
            os.environ.setdefault(name, str(value))
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise SettingsError(
            [f"{file} cannot be read: it must be JSON with an object named Values ({fault})."]
        ) from fault


def require_settings(console: Console) -> None:
    """Loads this machine's settings, and returns only if all can be used.

    Raises:
        SystemExit: with code 2, after one message that lists every fault.
    """
    try:
        load_local_settings()
        _check()
    except SettingsError as error:
        console.print("[bold red]The app settings cannot be used:[/]")
        for fault in error.faults:
            console.print(f"  • {fault}", highlight=False, markup=False)
        console.print("Set them in the environment or in local.settings.json; README.md lists them all.")
        raise SystemExit(2) from None


def _check() -> None:
    """Reads the settings, and with them the schedules, which on Azure the Functions host reads by itself."""
    schedules = schedule_faults(os.environ)
    try:
        configured()
    except SettingsError as error:
        told = {fault.partition(" ")[0] for fault in error.faults}
        raise SettingsError([*error.faults, *(f for f in schedules if f.partition(" ")[0] not in told)]) from None
    if schedules:
        raise SettingsError(schedules)


def use_emulator(emulator_url: str, landing: Path, token: str) -> None:
    """Points this process's settings at the emulator and a local landing folder, waiting times shortened to match.

    Raises:
        SettingsError: when the folder cannot be made.
    """
    try:
        landing.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise SettingsError([f"The folder {landing.resolve()} cannot be made ({fault.strerror})."]) from None
    os.environ.update(
        {
            "GRAPH_BASE_URL": f"{emulator_url}/v1.0",
            "PARTNER_CENTER_BASE_URL": emulator_url,
            "GRAPH_STATIC_TOKEN": token,
            "LANDING_URL": landing.resolve().as_uri(),
            # That of local.settings.json is the real app's: nobody there waits for invented exports.
            "NOTIFY_WEBHOOK_URL": os.environ.get("NOTIFY_WEBHOOK_URL", ""),
            "POLL_INTERVAL_SECONDS": "0.5",
            "POLL_MAX_SECONDS": "2",
            "RETRY_SECONDS": "1",
            "COPY_BATCH_SIZE": "2",
        }
    )


def log_to_stderr(level: str) -> None:
    """Logs at this level, secrets redacted whatever is logged."""
    logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    redact_logs()
    # Each request of each library is not what an operator wants to read, unless it is asked for.
    for noisy in ("httpx", "azure", "uvicorn"):
        logging.getLogger(noisy).setLevel(logging.DEBUG if level.upper() == "DEBUG" else logging.WARNING)
