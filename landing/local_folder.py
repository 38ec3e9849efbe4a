"""A landing zone in a local folder: streamed to a temporary name, checked, made durable, then renamed."""

import asyncio
import hashlib
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock

from landing.errors import LandingRefused, LandingUnavailable, SourceUnavailable
from landing.source import Source, SourceReader
from landing.zone import AlreadyThere, Landed, Stored

# A leading dot: engines that read the folder, and our own listing, pass over what is not finished.
_UNFINISHED = ".unfinished-"
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

    async def remove(self, path: str) -> None:
        """Removes the file."""
        await asyncio.to_thread(_remove, self._root / path)

    async def remove_folder(self, folder: str, last: str) -> None:
        """Takes the folder aside, so that all is gone in one step, before it is removed."""
        await asyncio.to_thread(_remove_folder, self._root / folder)

    async def copy(
        self, source: Source, path: str, *, replacing: str | None = None, out_of_time: Callable[[], bool]
    ) -> str | None:
        """Streams the source beside its target, checks length and MD5, and gives it its name.

        A blob that was begun is finished: where a local folder is, no plan ends an activity.
        """
        target = self._root / path
        if replacing is None and target.exists():
            raise AlreadyThere
        with _disk_faults():
            # Not in a thread, which a cancellation would leave behind with the file open.
            unfinished = _open_unfinished(target)
            try:
                md5 = await self._fill(unfinished, source)
            except BaseException:
                await asyncio.to_thread(_discard, unfinished)
                raise
            await asyncio.to_thread(_publish_copy, unfinished, target, replacing)
        return md5

    async def close(self) -> None:
        """Nothing is open between calls."""

    async def _fill(self, file: BinaryIO, source: Source) -> str:
        md5 = hashlib.md5(usedforsecurity=False)
        async for chunk in self._sources.stream(source):
            await asyncio.to_thread(_append, file, md5, chunk)
        if source.md5 not in (None, md5.hexdigest()):
            raise SourceUnavailable("The source's bytes do not have the MD5 that it announced.")
        return md5.hexdigest()


@contextmanager
def _disk_faults() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        # Folders are made before they are used: somebody has removed one in between.
        raise LandingUnavailable("A folder of the landing folder was removed just now.") from None
    except OSError as fault:
        raise LandingRefused(f"The landing folder cannot be used: {fault.strerror or fault}.") from fault


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


def _tag(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write(path: Path, content: bytes, *, only_if_free: bool = False) -> None:
    with _disk_faults():
        file = _open_unfinished(path)
        try:
            file.write(content)
            _publish(file, path, only_if_free=only_if_free)
        finally:
            _discard(file)


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
                return Landed(name, found.st_size, _modified(found), md5, tag=md5)
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
        return sorted(path.name for path in folder.iterdir() if path.is_dir())


def _remove(path: Path) -> None:
    with _disk_faults():
        path.unlink(missing_ok=True)


def _remove_folder(folder: Path) -> None:
    aside = folder.with_name(f"{_UNFINISHED}{uuid.uuid4().hex}")
    with _disk_faults():
        folder.rename(aside)
    # Also what is left of a removal that was cut off.
    for left in folder.parent.glob(f"{_UNFINISHED}*/"):
        shutil.rmtree(left, ignore_errors=True)


def _open_unfinished(target: Path) -> BinaryIO:
    target.parent.mkdir(parents=True, exist_ok=True)
    return (target.parent / f"{_UNFINISHED}{uuid.uuid4().hex}").open("xb")


def _append(file: BinaryIO, md5: Any, chunk: bytes) -> None:
    md5.update(chunk)
    file.write(chunk)


def _publish_copy(file: BinaryIO, target: Path, replacing: str | None) -> None:
    try:
        if replacing is None:
            _publish(file, target, only_if_free=True)
            return
        with _locked(target.parent):
            there = _find(target, target.name)
            if there is None or there.tag != replacing:
                raise AlreadyThere
            _publish(file, target, only_if_free=False)
    finally:
        _discard(file)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lets one process at a time compare and replace in the folder."""
    _make_folder(folder)
    with _disk_faults(), FileLock(folder / _LOCK):
        yield


def _publish(file: BinaryIO, target: Path, *, only_if_free: bool) -> None:
    """Gives the finished file its name, in one step that a reader or a rival sees done or not done."""
    _make_durable(file)
    if only_if_free:
        try:
            os.link(file.name, target)
        except FileExistsError:
            raise AlreadyThere from None
    else:
        os.replace(file.name, target)
    _sync_folder(target.parent)


def _make_durable(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
    file.close()


def _sync_folder(folder: Path) -> None:
    """Makes a renaming durable: without it, a power cut may lose the name though the bytes are on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _discard(file: BinaryIO) -> None:
    try:
        # What is still buffered is written now, and a full disk refuses it again.
        file.close()
    finally:
        with suppress(FileNotFoundError):
            os.unlink(file.name)
