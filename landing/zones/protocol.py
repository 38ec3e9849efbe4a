"""What is asked of a landing zone, whichever it is."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol, Self

from landing.source import Source


@dataclass(frozen=True)
class Landed:
    """A blob in the landing zone: `length` in bytes, `md5` as hex where known, a `tag` of its content.

    `modified`: when it was last written (UTC). `measured`: the MD5 is that of its bytes, read for it, and no property.
    """

    path: str
    length: int
    modified: datetime
    md5: str | None = None
    tag: str | None = None
    measured: bool = False

    def is_copy_of(self, source: Source) -> bool:
        """Whether it has the source's length and, where both are known, its MD5."""
        return self.length == source.length and (None in (self.md5, source.md5) or self.md5 == source.md5)


@dataclass(frozen=True)
class Stored:
    """A small file read whole, and the tag that names this state of it."""

    content: bytes
    tag: str


Verified = Literal["length", "service", "md5"]
"""How what landed was compared with its source: its bytes by us (`md5`), its bytes by the storage service, which was
asked to (`service`), or its length only."""


@dataclass(frozen=True)
class Copy:
    """A blob that has landed: what it is at the source, and the MD5 (hex) of what landed, where known.

    `detour`: it passed through this process, because the landing account could not reach the source.
    """

    source: Source
    md5: str | None
    verified: Verified
    detour: bool = False

    @classmethod
    def compared(cls, source: Source, md5: str) -> Self:
        """The copy of a source whose own MD5, where it has one, is this one, measured here."""
        return cls(source, md5, "md5" if source.md5 else "length")

    @classmethod
    def kept(cls, source: Source, there: Landed) -> Self:
        """What was there already, and is the source's copy as far as can be seen."""
        return cls(source, there.md5, "md5" if there.measured and source.md5 else "length")


class AlreadyThere(Exception):
    """Something else stands at the target: nothing was written."""


class OutOfTime(Exception):
    """The slice of time is over before the blob was copied; what was staged is kept for the next slice."""


class LandingZone(Protocol):
    """A place for blobs. Every call may raise `LandingFailure`, or `IdentityFailure` where it needs a token."""

    url: str

    async def prepare(self) -> None:
        """Creates the zone's container or folder where it is missing."""

    async def read(self, path: str) -> Stored | None:
        """The small file at `path`, whole; None where there is none."""

    async def write(self, path: str, content: bytes) -> None:
        """Writes the small file, whatever stood there before; a reader sees the old or the new content, whole."""

    async def swap(self, path: str, content: bytes, seen: str | None) -> bool:
        """Writes the small file if the current one still has the tag `seen` (None: there is none); else False."""

    async def swap_file(self, path: str, file: Path, seen: str | None) -> bool:
        """Puts a file of this machine at `path` as `swap` does, whatever its length; what lands has an MD5."""

    async def find(self, path: str) -> Landed | None:
        """What stands at `path`, with its MD5 where that can be known; None where nothing does."""

    def list(self, folder: str) -> AsyncIterator[Landed]:
        """Everything below the folder, at any depth. Reading contents only for an MD5 is left out."""

    async def folders(self, folder: str) -> Sequence[str]:
        """The names of the folders right in the folder."""

    async def remove(self, path: str, seen: str | None = None) -> None:
        """Removes the file, if there is one; where a tag that `find` has told is given, only if it still has that."""

    async def remove_folder(self, folder: str, last: str) -> None:
        """Removes everything below the folder, and the file at the path `last` not before the others.

        What somebody writes there at that moment may be removed, or stay.
        """

    async def remove_unfinished(self, folder: str) -> None:
        """Removes what killed processes left unfinished below the folder; what a living one works on stays."""

    async def copy(self, url: str, path: str, *, replacing: str | None = None, out_of_time: Callable[[], bool]) -> Copy:
        """Copies the blob at the SAS URL to `path`, which must be free, or still hold what has the tag `replacing`.

        The target appears whole or not at all, verified as the answer says. Of a blob whose source tells its MD5, that
        is true after a power cut only once `make_durable` was called.

        Raises:
            AlreadyThere: when something else stands at the target.
            OutOfTime: when `out_of_time()` became true at a point where copying can be taken up again later.
        """

    def stream(self, path: str) -> AsyncGenerator[bytes]:
        """The bytes of the blob at `path`, a few MiB at a time, all of one state of it.

        Raises:
            Incomplete: when there is none.
            LandingUnavailable: when it was replaced before it had been read to its end.
        """

    async def make_durable(self, paths: Sequence[str]) -> None:
        """Makes sure that a power cut does not take the blobs that have been copied to these paths."""

    async def close(self) -> None:
        """Ends connections and threads."""
