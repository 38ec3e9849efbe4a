"""How many requests does an export send? Each is counted where it arrives: at the billing API and at the storage."""

import re
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.billing_api import blob_name
from bench.counting import Counted, Seen, forwarding
from bench.hosting import (
    AZURITE,
    QUICK_POLLS,
    Azurite,
    Host,
    beside,
    emulator_on_azurite,
    running_azurite,
    running_host,
    served,
)
from bench.report import Goal, Section
from local.emulator import Emulator, EmulatorOptions
from orchestrator.policy import index_ranges

INVOICE = "G016907411"
RUNNING_POLLS = 2
BATCH = 25
"""Blobs in a range: several ranges, each with its receipt."""

KIB64 = 64 << 10
SECONDS = 120.0

READING, COPYING, STREAMING = "HEAD source blob", "PUT blob, copied from its URL", "GET source blob"
RECEIPT = "PUT _receipts/…"
MANIFEST, START, POLL = "GET manifest", "POST export", "GET operation"


@dataclass(frozen=True)
class _Counts:
    """The requests of a first export, and of a second one of the same data, each by what it is."""

    where: str
    first: Counter[str]
    second: Counter[str]


@dataclass(frozen=True)
class _Running:
    """Servers that count, and the settings of a host that exports from one to the other."""

    settings: Mapping[str, str]
    counted: Sequence[Counted]

    def taken(self) -> Counter[str]:
        """What was counted since the last time."""
        seen = [request for server in self.counted for request in server.seen]
        for server in self.counted:
            server.seen.clear()
        return Counter(kind for kind in map(kind_of, seen) if kind)


_Place = Callable[[Mapping[str, bytes], Path], AbstractContextManager[_Running]]
"""Serves an export of these blobs, counting."""


def measure(quick: bool) -> Section:
    """Requests of exports, streamed to a folder and copied by the storage itself, each by what it is."""
    blobs = 50 if quick else 200
    counts = [_count("folder", blobs, _folder)]
    if AZURITE.exists():
        counts.append(_count("container", blobs, _container))
    kinds = sorted({kind for count in counts for kind in count.first | count.second}, key=_order)
    columns = [f"{count.where}, {which}" for count in counts for which in ("first", "again")]
    return Section(
        f"Requests of an export of {blobs} blobs in ranges of {BATCH}",
        ("request", *columns),
        [*(_row(kind, counts) for kind in kinds), _total(counts), _per_blob(counts, blobs)],
        [goal for count in counts for goal in _goals(count, blobs)],
        _notes(),
    )


def _count(where: str, blobs: int, place: _Place) -> _Counts:
    contents = {blob_name(index): index.to_bytes(8, "big") * (KIB64 // 8) for index in range(blobs)}
    with (
        tempfile.TemporaryDirectory() as name,
        place(contents, Path(name)) as running,
        running_host(QUICK_POLLS | {"COPY_BATCH_SIZE": str(BATCH)} | dict(running.settings), Path(name)) as host,
    ):
        return _Counts(where, *(_export(host, running, blobs, unchanged) for unchanged in (False, True)))


def _export(host: Host, running: _Running, blobs: int, unchanged: bool) -> Counter[str]:
    result = host.export(INVOICE, SECONDS)
    if result["blobCount"] != blobs or result["unchanged"] is not unchanged:
        raise RuntimeError(f"The export ended otherwise than expected: {result}")
    return running.taken()


@contextmanager
def _folder(contents: Mapping[str, bytes], folder: Path) -> Iterator[_Running]:
    emulator = Emulator(EmulatorOptions(running_polls=RUNNING_POLLS, linked_manifest=True))
    emulator.use_data(INVOICE, contents, e_tag=INVOICE)
    counted = Counted(emulator.app)
    with beside(served(counted)) as url:
        settings = {"GRAPH_BASE_URL": f"{url}/v1.0", "LANDING_URL": (folder / "landing").as_uri()}
        yield _Running(settings, [counted])


@contextmanager
def _container(contents: Mapping[str, bytes], folder: Path) -> Iterator[_Running]:
    with running_azurite(folder) as azurite, beside(_counting(azurite, contents)) as running:
        yield running


@asynccontextmanager
async def _counting(azurite: Azurite, contents: Mapping[str, bytes]) -> AsyncIterator[_Running]:
    """Azurite behind a counter. It reads each source itself, to check its SAS token, which no other storage does."""
    async with forwarding(f"http://127.0.0.1:{azurite.port}") as forward:
        storage = Counted(forward, not_ours="axios/")
        async with served(storage) as storage_url:
            seen = Azurite(int(storage_url.rpartition(":")[2]))
            source = seen.connection_string("source")
            async with (
                emulator_on_azurite(source, {INVOICE: contents}, RUNNING_POLLS) as graph_url,
                forwarding(graph_url) as graph,
            ):
                billing = Counted(graph)
                async with served(billing) as url:
                    storage.seen.clear()
                    settings = {"GRAPH_BASE_URL": f"{url}/v1.0"} | seen.landing("landing")
                    yield _Running(settings, [billing, storage])


_KINDS = (
    (START, "POST", r"/export$"),
    (POLL, "GET", r"/billing/operations/"),
    (MANIFEST, "GET", r"/billing/manifests/"),
    (READING, "HEAD", r"^(/source)?/exports/"),
    (STREAMING, "GET", r"^(/source)?/exports/"),
)


def kind_of(request: Seen) -> str | None:
    """What the request is, in words that are the same for all requests of its kind; None for the emulator's uploads."""
    for kind, method, path in _KINDS:
        if request.method == method and re.search(path, request.path):
            return kind
    return _landing_kind(request) if request.path.startswith("/landing") else None


def _landing_kind(request: Seen) -> str:
    """Requests to the landing account: by the marker's name, or as those of a blob, a listing or the container."""
    _, within_version, name = request.path.partition("/version=")
    name = name.partition("/")[2] if within_version else request.path.rpartition("/")[2]
    if request.listing:
        return "GET list"
    if request.path == "/landing/landing":
        return f"{request.method} container"
    if name.startswith("_receipts/") and not name.endswith("/_commit.json"):
        return f"{request.method} _receipts/…"
    if name.startswith("_"):
        return f"{request.method} {name}"
    return COPYING if request.method == "PUT" else f"{request.method} blob"


def _order(kind: str) -> tuple[int, str]:
    first = (START, POLL, MANIFEST, READING, STREAMING, COPYING, RECEIPT)
    return (first.index(kind) if kind in first else len(first), kind)


def _all(counts: Iterable[_Counts]) -> Sequence[Counter[str]]:
    return [counter for count in counts for counter in (count.first, count.second)]


def _row(kind: str, counts: Sequence[_Counts]) -> Sequence[str]:
    return (kind, *(str(counter[kind]) for counter in _all(counts)))


def _total(counts: Sequence[_Counts]) -> Sequence[str]:
    return ("all", *(str(counter.total()) for counter in _all(counts)))


def _per_blob(counts: Sequence[_Counts], blobs: int) -> Sequence[str]:
    return ("about blobs, a blob", *(f"{_about_blobs(counter) / blobs:g}" for counter in _all(counts)))


def _about_blobs(counter: Counter[str]) -> int:
    return sum(count for kind, count in counter.items() if kind.split(",")[0].endswith("blob"))


def _goals(count: _Counts, blobs: int) -> Iterator[Goal]:
    per_blob, again = _about_blobs(count.first) / blobs, _about_blobs(count.second)
    yield Goal(f"{count.where}: at most 2 requests a blob on a first copy: {per_blob:g}", per_blob <= 2)
    yield Goal(f"{count.where}: no request about a blob where the data landed before: {again}", again == 0)
    graph = count.first[START], count.first[POLL], count.first[MANIFEST]
    yield Goal(
        f"{count.where}: 1 POST, {RUNNING_POLLS + 1} polls and 2 reads of the manifest, one of them the commit's own: "
        f"{graph[0]}, {graph[1]} and {graph[2]}",
        graph == (1, RUNNING_POLLS + 1, 2),
    )
    if count.where == "container":
        ranges, receipts = len(index_ranges(blobs, BATCH)), count.first[RECEIPT]
        yield Goal(f"one receipt for each of {ranges} ranges: {receipts}", receipts == ranges)


def _notes() -> Sequence[str]:
    return (
        "A landing folder is no server: what is written into it is not counted.",
        "Manifests are linked here; where the operation embeds its own, the poll that finds it has read it. A process "
        "keeps it while its SAS token lives; the commit reads it again.",
        *(() if AZURITE.exists() else ("Without Azurite, which `make test` installs, no container was measured.",)),
    )
