"""Is a blob whole gzip? DuckDB compares neither the checksum nor the length that a member ends with.

Source: RFC 1952.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path

from failures import UnreadableLines

_PACKED_AT_ONCE = 1 << 16
"""Bytes: of more, what does not fit into a piece would be copied again for each piece."""

_UNPACKED_AT_ONCE = 1 << 20
"""Bytes: a little gzip can hold a lot of text."""

_GZIP = 16 + zlib.MAX_WBITS
_MAGIC = b"\x1f\x8b"


def refuse_damaged(blob: Path) -> None:
    """Compares a blob's checksums, lengths and end with its text.

    Raises:
        UnreadableLines: with blob, line number and fault, when it is no gzip from its first byte to its last.
    """
    for _ in pieces(blob):
        pass


def pieces(blob: Path) -> Iterator[bytes]:
    """What a blob unpacks to, some at a time.

    Raises:
        UnreadableLines: as soon as it is no gzip.
    """
    line = 1
    with blob.open("rb") as packed:
        member = zlib.decompressobj(_GZIP)
        while some := member.unused_data or packed.read(_PACKED_AT_ONCE):
            if member.eof:
                if not _MAGIC.startswith(some[:2]):
                    raise unreadable(blob, line, "there are bytes behind the end of the gzip data")
                member = zlib.decompressobj(_GZIP)
            try:
                for piece in _unpacked(member, some):
                    line += piece.count(b"\n")
                    yield piece
            except zlib.error:
                raise unreadable(blob, line, "the gzip data is damaged") from None
        if not member.eof:
            raise unreadable(blob, line, "the gzip data is cut off")


def unreadable(blob: Path, line: int, fault: str) -> UnreadableLines:
    """The failure that names a blob, a line of it, from 1 on, and what is wrong there."""
    return UnreadableLines(f"{blob.name!r}, line {line}: {fault}.")


def _unpacked(member: "zlib._Decompress", some: bytes) -> Iterator[bytes]:
    """In pieces of bounded size. What is behind the member's end stays with it: that is the next one's."""
    while some and not member.eof:
        yield member.decompress(some, _UNPACKED_AT_ONCE)
        some = member.unconsumed_tail
