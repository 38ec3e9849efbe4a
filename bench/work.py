"""What a contender is given to copy, and how it goes about its blobs in parallel."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

Copy = Callable[[], Awaitable[None]]
"""Copies everything once: this is what is timed."""


class NotPossible(Exception):
    """The contender cannot do this; the text says why, without URLs."""


@dataclass(frozen=True)
class Source:
    """Blobs below the URL of a folder; `md5s` (hex) by their names, which have no folders."""

    url: str
    sas: str = field(repr=False)
    md5s: Mapping[str, str]
    bytes: int

    def url_of(self, name: str) -> str:
        """The blob's URL with its SAS token."""
        return f"{self.url}/{name}?{self.sas}"


@dataclass(frozen=True)
class Container:
    """An empty container that the blobs are to land in."""

    url: str
    sas: str = field(repr=False)
    connection_string: str = field(repr=False)

    def url_of(self, name: str) -> str:
        """The blob's URL with its SAS token."""
        return f"{self.url}/{name}?{self.sas}"


@dataclass(frozen=True)
class Work:
    """One copy of all blobs. `graph_url` is the API that serves their manifest at `manifest_url`."""

    source: Source
    target: Container | Path
    concurrency: int
    graph_url: str
    manifest_url: str


class Contender(Protocol):
    """One way to copy."""

    @property
    def name(self) -> str:
        """What the report calls it."""

    def prepared(self, work: Work) -> AbstractAsyncContextManager[Copy]:
        """What copies, with everything made ready that a process has before it copies: clients, but no connections.

        Raises:
            NotPossible: when this contender does not copy to such a target; the copy itself may raise it as well.
        """


async def side_by_side(work: Work, copy: Callable[[str], Awaitable[None]]) -> None:
    """Copies all blobs by their names, as many at once as the work allows."""
    async with asyncio.TaskGroup() as group:
        names = iter(work.source.md5s)
        for _ in range(work.concurrency):
            group.create_task(_copy_each(names, copy))


async def _copy_each(names: Iterator[str], copy: Callable[[str], Awaitable[None]]) -> None:
    for name in names:
        await copy(name)
