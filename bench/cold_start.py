"""How long until the first call: what importing the app takes, relative to the libraries that it cannot do without."""

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from bench.report import Goal, Section

ROOT = Path(__file__).parent.parent
MOST_RATIO = 1.15
HEAVIEST = 8
"""Modules shown."""

BARE = "import azure.functions, azure.durable_functions, azure.identity.aio, httpx, azure.storage.blob.aio"
APP = "import function_app"
FIRST_CALL = (
    "import function_app, azure.identity.aio; from clients.making import make_clients; "
    "from settings import Settings; "
    "make_clients(Settings.from_mapping({'LANDING_URL': 'https://acct.blob.core.windows.net/usage'}))"
)
PROGRAMS: Mapping[str, str] = {
    "the libraries alone": BARE,
    "function_app": APP,
    "function_app, and the clients of a first activity": FIRST_CALL,
}

_CLOCK = "import time; began = time.perf_counter(); {}; print(time.perf_counter() - began)"
_LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|\s*(\S+)")


def measure(quick: bool) -> Section:
    """Seconds of imports in fresh interpreters, interleaved, medians; and the heaviest modules that we add."""
    seconds = _interleaved(1 if quick else 9)
    medians = {name: median(taken) for name, taken in seconds.items()}
    ratio = medians["function_app"] / medians["the libraries alone"]
    return Section(
        "Cold start: imports in a fresh interpreter",
        ("imported", "median ms", "min ms", "max ms", "relative to the libraries"),
        [_row(name, taken, medians["the libraries alone"]) for name, taken in seconds.items()],
        [
            Goal(
                f"function_app under {MOST_RATIO:g} times the libraries: {ratio:.2f} times",
                ratio < MOST_RATIO,
            )
        ],
        (
            "The first activity loads what no other call needs: the storage client, identity, certificates.",
            f"Slowest modules that the libraries do not load, each without its imports, in ms: {_heaviest()}.",
        ),
    )


def _interleaved(rounds: int) -> dict[str, list[float]]:
    for program in PROGRAMS.values():
        _run(program)  # Leaves compiled files and a warm disk cache to those that count.
    seconds: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(rounds):
        for name, program in PROGRAMS.items():
            seconds[name].append(float(_run(_CLOCK.format(program)).stdout))
    return seconds


def _run(program: str, *flags: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, *flags, "-c", program]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - our own programs


def _row(name: str, seconds: Sequence[float], bare: float) -> Sequence[str]:
    taken = [f"{1000 * value:.0f}" for value in (median(seconds), min(seconds), max(seconds))]
    return (name, *taken, f"{median(seconds) / bare:.2f} x")


def _heaviest() -> str:
    """What `-X importtime` says of the modules that only the app loads."""
    bare, app = _own_milliseconds(BARE), _own_milliseconds(APP)
    added = sorted(((app[name], name) for name in app.keys() - bare.keys()), reverse=True)
    shown = ", ".join(f"{name} {milliseconds:.1f}" for milliseconds, name in added[:HEAVIEST])
    return f"{shown}; all {len(added)} together {sum(milliseconds for milliseconds, _ in added):.0f}"


def _own_milliseconds(program: str) -> dict[str, float]:
    report = _run(program, "-X", "importtime").stderr
    return {name: int(own) / 1000 for own, _, name in _LINE.findall(report)}
