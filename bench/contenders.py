"""The ways to copy that are compared: ours, Microsoft's and rclone's tools, and loops over Microsoft's SDK."""

import asyncio
import json
import re
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from azure.storage.blob import BlobClient as SyncBlobClient
from azure.storage.blob.aio import ContainerClient

import function_app
from bench import tools
from bench.floor import BareHttpx, Floor
from bench.servers import TOKEN
from bench.work import Container, Contender, Copy, NotPossible, Work, side_by_side
from catalog.export_request import ExportRequest
from clients.making import make_clients
from clients.process import Clients, given_clients
from local.functions import index
from messages.exports import CopyAnswer, CopyOrder, Plan
from messages.names import COPY_BLOBS
from orchestrator.policy import index_ranges
from settings import Settings

HOST = Path(__file__).parent.parent / "host.json"
UNASKED_CLIENT = json.dumps({"taskHubName": "local", "creationUrls": {}, "managementUrls": {}})
REQUEST = ExportRequest.of_invoice("G016907411")


def settings_for(landing_url: str, **values: str) -> Settings:
    """The app's settings with all defaults but where the blobs land."""
    return Settings.from_mapping({"LANDING_URL": landing_url, **values})


def activities_at_once() -> int:
    """How many activities one worker runs at once, as host.json says."""
    return int(json.loads(HOST.read_text())["extensions"]["durableTask"]["maxConcurrentActivityFunctions"])


def concurrency_for(blobs: int, *, streamed: bool) -> int:
    """How many of these blobs this app copies in parallel on one worker. Streamed ones share a process's threads."""
    settings = settings_for("file:///not/used")
    if streamed:
        return min(blobs, settings.copy_concurrency)
    ranges = len(index_ranges(blobs, settings.copy_batch_size))
    return min(blobs, min(ranges, activities_at_once()) * settings.copy_concurrency)


class Ours:
    """This app's `copy_blobs` activities over the ranges that its orchestrator cuts, on one worker."""

    name = "this app"

    def __init__(self, **settings: str) -> None:
        self._settings = settings

    @asynccontextmanager
    async def prepared(self, work: Work) -> AsyncIterator[Copy]:
        """The activities, with clients as a worker makes them; they read the manifest themselves."""
        clients = make_clients(_our_settings(work, self._settings))
        try:
            await clients.zone.prepare()
            plan = await _plan(clients, work)
            with given_clients(clients):
                yield lambda: _copy_ranges(plan, clients.settings)
        finally:
            await clients.close()


def _our_settings(work: Work, values: Mapping[str, str]) -> Settings:
    api = {"GRAPH_BASE_URL": work.graph_url, "GRAPH_STATIC_TOKEN": TOKEN, **values}
    if isinstance(work.target, Container):
        return settings_for(work.target.url, LANDING_CONNECTION_STRING=work.target.connection_string, **api)
    return settings_for(work.target.as_uri(), **api)


async def _plan(clients: Clients, work: Work) -> Plan:
    manifest = await clients.billing.read_manifest(work.manifest_url)
    return Plan(manifest.url, manifest.digest, manifest.e_tag, len(manifest.blobs), manifest.tenant_id)


async def _copy_ranges(plan: Plan, settings: Settings) -> None:
    workers = asyncio.Semaphore(activities_at_once())

    async def copy(start: int, stop: int) -> None:
        async with workers:
            while start < stop:
                start = await _copy_slice(CopyOrder(REQUEST, plan, start, stop))

    async with asyncio.TaskGroup() as group:
        for start, stop in index_ranges(plan.blob_count, settings.copy_batch_size):
            group.create_task(copy(start, stop))


async def _copy_slice(order: CopyOrder) -> int:
    # Without an orchestration, the activity has nothing to ask its Durable client for.
    copy_blobs = index(function_app.app).activities[COPY_BLOBS].call
    answer = CopyAnswer.from_json(await copy_blobs(message=order.to_json(), client=UNASKED_CLIENT))
    if answer.not_done:
        raise AssertionError(answer.not_done.problem)
    return answer.next


class AzCopy:
    """Microsoft's tool, as many requests at once as ours."""

    name = "AzCopy"

    def __init__(self, path: str) -> None:
        self._path = path

    @asynccontextmanager
    async def prepared(self, work: Work) -> AsyncIterator[Copy]:
        """The command, with a folder of its own for its plans and logs."""
        with tempfile.TemporaryDirectory() as folder:
            settings = {
                "AZCOPY_CONCURRENCY_VALUE": str(work.concurrency),
                "AZCOPY_LOG_LOCATION": folder,
                "AZCOPY_JOB_PLAN_LOCATION": folder,
                "AZCOPY_DISABLE_SYSLOG": "true",
            }
            yield lambda: self._copy(work, settings, Path(folder))

    async def _copy(self, work: Work, settings: Mapping[str, str], logs: Path) -> None:
        pulled = isinstance(work.target, Container)
        target = work.target.url_of("") if isinstance(work.target, Container) else f"{work.target}/"
        from_to = "BlobBlob" if pulled else "BlobLocal"
        options = ["--from-to", from_to, "--check-version=false", "--log-level=ERROR"]
        try:
            await tools.run([self._path, "copy", work.source.url_of("*"), target, *options], settings)
        except NotPossible:
            raise NotPossible(_first_failure(logs)) from None


def _first_failure(logs: Path) -> str:
    """What AzCopy's log tells of its first failed blob, without URLs."""
    for log in sorted(logs.glob("*.log")):
        found = re.search(r"(COPY|DOWNLOAD)FAILED: \S+ : (.*)", log.read_text(errors="replace"))
        if found:
            return found[2].partition("X-Ms-Request-Id")[0].strip(" .")
    return "it failed without saying why"


class Rclone:
    """rclone, with as many transfers and checkers at once; to a container it asks the service to copy as well."""

    name = "rclone"

    def __init__(self, path: str) -> None:
        self._path = path

    @asynccontextmanager
    async def prepared(self, work: Work) -> AsyncIterator[Copy]:
        """The command, with its remotes in its environment."""
        with _rclone_remotes(work) as (settings, source, target):
            at_once = str(work.concurrency)
            options = ["--transfers", at_once, "--checkers", at_once, "--server-side-across-configs", "--quiet"]
            yield lambda: tools.run([self._path, "copy", source, target, *options], settings)


@contextmanager
def _rclone_remotes(work: Work) -> Iterator[tuple[Mapping[str, str], str, str]]:
    """The environment that defines the remotes, and their names with the paths."""
    container, folder = work.source.url.rsplit("/", 1)
    settings = _rclone_remote("SOURCE", f"{container}?{work.source.sas}")
    source = f"source:{container.rsplit('/', 1)[1]}/{folder}"
    with tempfile.NamedTemporaryFile(suffix=".conf") as empty:
        settings["RCLONE_CONFIG"] = empty.name
        if isinstance(work.target, Path):
            yield settings, source, str(work.target)
        else:
            settings |= _rclone_remote("LANDING", f"{work.target.url}?{work.target.sas}")
            yield settings, source, f"landing:{work.target.url.rsplit('/', 1)[1]}"


def _rclone_remote(name: str, sas_url: str) -> dict[str, str]:
    return {f"RCLONE_CONFIG_{name}_TYPE": "azureblob", f"RCLONE_CONFIG_{name}_SAS_URL": sas_url}


class SdkLoop:
    """A loop over the asynchronous SDK: download, to a container upload, as many blobs at once as ours."""

    name = "SDK loop"

    @asynccontextmanager
    async def prepared(self, work: Work) -> AsyncIterator[Copy]:
        """The loop, with a client for each side."""
        container, path = work.source.url.rsplit("/", 1)
        async with ContainerClient.from_container_url(f"{container}?{work.source.sas}") as source:
            if isinstance(work.target, Path):
                folder = work.target
                yield lambda: side_by_side(work, lambda name: _download(source, f"{path}/{name}", folder / name))
                return
            async with ContainerClient.from_container_url(f"{work.target.url}?{work.target.sas}") as target:
                yield lambda: side_by_side(work, lambda name: _pass_on(source, f"{path}/{name}", target, name))


async def _download(source: ContainerClient, path: str, target: Path) -> None:
    download = await source.download_blob(path)
    with target.open("wb") as file:
        await download.readinto(file)


async def _pass_on(source: ContainerClient, path: str, target: ContainerClient, name: str) -> None:
    download = await source.download_blob(path)
    await target.upload_blob(name, await download.readall())


class OneByOne:
    """A console program that downloads one blob after the other with the SDK."""

    name = "SDK, one by one"

    @asynccontextmanager
    async def prepared(self, work: Work) -> AsyncIterator[Copy]:
        """The loop, in a thread."""
        if not isinstance(work.target, Path):
            raise NotPossible("it downloads only")
        folder = work.target
        yield lambda: asyncio.to_thread(_download_each, work, folder)


def _download_each(work: Work, folder: Path) -> None:
    for name in work.source.md5s:
        with SyncBlobClient.from_blob_url(work.source.url_of(name)) as blob, (folder / name).open("wb") as file:
            blob.download_blob().readinto(file)


WITHOUT_TOOLS: tuple[Contender, ...] = (Floor(), Ours(), BareHttpx(), SdkLoop(), OneByOne())
"""Those that need only Python's packages."""


def all_contenders() -> tuple[Contender, ...]:
    """All of them.

    Raises:
        ToolMissing: when a tool cannot be used.
    """
    return (Floor(), Ours(), AzCopy(tools.azcopy()), Rclone(tools.rclone()), BareHttpx(), SdkLoop(), OneByOne())
