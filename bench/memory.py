"""How much memory does an export take? The peak of the host's process, which is its own, beyond a small export's."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.billing_api import MIB, BillingApi, Size, blob_name
from bench.hosting import (
    AZURITE,
    QUICK_POLLS,
    Azurite,
    beside,
    emulator_on_azurite,
    running_azurite,
    running_host,
    served,
)
from bench.report import Goal, Section

MOST_GROWTH = 64 * MIB
SECONDS = 600.0
"""How long an export may take on a machine that is busy."""

SMALL, GREAT = "G000000001", "G000000002"
SMALL_SIZE = Size(8, MIB)
KIB64 = 64 << 10

Place = Callable[[Size, Path], AbstractContextManager[Mapping[str, str]]]
"""Serves exports of a small size and of the given one, and says with what settings a host copies them from there."""


@dataclass(frozen=True)
class _Case:
    where: str
    size: Size
    place: Place


@dataclass(frozen=True)
class _Peaks:
    """Bytes: the process's peak after a small export, and after the great one."""

    small: int
    great: int

    @property
    def grown(self) -> int:
        return self.great - self.small


def measure(quick: bool) -> Section:
    """Growth of the peak of memory, a process for each case."""
    cases = _cases(64 * MIB, 200)[:3] if quick else _cases(1024 * MIB, 10_000)
    peaks = [_measure(case) for case in cases]
    return Section(
        "Memory: peak of the host's process",
        ("landing", "blobs", "each", "peak after 8 MiB", "peak after all", "growth"),
        [_row(case, peak) for case, peak in zip(cases, peaks, strict=True)],
        [_goal(case, peak) for case, peak in zip(cases, peaks, strict=True)],
        ("Each case has a process of its own; source, storage and measurement run in others.", *_left_out()),
    )


def _cases(length: int, blobs: int) -> Sequence[_Case]:
    folder = "folder, streamed"
    cases = [_Case(folder, Size(1, length), _folder), _Case(folder, Size(blobs, KIB64), _folder)]
    if AZURITE.exists():
        cases.append(_Case("container, server-side", Size(blobs, KIB64), _server_side))
        # Azurite copies whole blobs only; larger ones than 256 MiB would go in blocks.
        cases.append(_Case("container, server-side", Size(1, min(length, 256 * MIB)), _server_side))
        cases.append(_Case("container, streamed", Size(1, length), _container))
    return cases


def _measure(case: _Case) -> _Peaks:
    with (
        tempfile.TemporaryDirectory() as name,
        case.place(case.size, Path(name)) as settings,
        running_host(settings, Path(name)) as host,
    ):
        host.export(SMALL, SECONDS)
        small = host.peak()
        result = host.export(GREAT, SECONDS)
        if result["bytes"] != case.size.bytes:
            raise RuntimeError(f"{result['bytes']} bytes landed of {case.size.bytes}.")
        return _Peaks(small, host.peak())


@contextmanager
def _folder(size: Size, folder: Path) -> Iterator[Mapping[str, str]]:
    with _api(size) as graph:
        yield graph | {"LANDING_URL": (folder / "landing").as_uri()}


@contextmanager
def _container(size: Size, folder: Path) -> Iterator[Mapping[str, str]]:
    """Storage that cannot reach the source, as one on another machine could not: the bytes pass the host's process."""
    with _api(size) as graph, running_azurite(folder) as azurite:
        yield graph | azurite.landing("landing")


@contextmanager
def _server_side(size: Size, folder: Path) -> Iterator[Mapping[str, str]]:
    with running_azurite(folder) as azurite, _emulator(azurite, size) as graph:
        yield graph | azurite.landing("landing")


@contextmanager
def _api(size: Size) -> Iterator[dict[str, str]]:
    api = BillingApi({SMALL: SMALL_SIZE, GREAT: size})
    with beside(served(api.app)) as url:
        yield QUICK_POLLS | {"GRAPH_BASE_URL": f"{url}/v1.0"}


@contextmanager
def _emulator(azurite: Azurite, size: Size) -> Iterator[dict[str, str]]:
    exports = {
        invoice: dict.fromkeys(map(blob_name, range(given.blobs)), bytes(given.length))
        for invoice, given in {SMALL: SMALL_SIZE, GREAT: size}.items()
    }
    with beside(emulator_on_azurite(azurite.connection_string("source"), exports)) as url:
        yield QUICK_POLLS | {"GRAPH_BASE_URL": f"{url}/v1.0"}


def _row(case: _Case, peaks: _Peaks) -> Sequence[str]:
    each = case.size.length
    return (
        case.where,
        f"{case.size.blobs:,}",
        f"{each // MIB:,} MiB" if each >= MIB else f"{each >> 10} KiB",
        f"{peaks.small / MIB:.0f} MiB",
        f"{peaks.great / MIB:.0f} MiB",
        f"{peaks.grown / MIB:.1f} MiB",
    )


def _goal(case: _Case, peaks: _Peaks) -> Goal:
    what = f"{case.size.bytes / MIB:,.0f} MiB in {case.size.blobs:,} blobs, {case.where}"
    grown = f"{peaks.grown / MIB:.1f} MiB"
    return Goal(f"{what}: growth under {MOST_GROWTH // MIB} MiB: {grown}", peaks.grown < MOST_GROWTH)


def _left_out() -> Sequence[str]:
    return () if AZURITE.exists() else ("Without Azurite, which `make test` installs, no container was measured.",)
