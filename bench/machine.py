"""On what machine, when and with which versions was it measured?"""

import importlib.metadata
import json
import os
import platform
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from bench import tools

_PACKAGES = ("azure-functions", "azure-functions-durable", "azure-storage-blob", "aiohttp", "httpx", "duckdb")
_AZURITE = Path(__file__).parent.parent / "node_modules" / "azurite" / "package.json"


def described() -> Mapping[str, str]:
    """What a reader needs to judge the figures: cores, memory, kernel, date and versions."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30)
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB of memory",
        "kernel": f"{platform.system()} {platform.release()}",
        "versions": ", ".join(f"{name} {version}" for name, version in _versions().items()),
    }


def _processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.machine()


def _versions() -> dict[str, str]:
    versions = {"Python": platform.python_version()}
    versions |= {package: importlib.metadata.version(package) for package in _PACKAGES}
    if _AZURITE.exists():
        versions["Azurite"] = str(json.loads(_AZURITE.read_text())["version"])
    return versions | tools.versions()
