"""Fetches parts of a table, several at once."""

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

from activities.tabulating import TableBlob
from clients.process import Clients


async def fetch_parts(using: Clients, blobs: Iterable[TableBlob], endings: Sequence[str], folder: Path) -> list[Path]:
    """The files with these endings of the parts of all these blobs, in the folder.

    Raises:
        Incomplete: when one is not there any more.
    """
    at_once = asyncio.Semaphore(using.settings.copy_concurrency)

    async def fetch(blob: TableBlob, ending: str) -> Path:
        async with at_once:
            return await blob.work.fetch(f"{blob.name}{ending}", folder)

    return await asyncio.gather(*(fetch(blob, ending) for blob in blobs for ending in endings))
