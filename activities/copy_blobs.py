"""Copies a range of blobs in parallel for one slice of time, and says how far it got."""

import asyncio
import time
from collections.abc import Awaitable, Iterable

from activities.door import JsonObject, activity_of_run
from activities.problems import not_done
from activities.versions import require_planned, version_folder
from billing.answers import Manifest
from clients.process import Clients, clients
from failures import LATER, Failure, LandingFailure, SourceChanged, SourceExpired, SourceMissing
from landing.copying import Copier
from landing.layout import landed_name
from landing.receipts import Receipt, Receipts
from landing.zones.protocol import Copy, OutOfTime
from messages.exports import CopyAnswer, CopyOrder
from messages.names import COPY_BLOBS
from messages.problems import NotDone


@activity_of_run(COPY_BLOBS)
async def copy_blobs(message: JsonObject) -> JsonObject:
    """`CopyAnswer` to a `CopyOrder`."""
    order = CopyOrder.from_json(message)
    using = await clients()
    return (await _Slice(using, order, await _planned_manifest(using, order)).copy()).to_json()


async def _planned_manifest(using: Clients, order: CopyOrder, refused: Manifest | None = None) -> Manifest:
    return require_planned(await using.manifests.get(order.plan.manifest_url, refused), order.plan)


class _Slice:
    """One activity's share of a range: as many blobs as the slice of time allows, several at once."""

    def __init__(self, using: Clients, order: CopyOrder, manifest: Manifest) -> None:
        self._using = using
        self._order = order
        self._manifest = manifest
        self._folder = version_folder(order.request, order.plan)
        self._copier = Copier(using.zone, using.sources, self._out_of_time, self._confirm)
        self._end = time.monotonic() + using.settings.copy_slice_seconds
        self._todo = iter(range(order.start, order.stop))
        self._done: dict[int, Copy] = {}
        self._put_off: NotDone | None = None

    async def copy(self) -> CopyAnswer:
        await _together(self._work() for _ in range(self._using.settings.copy_concurrency))
        reached = next((i for i in range(self._order.start, self._order.stop) if i not in self._done), self._order.stop)
        receipts = [self._receipt(index) for index in range(self._order.start, reached)]
        if receipts:
            await Receipts(self._using.zone, self._folder).write(self._order.start, receipts)
        length = sum(receipt.length for receipt in receipts)
        return CopyAnswer(reached, len(receipts), length, not_done=self._put_off)

    async def _work(self) -> None:
        # Time is looked at after a blob, not before: every slice gets further, however short it is.
        for index in self._todo:
            try:
                self._done[index] = await self._copy(index)
            except OutOfTime:
                return
            except Failure as failure:
                if failure.kind != LATER:
                    raise
                self._put_off = not_done(failure)
            if self._put_off or self._out_of_time():
                return

    async def _copy(self, index: int) -> Copy:
        manifest = self._manifest
        try:
            return await self._copy_from(manifest, index)
        except (SourceExpired, SourceMissing, SourceChanged):
            # Its token has run out, or Microsoft has renewed the data: the manifest tells which.
            self._manifest = await _planned_manifest(self._using, self._order, refused=manifest)
            return await self._copy_from(self._manifest, index)

    async def _copy_from(self, manifest: Manifest, index: int) -> Copy:
        blob = manifest.blobs[index]
        path = self._folder.blob(blob.name)
        url = manifest.blob_url(blob)
        try:
            return await self._copier.copy(url, path)
        except LandingFailure as failure:
            failure.message += f" Blob: {blob.name!r}."
            raise

    async def _confirm(self) -> None:
        """Reads the manifest again: the data that was planned must still be Microsoft's."""
        require_planned(await self._using.billing.read_manifest(self._order.plan.manifest_url), self._order.plan)

    def _out_of_time(self) -> bool:
        return time.monotonic() >= self._end

    def _receipt(self, index: int) -> Receipt:
        name, copy = self._manifest.blobs[index].name, self._done[index]
        return Receipt(name, landed_name(name), copy.source.length, copy.md5, copy.verified, copy.detour)


async def _together(workers: Iterable[Awaitable[None]]) -> None:
    """Runs all workers; the first error ends the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for worker in workers:
                group.create_task(worker)  # type: ignore[arg-type]
    except BaseExceptionGroup as faults:
        raise faults.exceptions[0] from None
