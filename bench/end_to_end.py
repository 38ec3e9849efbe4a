"""What does an export take besides its copies? The local host and real activities, with copies that take no time."""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import httpx

import function_app
from bench.billing_api import BillingApi, Size
from bench.instant import LENGTH, InstantZone
from bench.report import Goal, Section
from billing.client import BillingClient
from billing.manifests import Manifests
from billing.origins import SourceHosts
from clients.making import make_clients
from clients.process import Clients, given_clients
from local.engine import Store
from local.host import Host, LocalExtension
from local.running import QUICK_POLLS
from local.serving import listen
from settings import Settings, configured

MOST_MILLISECONDS_A_BLOB = 2.0
GRAPH = "http://127.0.0.1:7072/v1.0"
SETTINGS = QUICK_POLLS | {"GRAPH_BASE_URL": GRAPH, "LANDING_URL": "file:///nowhere", "POLL_INTERVAL_SECONDS": "0.01"}
LOOK_SECONDS = 0.01
"""Between two looks at the status of one of the exports that run."""


@dataclass(frozen=True)
class _Taken:
    """Seconds of one run, by the clock and of the processor, and the events of its histories."""

    seconds: float
    cpu_seconds: float
    events: int


def measure(quick: bool) -> Section:
    """Seconds and events of exports, medians of interleaved runs; and how many tiny exports end in a second."""
    sizes = (1, 100, 500) if quick else (1, 100, 1_000, 10_000)
    tiny = 10 if quick else 100
    _run([1])  # Imports and the like are not what is measured.
    taken: dict[int, list[_Taken]] = {size: [] for size in sizes}
    for _ in range(1 if quick else 3):
        for size in sizes:
            taken[size].append(_run([size]))
    many = _run([1] * tiny)
    slope = 1000 * (_seconds(taken[sizes[-1]]) - _seconds(taken[1])) / (sizes[-1] - 1)
    return Section(
        "End to end: an export without its copies",
        ("exports", "blobs each", "seconds", "CPU s", "events", "ms per blob", "exports per second"),
        [*(_row(size, runs, _seconds(taken[1])) for size, runs in taken.items()), _many_row(tiny, many)],
        [
            Goal(
                f"under {MOST_MILLISECONDS_A_BLOB:g} ms per blob in addition to its copy: {slope:.2f} ms",
                slope < MOST_MILLISECONDS_A_BLOB,
            )
        ],
        (
            "One process: HTTP API, durable engine with its state in a file, all activities, a billing API that is "
            "ready at once. Sources and landing zone answer at once, so no copy takes time.",
        ),
    )


def _run(sizes: Sequence[int]) -> _Taken:
    """Runs exports in parallel, each with its number of blobs."""
    invoices = {f"G{number:09d}": Size(blobs, LENGTH) for number, blobs in enumerate(sizes)}
    with tempfile.TemporaryDirectory() as name, _configured(SETTINGS):
        state = Path(name) / "state.db"
        seconds, cpu_seconds = asyncio.run(_export_all(invoices, state))
        return _Taken(seconds, cpu_seconds, _events(state))


async def _export_all(invoices: dict[str, Size], state: Path) -> tuple[float, float]:
    async with _host(invoices, state) as http:
        began, cpu_began = time.perf_counter(), time.process_time()
        pause = LOOK_SECONDS * len(invoices)
        await asyncio.gather(*(_export(http, invoice, pause) for invoice in invoices))
        return time.perf_counter() - began, time.process_time() - cpu_began


@asynccontextmanager
async def _host(invoices: dict[str, Size], state: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with _billing(invoices) as billing:
        with given_clients(_clients(billing)):
            host = Host(function_app.app, listen(), LocalExtension(state), None)
            async with host.running(), httpx.AsyncClient(base_url=host.url, timeout=60) as http:
                yield http


@asynccontextmanager
async def _billing(invoices: dict[str, Size]) -> AsyncIterator[BillingClient]:
    """A client of a billing API that is called without any network between."""
    transport = httpx.ASGITransport(BillingApi(invoices).app)
    async with httpx.AsyncClient(transport=transport) as http:
        yield BillingClient(GRAPH, http, SourceHosts((), True))


def _clients(billing: BillingClient) -> Clients:
    made = make_clients(configured())
    manifests = Manifests(billing.read_manifest, made.now)
    return replace(made, billing=billing, manifests=manifests, zone=InstantZone())


async def _export(http: httpx.AsyncClient, invoice: str, pause: float) -> None:
    started = await http.post("/api/exports", json={"invoiceId": invoice})
    while True:
        status = (await http.get(started.headers["Location"])).json()
        if status["state"] not in {"pending", "running"}:
            break
        await asyncio.sleep(pause)
    if status["state"] != "succeeded":
        raise RuntimeError(f"The export did not succeed: {status}")


@contextmanager
def _configured(values: Mapping[str, str]) -> Iterator[None]:
    """Gives the app these settings, and takes them away in the end."""
    before = dict(os.environ)
    os.environ.update(values)
    configured.cache_clear()
    try:
        Settings.from_mapping(values)
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        configured.cache_clear()


def _events(state: Path) -> int:
    """Events of all histories that are kept: those of polling's earlier ones are dropped when it continues as new."""
    store = Store(state)
    events = sum(len(store.history(instance.execution)) for instance in store.instances())
    store.close()
    return events


def _seconds(runs: Sequence[_Taken]) -> float:
    return median(run.seconds for run in runs)


def _row(size: int, runs: Sequence[_Taken], of_one: float) -> Sequence[str]:
    seconds = _seconds(runs)
    a_blob = f"{1000 * (seconds - of_one) / (size - 1):.2f}" if size > 1 else ""
    cpu = median(run.cpu_seconds for run in runs)
    return ("1", f"{size:,}", f"{seconds:.2f}", f"{cpu:.2f}", f"{runs[0].events:,}", a_blob, f"{1 / seconds:.2f}")


def _many_row(exports: int, run: _Taken) -> Sequence[str]:
    rate = exports / run.seconds
    return (str(exports), "1", f"{run.seconds:.2f}", f"{run.cpu_seconds:.2f}", f"{run.events:,}", "", f"{rate:.1f}")
