"""Fetches parts of a table, several at once."""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

from activities.tabulating import TableBlob
from clients.process import Clients


async def fetch_parts(using: Clients, blobs: Iterable[TableBlob], endings: Sequence[str], folder: Path) -> list[Path]:
    """The files with these endings of the parts of all these blobs, in the folder.

    Raises:
        Incomplete: when one is not there any more, or not as it was made.
    """
    at_once = asyncio.Semaphore(using.settings.copy_concurrency)

    async def fetch(blob: TableBlob) -> list[Path]:
        async with at_once:
            return await blob.work.fetch(blob.name, [f"{blob.name}{ending}" for ending in endings], folder)

    return list(chain.from_iterable(await asyncio.gather(*map(fetch, blobs))))
