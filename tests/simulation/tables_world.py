"""A simulated world of one invoice, whose documents land time and again, and of hosts that make its table."""

import asyncio
import hashlib
import json
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from activities.tabulating import LINES, USAGE
from billing.documents import Document
from clients.process import Clients
from failures import ServiceUnavailable
from landing.inputs import ABSENT, NO_DATA
from landing.json_files import json_bytes
from landing.layout import TABLES, InvoiceFolder, TablePlace
from local.engine import Instance, Options
from messages.names import BUILD_TABLE, PLAN_TABLE
from messages.tables import TableOrder
from tables.table import ROWS_A_FILE, tabulate
from tests.export_policy import POLICY
from tests.simulation.chance import Chance
from tests.simulation.chaos import Chaos
from tests.simulation.circumstances import settings
from tests.simulation.host import Activity, Host, Json
from tests.simulation.memory_zone import MemoryZone, Storage
from tests.simulation.remembered import remembering
from tests.simulation.virtual_time import VirtualLoop, now
from tests.table_documents import STATES, Blobs

T = TypeVar("T")

INVOICE = "G016907411"
MONTH = "2026-09"
PLACE = TablePlace("partner_tenant=0e195b37-4574-4539-bc42-0a8b4f2b1c5d", MONTH, INVOICE)

_by_hand = remembering(tabulate)


class InlineLoop(VirtualLoop):
    """What is given to a thread has been done when the thread would begin, and takes no time."""

    def run_in_executor(self, _: Any, function: Any, *values: Any) -> Any:  # type: ignore[override]
        done = self.create_future()
        try:
            done.set_result(function(*values))
        except Exception as fault:
            done.set_exception(fault)
        return done


def play(story: Coroutine[Any, Any, T]) -> T:
    """What the story returns; it takes as long as it computes."""
    with asyncio.Runner(loop_factory=InlineLoop) as runner:
        return runner.run(story)


def _rows(files: Sequence[bytes]) -> list[str]:
    """All rows of these files, in one order."""
    import duckdb

    with TemporaryDirectory() as folder, duckdb.connect() as connection:
        for number, content in enumerate(files):
            (Path(folder) / f"{number}.parquet").write_bytes(content)
        rows = connection.execute(f"SELECT * FROM read_parquet('{folder}/*.parquet')").fetchall()  # noqa: S608
    return sorted(map(repr, rows))


class PartnerCenter:
    """Lists the invoice, if it answers."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance

    async def of_invoice(self, invoice: str) -> list[Document]:
        await self._chance.pass_time(2)
        if self._chance.strikes(0.2):
            raise ServiceUnavailable("Partner Center is away.")
        return [Document(invoice, "Invoice", MONTH, total="7.50", currency="EUR")]


class SlowZone(MemoryZone):
    """Putting a table in its place may take so long that another builder does it meanwhile."""

    slow = 0.1

    async def swap(self, path: str, content: bytes, seen: str | None) -> bool:
        await self._dawdle(path)
        return await super().swap(path, content, seen)

    async def swap_file(self, path: str, file: Path, seen: str | None) -> bool:
        await self._dawdle(path)
        return await super().swap_file(path, file, seen)

    async def _dawdle(self, path: str) -> None:
        if path.startswith(f"{TABLES}/") and self._chance.strikes(self.slow):
            await self._chance.pass_time(300)


@dataclass(frozen=True)
class Circumstances:
    """What the world is like. A slice without any time ends after each blob; no other is ever over.

    A file of a table has at most so many rows (`rows_a_file`).
    """

    hosts: int = 1
    landings: int = 2
    copy_slice_seconds: float = 0.0
    retry_seconds: float = 30.0
    latency_seconds: float = 0.5
    restless_seconds: int = 300
    rows_a_file: int = ROWS_A_FILE

    @classmethod
    def by(cls, chance: Chance) -> "Circumstances":
        """Such as they happen to be."""
        return cls(
            hosts=chance.pick([1, 2]),
            landings=chance.whole(2, 6),
            copy_slice_seconds=chance.pick([0.0, 1e9]),
            retry_seconds=chance.pick([1, 30]),
            latency_seconds=chance.pick([0.5, 2, 10]),
            restless_seconds=chance.pick([15, 60, 300]),
            rows_a_file=chance.pick([1, 2, 4, ROWS_A_FILE]),
        )


@dataclass
class Landed:
    """What `_latest.json` of one export names: the version as inputs are told, and its blobs."""

    told: str
    blobs: Blobs


@dataclass
class Documents:
    """All that ever landed of the invoice, and what is current, by dataset's folder and attribute set."""

    ever: dict[tuple[str, str], list[Landed]] = field(default_factory=dict)
    now: dict[tuple[str, str], Landed] = field(default_factory=dict)

    def current(self, dataset: str) -> Landed | None:
        """What a table is to be made of."""
        return self.now.get((dataset, "full")) or self.now.get((dataset, "basic"))


class TablesWorld:
    """Everything of one seed. To be made on a running `InlineLoop`."""

    zone: type[MemoryZone] = SlowZone

    def __init__(self, chance: Chance, circumstances: Circumstances | None = None) -> None:
        self.chance = chance
        self.circumstances = circumstances = circumstances or Circumstances.by(chance)
        self.documents = Documents()
        self.storage = Storage(knows_md5=chance.is_so(), slices=0)
        self.chaos = Chaos(chance)
        self._settings = replace(settings(), copy_slice_seconds=circumstances.copy_slice_seconds)
        self._builders = 0
        self.hosts = [self.new_host() for _ in range(circumstances.hosts)]

    def new_host(self) -> Host:
        """A host that knows nothing of the others, nor they of it."""
        latency = timedelta(seconds=self.circumstances.latency_seconds)
        return Host(self._clients, self.around, Options(latency=latency, early_timers=True))

    def new_zone(self) -> MemoryZone:
        """A way of its own to all that has landed."""
        return self.zone(self.storage, None, self.chance)  # type: ignore[arg-type]

    def around(self, name: str, activity: Activity, host: Host) -> Activity:
        """What a host calls in place of the activity of this name."""
        return self.chaos.around(name, self._planned(activity) if name == PLAN_TABLE else activity, host)

    def _planned(self, plan_table: Activity) -> Activity:
        """Plans files of so many rows as they are to have here."""

        async def plan(message: Json) -> Json:
            answer = await plan_table(message)
            if "plan" in answer:
                answer["plan"]["rows_a_file"] = self.circumstances.rows_a_file
            return answer

        return plan

    def land(self, dataset: str, attribute_set: str = "full", blobs: Blobs | None = None) -> None:
        """A version that never landed is committed, and is the latest from now on."""
        landed = self.documents.ever.setdefault((dataset, attribute_set), [])
        blobs = self.chance.pick(STATES[dataset]) if blobs is None else blobs
        version = f"{len(landed):016x}"
        folder = f"{self._folder(dataset)}/attribute_set={attribute_set}/version={version}"
        told = [self._put(f"{folder}/part-{number:05d}.json.gz", blob) for number, blob in enumerate(blobs)]
        self.storage.put(f"{folder}/_manifest.json", json_bytes({"blobs": told}))
        self.storage.put(f"{folder}/_SUCCESS", b"")
        landed.append(Landed(f"attribute_set={attribute_set}/version={version}", blobs))
        self._point(dataset, attribute_set, landed[-1])

    def restore(self, dataset: str, attribute_set: str = "full") -> None:
        """A version that landed before is the latest once more."""
        self._point(dataset, attribute_set, self.chance.pick(self.documents.ever[dataset, attribute_set]))

    async def build(self, host: Host, *, without_usage: bool = False) -> Instance:
        """How a table ends that is begun now."""
        self._builders += 1
        policy = replace(POLICY, retry_seconds=self.circumstances.retry_seconds)
        builder = f"billedUsage-{INVOICE}-full:table:{self._builders:08x}"
        host.start(BUILD_TABLE, builder, TableOrder(INVOICE, policy, now(), without_usage).to_json())
        return await host.ended(builder)

    def require_current(self) -> None:
        """The one table that stands there is, byte by byte, what is made by hand of what is current, and says so.

        One in several files has the same rows.
        """
        described = json.loads(self.storage.blobs[PLACE.description].content)
        told, files = described["inputs"], PLACE.files(len(described["files"]))
        assert self.storage.paths(".parquet", f"{PLACE.folder}/") == sorted(files)
        for dataset in (USAGE, LINES):
            current = self.documents.current(dataset)
            assert told[dataset] in ({current.told} if current else {ABSENT, NO_DATA}), f"the table is of {told}"
        made, by_hand = [self.storage.blobs[file].content for file in files], [self._made_by_hand()]
        is_same = _rows(made) == _rows(by_hand) if len(files) > 1 else made == by_hand
        assert is_same, f"the table is of something but {told}"

    def require_no_complaints(self) -> None:
        """No history was too long, and no message too large."""
        assert not [complaint for host in self.hosts for complaint in host.store.complaints]

    async def stop(self) -> None:
        """Ends everything."""
        await self.chaos.settle()
        for host in self.hosts:
            await host.stop()

    def _folder(self, dataset: str) -> str:
        return InvoiceFolder(dataset, PLACE.partner, INVOICE).path

    def _put(self, path: str, blob: bytes) -> dict[str, Any]:
        self.storage.put(path, blob)
        md5 = hashlib.md5(blob).hexdigest() if self.chance.is_so() else None
        return {"landedName": path.rpartition("/")[2], "length": len(blob), "md5": md5}

    def _point(self, dataset: str, attribute_set: str, landed: Landed) -> None:
        pointer = f"{self._folder(dataset)}/attribute_set={attribute_set}/_latest.json"
        self.storage.put(pointer, json_bytes({"version": landed.told.rpartition("=")[2]}))
        self.documents.now[dataset, attribute_set] = landed

    def _made_by_hand(self) -> bytes:
        with TemporaryDirectory() as folder:
            usage, lines = (self._files(dataset, Path(folder)) for dataset in (USAGE, LINES))
            table = Path(folder) / "table.parquet"
            _by_hand(usage, lines, table)
            return table.read_bytes()

    def _files(self, dataset: str, folder: Path) -> list[Path] | None:
        current = self.documents.current(dataset)
        if current is None:
            return None
        files = [folder / f"{dataset}-{number}.json.gz" for number in range(len(current.blobs))]
        for file, blob in zip(files, current.blobs, strict=True):
            file.write_bytes(blob)
        return files

    def _clients(self) -> Clients:
        nothing: Any = None
        return Clients(
            settings=self._settings,
            billing=nothing,
            invoices=PartnerCenter(self.chance),  # type: ignore[arg-type]
            manifests=nothing,
            sources=nothing,
            zone=self.new_zone(),
            webhook=None,
            now=now,
        )
