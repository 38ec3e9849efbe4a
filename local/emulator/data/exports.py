"""What does an export consist of?"""

import hashlib
import tempfile
import weakref
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import IO, Self

_IN_MEMORY = 1 << 22
_AT_ONCE = 1 << 20
_GZIP = 16 + zlib.MAX_WBITS
_LEVEL = 6


class Blob:
    """One exported file: `size` in bytes, and `md5` as Content-MD5 carries it (there in base64).

    `item_count` is its number of line items, where that is known. A large one lies in a temporary file, so that memory
    is bounded.
    """

    def __init__(self, pieces: Iterable[bytes], item_count: int | None = None) -> None:
        self.item_count = item_count
        # It is closed with the blob.
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        md5 = hashlib.md5(usedforsecurity=False)
        for piece in pieces:
            md5.update(piece)
            self._file.write(piece)
        self.size = self._file.tell()
        self.md5 = md5.digest()

    @classmethod
    def of_lines(cls, lines: Iterator[str], count: int, *, in_two_members: bool) -> Self:
        """The next so many of the lines, compressed.

        Gzip allows several members in one file, and a reader that forgets it loses lines: with two it would show.
        """
        half = count // 2 if in_two_members else 0
        members = [islice(lines, length) for length in ((half, count - half) if half else (count,))]
        return cls((piece for member in members for piece in _compressed(member)), count)

    def part(self, start: int, stop: int) -> bytes:
        """The bytes from `start` to before `stop`."""
        self._file.seek(start)
        return self._file.read(stop - start)

    def pieces(self, part: range | None = None) -> Iterator[bytes]:
        """Its bytes, or a range of them, some at a time."""
        part = range(self.size) if part is None else part
        for start in range(part.start, part.stop, _AT_ONCE):
            yield self.part(start, min(start + _AT_ONCE, part.stop))


@dataclass(frozen=True)
class Export:
    """The blobs of an export of a dataset by name, and the eTag that is the version of this data."""

    dataset: str
    e_tag: str
    blobs: Mapping[str, Blob]

    @cached_property
    def folder(self) -> str:
        """The folder that holds the blobs, in its dataset's: other data, other folder."""
        return f"{self.dataset}/{digest(self.e_tag, self.blobs)[:16]}"


def digest(e_tag: str, blobs: Mapping[str, Blob]) -> str:
    """SHA-256 (hex) over eTag, names and contents."""
    identity = [e_tag, *((name, blob.md5) for name, blob in blobs.items())]
    return hashlib.sha256(repr(identity).encode()).hexdigest()


def _compressed(lines: Iterable[str]) -> Iterator[bytes]:
    """Its header has no time, so that the same lines make the same bytes."""
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    for line in lines:
        yield compressor.compress(line.encode())
    yield compressor.flush()
