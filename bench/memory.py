"""How much memory does an export take? The peak of the host's process, which is its own, beyond a small export's."""

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.billing_api import MIB, BillingApi, Size, blob_name
from bench.report import Goal, Section
from local.azurite import PROGRAM, Azurite, running_azurite
from local.emulator import AzuriteBlobs, Emulator, EmulatorOptions
from local.running import QUICK_POLLS, beside, host, served

MOST_GROWTH = 64 * MIB
SECONDS = 600.0
"""How long an export may take on a machine that is busy."""

SMALL, GREAT = "G000000001", "G000000002"
SMALL_SIZE = Size(8, MIB)
KIB64 = 64 << 10

_TOKEN = {"Authorization": f"Bearer {QUICK_POLLS['GRAPH_STATIC_TOKEN']}"}

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
    if PROGRAM.exists():
        cases.append(_Case("container, server-side", Size(blobs, KIB64), _server_side))
        # Azurite copies whole blobs only; larger ones than 256 MiB would go in blocks.
        cases.append(_Case("container, server-side", Size(1, min(length, 256 * MIB)), _server_side))
        cases.append(_Case("container, streamed", Size(1, length), _container))
    return cases


def _measure(case: _Case) -> _Peaks:
    with (
        tempfile.TemporaryDirectory() as name,
        case.place(case.size, Path(name)) as settings,
        host(settings, Path(name), log_level="warning") as app,
    ):
        _require_all(app.export(SMALL, SECONDS), SMALL_SIZE)
        small = app.peak_memory()
        _require_all(app.export(GREAT, SECONDS), case.size)
        return _Peaks(small, app.peak_memory())


def _require_all(status: Mapping[str, Any], size: Size) -> None:
    if status["state"] != "succeeded" or status["result"]["bytes"] != size.bytes:
        raise RuntimeError(f"The export of {size.bytes} bytes ended otherwise than expected: {status}")


@contextmanager
def _folder(size: Size, folder: Path) -> Iterator[Mapping[str, str]]:
    with _api(size) as graph:
        yield graph | {"LANDING_URL": (folder / "landing").as_uri()}


@contextmanager
def _container(size: Size, folder: Path) -> Iterator[Mapping[str, str]]:
    """Storage that cannot reach the source, as one on another machine could not: the bytes pass the host's process."""
    with _api(size) as graph, running_azurite("--location", str(folder)) as azurite:
        yield graph | _landing(azurite)


@contextmanager
def _server_side(size: Size, folder: Path) -> Iterator[Mapping[str, str]]:
    with running_azurite("--location", str(folder)) as azurite, _emulator(azurite, size) as graph:
        yield graph | _landing(azurite)


@contextmanager
def _api(size: Size) -> Iterator[dict[str, str]]:
    api = BillingApi({SMALL: SMALL_SIZE, GREAT: size})
    with beside(served(api.app)) as url:
        yield QUICK_POLLS | {"GRAPH_BASE_URL": f"{url}/v1.0"}


def _landing(azurite: Azurite) -> dict[str, str]:
    return {
        "LANDING_URL": f"{azurite.landing_account_url}/landing",
        "LANDING_CONNECTION_STRING": azurite.landing_connection_string,
    }


@contextmanager
def _emulator(azurite: Azurite, size: Size) -> Iterator[dict[str, str]]:
    with beside(_emulator_on_azurite(azurite, {SMALL: SMALL_SIZE, GREAT: size}), SECONDS) as url:
        yield QUICK_POLLS | {"GRAPH_BASE_URL": f"{url}/v1.0"}


@asynccontextmanager
async def _emulator_on_azurite(azurite: Azurite, sizes: Mapping[str, Size]) -> AsyncIterator[str]:
    """The emulator, with exports of these invoices whose blobs are already in Azurite; its URL."""
    blobs = AzuriteBlobs(azurite.source_connection_string)
    emulator = Emulator(EmulatorOptions(running_polls=0, linked_manifest=True, invoices=tuple(sizes)), blobs=blobs)
    for invoice, size in sizes.items():
        content = dict.fromkeys(map(blob_name, range(size.blobs)), bytes(size.length))
        emulator.use_data(invoice, content, e_tag=invoice)
    async with served(emulator.app) as url, httpx.AsyncClient(headers=_TOKEN, timeout=SECONDS) as http:
        for invoice in sizes:
            await _let_emulator_upload(http, url, invoice)
        yield url
    await blobs.close()


async def _let_emulator_upload(http: httpx.AsyncClient, url: str, invoice: str) -> None:
    """The emulator puts an export's blobs into storage when its manifest is first read."""
    path = "/v1.0/reports/partners/billing/usage/billed/export"
    started = await http.post(url + path, json={"invoiceId": invoice})
    operation = (await http.get(started.headers["Location"])).json()
    (await http.get(operation["resourceLocation@odata.navigationLink"])).raise_for_status()


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
    return () if PROGRAM.exists() else ("Without Azurite, which `make test` installs, no container was measured.",)
