"""A file that a reader sees whole or not at all; after a power cut too, if made durable before it got its name."""

import hashlib
import os
import random
import sys
from contextlib import suppress
from io import FileIO
from pathlib import Path

from filelock import lock_descriptor

from landing.zones.protocol import AlreadyThere

UNFINISHED = ".unfinished-"
"""How the names of files begin that are not finished: engines that read the folder pass over a leading dot."""


class UnfinishedFile:
    """A file next to its target, made with its first bytes, until it takes the target's name or is discarded."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._file: FileIO | None = None
        self._md5 = hashlib.md5(usedforsecurity=False)

    @property
    def md5(self) -> str:
        """The MD5 (hex) of what has been appended."""
        return self._md5.hexdigest()

    def append(self, piece: bytes | memoryview) -> None:
        """Writes the piece after what is there."""
        file = self._opened()
        self._md5.update(piece)
        _write(file, piece)
        _write_back(file)

    def make_durable(self) -> None:
        """Waits until a power cut does not take its bytes any more."""
        os.fsync(self._opened().fileno())

    def take_free_name(self) -> None:
        """Becomes the target, in one step.

        Raises:
            AlreadyThere: when there is one.
        """
        try:
            os.link(self._opened().name, self._target)
        except FileExistsError:
            raise AlreadyThere from None

    def replace_target(self) -> None:
        """Becomes the target, in one step, whatever that was."""
        os.replace(self._opened().name, self._target)

    def discard(self) -> None:
        """Removes what did not become the target, or is known under that name now."""
        if self._file is None:
            return
        try:
            self._file.close()
        finally:
            with suppress(FileNotFoundError):
                os.unlink(self._file.name)

    def _opened(self) -> FileIO:
        self._file = self._file or _create_beside(self._target)
        return self._file


def sync(path: str | Path) -> None:
    """Waits until the file's bytes, or a folder's names, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_abandoned(path: Path) -> None:
    """Removes an unfinished file whose process has ended: as long as it lives, it holds the lock on the file."""
    # Where the file system knows no locks, or the file is gone by now.
    with suppress(OSError), path.open("rb+") as file:
        if lock_descriptor(file.fileno(), blocking=False):
            path.unlink()


def _create_beside(target: str) -> FileIO:
    """A new file whose lock is held, so that nobody takes it for abandoned."""
    while True:
        file = _open_beside(target)
        with suppress(OSError):
            lock_descriptor(file.fileno())
        if os.fstat(file.fileno()).st_nlink:
            return file
        # It was removed before it could be locked.
        file.close()


def _open_beside(target: str) -> FileIO:
    folder = os.path.dirname(target)
    # Unbuffered, and no uuid4: each question to the system is one more turn that a small blob's thread waits for.
    beside = os.path.join(folder, f"{UNFINISHED}{random.getrandbits(128):032x}")
    try:
        return open(beside, "xb", buffering=0)
    except FileNotFoundError:
        os.makedirs(folder, exist_ok=True)
        return open(beside, "xb", buffering=0)


def _write(file: FileIO, piece: bytes | memoryview) -> None:
    left = memoryview(piece)
    while left:
        left = left[file.write(left) :]


def _write_back(file: FileIO) -> None:
    """Lets the system start writing it to the disk.

    Measured over what `make bench` copies: 16 blobs of 64 MiB land, durable, in 0.7 times what they take without.
    """
    if sys.platform == "linux":
        # A hint only: not every file system takes it.
        with suppress(OSError):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
