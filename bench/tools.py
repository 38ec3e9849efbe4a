"""AzCopy and rclone: where they are, and how they are run."""

import asyncio
import ctypes.util
import os
import platform
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from bench.work import NotPossible

_INSTALLED = Path(__file__).parent / "node_modules" / "@azure-tools" / "azcopy-linux" / "dist" / "bin"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
PATIENCE = 600.0
"""Seconds that a tool is given for one copy."""


class ToolMissing(Exception):
    """A tool that is compared with cannot be used; the text is a sentence on how to get it."""


def azcopy() -> str:
    """The path of AzCopy: the one in PATH, else the one that npm has installed.

    Raises:
        ToolMissing: when there is none that runs.
    """
    machine = _MACHINES.get(platform.machine(), platform.machine())
    found = shutil.which("azcopy") or shutil.which(_INSTALLED / f"azcopy_linux_{machine}")
    if not found:
        raise ToolMissing("AzCopy is missing: `make bench` installs it from npm on Linux; elsewhere put it into PATH.")
    if Path(found).parent == _INSTALLED and not ctypes.util.find_library("secret-1"):
        raise ToolMissing("AzCopy from npm needs libsecret: `apt-get install libsecret-1-0`.")
    return found


def rclone() -> str:
    """The path of rclone.

    Raises:
        ToolMissing: when it is not in PATH.
    """
    found = shutil.which("rclone")
    if not found:
        raise ToolMissing("rclone is missing: `apt-get install rclone`, or put it into PATH.")
    return found


def versions() -> dict[str, str]:
    """The versions of the tools that can be used."""
    found = {}
    for name, path in (("AzCopy", azcopy), ("rclone", rclone)):
        with suppress(ToolMissing):
            found[name] = _version(path())
    return found


def _version(path: str) -> str:
    """The last word of the first line that `version` or `--version` prints, as both tools have it."""
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    lines = told.stdout.splitlines()
    return lines[0].split()[-1] if lines else "of unknown version"


async def run(command: Sequence[str], settings: Mapping[str, str]) -> None:
    """Runs the command to its end, with these environment variables beside ours.

    Raises:
        NotPossible: when it ends with another exit code than 0, with all that it printed.
    """
    process = await asyncio.create_subprocess_exec(
        *command, env=os.environ | settings, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(PATIENCE):
            printed, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise NotPossible(f"it had not ended after {PATIENCE:.0f} seconds") from None
    if process.returncode:
        raise NotPossible(printed.decode(errors="replace"))
