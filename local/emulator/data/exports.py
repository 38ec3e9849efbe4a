"""What does an export consist of?"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Blob:
    """One exported file. `item_count` is its number of line items, where that is known."""

    content: bytes
    item_count: int | None = None

    @cached_property
    def md5(self) -> bytes:
        """The MD5 of the content, as Content-MD5 carries it (there in base64)."""
        return hashlib.md5(self.content, usedforsecurity=False).digest()


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
