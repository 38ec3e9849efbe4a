"""Is a blob whole gzip? DuckDB compares neither the checksum nor the length that a member ends with.

Source: RFC 1952.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path

from failures import UnreadableLines

_AT_ONCE = 1 << 20
_GZIP = 16 + zlib.MAX_WBITS
_MAGIC = b"\x1f\x8b"


def count_lines(blob: Path) -> int:
    """How often a blob's text has a line break; its checksums, lengths and end are compared on the way.

    Raises:
        UnreadableLines: with blob, line number and fault, when it is no gzip from its first byte to its last.
    """
    return sum(piece.count(b"\n") for piece in pieces(blob))


def pieces(blob: Path) -> Iterator[bytes]:
    """What a blob unpacks to, some at a time.

    Raises:
        UnreadableLines: as soon as it is no gzip.
    """
    line = 1
    with blob.open("rb") as packed:
        member = zlib.decompressobj(_GZIP)
        while some := member.unused_data or packed.read(_AT_ONCE):
            if member.eof:
                if not _MAGIC.startswith(some[:2]):
                    raise unreadable(blob, line, "there are bytes behind the end of the gzip data")
                member = zlib.decompressobj(_GZIP)
            for piece in _unpacked(member, some, blob, line):
                line += piece.count(b"\n")
                yield piece
        if not member.eof:
            raise unreadable(blob, line, "the gzip data is cut off")


def unreadable(blob: Path, line: int, fault: str) -> UnreadableLines:
    """The failure that names a blob, a line of it, from 1 on, and what is wrong there."""
    return UnreadableLines(f"{blob.name!r}, line {line}: {fault}.")


def _unpacked(member: "zlib._Decompress", some: bytes, blob: Path, line: int) -> Iterator[bytes]:
    """In pieces of bounded size, for a little gzip can hold a lot of text."""
    # What is behind a member's end stays with it: that is the next one's.
    while some and not member.eof:
        try:
            piece = member.decompress(some, _AT_ONCE)
        except zlib.error:
            raise unreadable(blob, line, "the gzip data is damaged") from None
        yield piece
        line += piece.count(b"\n")
        some = member.unconsumed_tail
