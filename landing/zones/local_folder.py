"""A landing zone in a local folder: blobs are streamed to a temporary name, checked, and renamed."""

import asyncio
import hashlib
import os
import shutil
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from io import FileIO
from pathlib import Path

from filelock import FileLock, Timeout

from failures import Incomplete, LandingRefused, LandingUnavailable
from failures.text import cleaned
from landing.source import Source, SourceReader
from landing.zones.protocol import AlreadyThere, Copy, Landed, Stored
from landing.zones.remedies import GONE, LOCAL
from landing.zones.unfinished_file import UNFINISHED, UnfinishedFile, remove_abandoned, sync

STREAMED = 1 << 20
"""Bytes of a file that are read at once."""

_LOCK = ".lock"


class LocalFolder:
    """A landing zone below one folder of this machine. Safe for several processes at once."""

    def __init__(self, root: Path, sources: SourceReader) -> None:
        self.url = root.as_uri()
        self._root = root
        self._sources = sources

    async def prepare(self) -> None:
        """Creates the folder where it is missing."""
        await asyncio.to_thread(_make_folder, self._root)

    async def read(self, path: str) -> Stored | None:
        """The small file at `path`; None where there is none."""
        return await asyncio.to_thread(_read, self._root / path)

    async def write(self, path: str, content: bytes) -> None:
        """Writes the small file by renaming."""
        await asyncio.to_thread(_write, self._root / path, content)

    async def swap(self, path: str, content: bytes, seen: str | None) -> bool:
        """Compares and writes under a lock that other processes respect."""
        return await asyncio.to_thread(_swap, self._root / path, content, seen)

    async def swap_file(self, path: str, file: Path, seen: str | None) -> bool:
        """Copies the file next to its target, then compares and renames under that lock."""
        return await asyncio.to_thread(_swap_file, self._root / path, file, seen)

    async def find(self, path: str) -> Landed | None:
        """What stands at `path`; its MD5 is computed by reading it."""
        return await asyncio.to_thread(_find, self._root / path, path)

    async def list(self, folder: str) -> AsyncIterator[Landed]:
        """Everything below the folder that is finished."""
        for path, found in await asyncio.to_thread(_files, self._root / folder):
            yield Landed(path.relative_to(self._root).as_posix(), found.st_size, _modified(found))

    async def folders(self, folder: str) -> Sequence[str]:
        """The folder's own folders."""
        return await asyncio.to_thread(_folders, self._root / folder)

    async def remove(self, path: str, seen: str | None = None) -> None:
        """Removes the file; where it is compared before, under the lock that other processes respect."""
        if seen is None:
            await asyncio.to_thread(_remove, self._root / path)
        else:
            await asyncio.to_thread(_remove_seen, self._root / path, seen)

    async def remove_folder(self, folder: str, last: str) -> None:
        """Takes the folder aside, so that all is gone in one step, before it is removed."""
        await asyncio.to_thread(_remove_folder, self._root / folder)

    async def remove_unfinished(self, folder: str) -> None:
        """Removes unfinished files, locks and folders taken aside that no living process holds."""
        await asyncio.to_thread(_remove_unfinished, self._root / folder)

    async def copy(self, url: str, path: str, *, replacing: str | None = None, out_of_time: Callable[[], bool]) -> Copy:
        """Streams the source into a file next to its target, checks length and MD5, then gives it its name.

        A blob that was begun is finished: where a local folder is, no plan ends an activity.
        """
        # A string: pathlib's work on it would take a small blob as long as the file system's.
        target = os.path.join(self._root, path)
        with _disk_faults():
            # On the event loop: a look at a name is over before a thread would have begun with it.
            if replacing is None and os.path.exists(target):  # noqa: ASYNC240
                raise AlreadyThere
            return await self._sources.read(url, partial(_land, target, replacing))

    async def stream(self, path: str) -> AsyncGenerator[bytes]:
        """Reads the file a MiB at a time; what replaces it meanwhile leaves this one as it is."""
        file = await asyncio.to_thread(_open, self._root / path)
        try:
            while piece := await asyncio.to_thread(_read_piece, file):
                yield piece
        finally:
            file.close()

    async def make_durable(self, paths: Sequence[str]) -> None:
        """Waits for the disk."""
        await asyncio.to_thread(_make_durable, [os.path.join(self._root, path) for path in paths])

    async def close(self) -> None:
        """Nothing is open."""


def _land(target: str, replacing: str | None, source: Source, pieces: Iterator[memoryview]) -> Copy:
    unfinished = UnfinishedFile(target)
    try:
        for piece in pieces:
            unfinished.append(piece)
        _finish(unfinished, source, target, replacing)
    finally:
        unfinished.discard()
    return Copy.compared(source, unfinished.md5)


def _finish(unfinished: UnfinishedFile, source: Source, target: str, replacing: str | None) -> None:
    source.require_md5(unfinished.md5)
    if source.md5 is None or replacing is not None:
        # Else a power cut could leave bytes that nothing tells from the source's, or neither the old nor the new.
        unfinished.make_durable()
    if replacing is None:
        unfinished.take_free_name()
    else:
        _replace(unfinished, Path(target), replacing)


def _replace(unfinished: UnfinishedFile, path: Path, seen: str) -> None:
    with _locked(path.parent):
        there = _find(path, path.name)
        if there is None or there.tag != seen:
            raise AlreadyThere
        unfinished.replace_target()


def _swap_file(path: Path, file: Path, seen: str | None) -> bool:
    with _disk_faults():
        unfinished = UnfinishedFile(str(path))
        try:
            with file.open("rb") as content:
                while piece := content.read(STREAMED):
                    unfinished.append(piece)
            unfinished.make_durable()
            if seen is None:
                unfinished.take_free_name()
            else:
                _replace(unfinished, path, seen)
            sync(path.parent)
        except AlreadyThere:
            return False
        finally:
            unfinished.discard()
    return True


@contextmanager
def _disk_faults() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as fault:
        # Folders are made before they are used: somebody has removed one in between.
        message = f"The landing folder, or a file or folder in it, is not there{_where(fault)}."
        raise LandingUnavailable(message, remedy=GONE) from None
    except OSError as fault:
        message = f"The landing folder cannot be used: {fault.strerror or type(fault).__name__}{_where(fault)}."
        raise LandingRefused(message, remedy=LOCAL.get(fault.errno)) from None


def _where(fault: OSError) -> str:
    path = cleaned(fault.filename2 or fault.filename, "")
    return f" ({path})" if path else ""


def _make_durable(files: Sequence[str]) -> None:
    with _disk_faults():
        for path in (*files, *{os.path.dirname(file) for file in files}):
            sync(path)


def _make_folder(folder: Path) -> None:
    with _disk_faults():
        folder.mkdir(parents=True, exist_ok=True)


def _read(path: Path) -> Stored | None:
    with _disk_faults():
        try:
            content = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
    return Stored(content, _tag(content))


def _open(path: Path) -> FileIO:
    with _disk_faults():
        try:
            return path.open("rb", buffering=0)
        except (FileNotFoundError, NotADirectoryError):
            raise Incomplete(f"The blob {path.name!r} is not in the landing zone.") from None


def _read_piece(file: FileIO) -> bytes | None:
    with _disk_faults():
        return file.read(STREAMED)


def _tag(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write(path: Path, content: bytes, *, only_if_free: bool = False) -> None:
    with _disk_faults():
        unfinished = UnfinishedFile(str(path))
        try:
            unfinished.append(content)
            unfinished.make_durable()
            if only_if_free:
                unfinished.take_free_name()
            else:
                unfinished.replace_target()
            sync(path.parent)
        finally:
            unfinished.discard()


def _swap(path: Path, content: bytes, seen: str | None) -> bool:
    if seen is None:
        return _create(path, content)
    with _locked(path.parent):
        stored = _read(path)
        if stored is None or stored.tag != seen:
            return False
        _write(path, content)
        return True


def _create(path: Path, content: bytes) -> bool:
    try:
        _write(path, content, only_if_free=True)
    except AlreadyThere:
        return False
    return True


def _find(path: Path, name: str) -> Landed | None:
    with _disk_faults():
        try:
            with path.open("rb") as file:
                md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
                found = os.fstat(file.fileno())
                return Landed(name, found.st_size, _modified(found), md5, tag=md5, measured=True)
        except (FileNotFoundError, NotADirectoryError):
            return None


def _files(folder: Path) -> list[tuple[Path, os.stat_result]]:
    with _disk_faults():
        files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
        return [(path, path.stat()) for path in files]


def _modified(found: os.stat_result) -> datetime:
    return datetime.fromtimestamp(found.st_mtime, UTC)


def _folders(folder: Path) -> list[str]:
    with _disk_faults():
        if not folder.exists():
            return []
        return sorted(path.name for path in folder.iterdir() if path.is_dir())


def _remove(path: Path) -> None:
    with _disk_faults():
        path.unlink(missing_ok=True)


def _remove_seen(path: Path, seen: str) -> None:
    with _locked(path.parent):
        there = _find(path, path.name)
        if there and there.tag == seen:
            _remove(path)


def _remove_folder(folder: Path) -> None:
    aside = folder.with_name(f"{UNFINISHED}{uuid.uuid4().hex}")
    with _disk_faults():
        folder.rename(aside)
    # Also what is left of a removal that was cut off.
    for left in folder.parent.glob(f"{UNFINISHED}*/"):
        shutil.rmtree(left, ignore_errors=True)


def _remove_unfinished(folder: Path) -> None:
    with _disk_faults():
        for left in list(folder.rglob(f"{UNFINISHED}*")):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                remove_abandoned(left)
        for lock in list(folder.rglob(_LOCK)):
            with suppress(Timeout), FileLock(lock, timeout=0):
                lock.unlink(missing_ok=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lets one process at a time compare and replace in the folder."""
    _make_folder(folder)
    lock = folder / _LOCK
    with _disk_faults(), FileLock(lock):
        try:
            yield
        finally:
            # Whoever waits for it sees that it is gone, and makes a new one.
            lock.unlink(missing_ok=True)
