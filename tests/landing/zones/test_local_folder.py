"""A landing zone in a local folder: what is not finished, not writable, or wanted by two processes."""

import asyncio
import errno
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from failures import LandingRefused, LandingUnavailable, SourceUnavailable
from landing.layout import ExportFolder
from landing.source import SourceReader
from landing.sweeping import ABANDONED, sweep
from landing.zones.local_folder import LocalFolder
from landing.zones.unfinished_file import UnfinishedFile, sync
from local.running import ROOT
from tests.landing.conftest import Run
from tests.landing.fake_source import FakeSource

RACE = """
import asyncio, sys
from pathlib import Path
from landing.zones.local_folder import LocalFolder
zone = LocalFolder(Path(sys.argv[1]), None)
seen = sys.argv[3] or None
sys.stdin.readline()
print(asyncio.run(zone.swap("a/file", sys.argv[2].encode(), seen)))
"""


OPENED_FOLDERS = """
import asyncio, os, sys
from pathlib import Path
from landing.zones.local_folder import LocalFolder
root, opened = Path(sys.argv[1]), []
sys.addaudithook(lambda event, values: opened.append(str(values[0])) if event == "open" else None)
call = sys.argv[2]
zone = LocalFolder(root, None)
if call == "make_durable":
    work = zone.make_durable(["v=1/sub/x"])
elif call == "write":
    work = zone.write("v=1/sub/x", b"after")
elif call == "swap":
    work = zone.swap("v=1/sub/new", b"after", None)
else:
    work = zone.swap_file("v=1/sub/new", root / "v=1/sub/x", None)
asyncio.run(work)
print(*(Path(path).relative_to(root) for path in opened if path.startswith(f"{root}{os.sep}")), sep="\\n")
"""


def never() -> bool:
    return False


def files(folder: Path) -> list[str]:
    """Every file below the folder, hidden ones too."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


async def listed(zone: LocalFolder, folder: str) -> list[str]:
    return [landed.path async for landed in zone.list(folder)]


@pytest.fixture
def root(folder: LocalFolder, tmp_path: Path) -> Path:
    """The folder itself."""
    return tmp_path / "landed here"


def test_a_folder_in_which_nothing_has_landed_yet_is_not_swept(run: Run, folder: LocalFolder, root: Path) -> None:
    """It may be that somebody is writing the first blob just now, however old the folder seems."""
    version = ExportFolder("usage").version("a" * 16)
    unfinished = UnfinishedFile(str(root / version.path / "part.gz"))
    unfinished.append(b"half")
    run(sweep(folder, version.export, datetime.now(UTC) + 2 * ABANDONED))
    unfinished.take_free_name()
    unfinished.discard()
    assert files(root) == [f"{version.path}/part.gz"]


def test_what_killed_processes_left_is_removed(run: Run, folder: LocalFolder, root: Path) -> None:
    """In committed versions too, at once; what a living process works on is not touched."""
    version = ExportFolder("usage").version("a" * 16)
    committed = [f"{version.path}/_SUCCESS", f"{version.path}/part.gz", "usage/_latest.json"]
    left = ["usage/.unfinished-1/part.gz", "usage/.lock"]
    left += [f"{version.path}/{name}" for name in (".unfinished-2", "day=1/.unfinished-3", ".lock", "day=1/.lock")]
    for path in (*committed, *left):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    at_work = UnfinishedFile(str(root / version.path / "late.gz"))
    at_work.append(b"half")
    (root / "usage/held").mkdir()
    with FileLock(root / "usage/held/.lock"):
        run(sweep(folder, version.export, datetime.now(UTC)))
        assert (root / "usage/held/.lock").exists()
    at_work.replace_target()
    at_work.discard()
    assert files(root) == sorted([*committed, f"{version.path}/late.gz", "usage/held/.lock"])


def test_a_killed_process_leaves_what_can_be_removed(run: Run, folder: LocalFolder, root: Path) -> None:
    """The lock of an unfinished file ends with its process."""
    folder_path = root / "usage/version=aaaaaaaaaaaaaaaa"
    program = f"""
import os
from landing.zones.unfinished_file import UnfinishedFile
UnfinishedFile({str(folder_path / "part.gz")!r}).append(b"half")
os._exit(9)
"""
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False)
    assert ended.returncode == 9
    assert len(list(folder_path.iterdir())) == 1
    run(folder.remove_unfinished("usage"))
    assert list(folder_path.iterdir()) == []


def test_a_pointer_that_moves_leaves_no_lock(run: Run, folder: LocalFolder, root: Path) -> None:
    """Readers find nothing but what has landed."""
    for number in range(2):
        seen = run(folder.read("usage/_latest.json"))
        assert run(folder.swap("usage/_latest.json", b"%d" % number, seen.tag if seen else None))
    assert files(root) == ["usage/_latest.json"]


def test_what_a_removal_left_when_it_was_cut_off_goes_with_the_next(run: Run, folder: LocalFolder, root: Path) -> None:
    """Taken aside, it is of no version any more; nobody else would remove it."""
    for path in ("usage/.unfinished-1/part.gz", "usage/version=1/part.gz", "usage/version=2/part.gz"):
        (root / path).parent.mkdir(parents=True)
        (root / path).write_bytes(b"x")
    run(folder.remove_folder("usage/version=1", last="usage/version=1/part.gz"))
    assert files(root) == ["usage/version=2/part.gz"]


def test_leftovers_are_not_seen(run: Run, folder: LocalFolder, root: Path, source: FakeSource) -> None:
    """What a killed process left half written is neither listed, nor in the way of the next copy."""
    (root / "v=1/sub").mkdir(parents=True)
    (root / "v=1/.unfinished-0123").write_bytes(b"half")
    (root / "v=1/sub/.unfinished-4567").write_bytes(b"half")
    assert run(listed(folder, "v=1")) == []
    run(folder.copy(source.put("x", b"content").url, "v=1/sub/x", out_of_time=never))
    assert run(listed(folder, "v=1")) == ["v=1/sub/x"]


def test_a_failed_copy_leaves_nothing(run: Run, folder: LocalFolder, root: Path, source: FakeSource) -> None:
    """A copy that fails cleans up after itself."""
    described = source.put("x", b"content" * 100_000)
    source.cut = 100
    with pytest.raises(SourceUnavailable):
        run(folder.copy(described.url, "v=1/x", out_of_time=never))
    assert files(root) == []


@pytest.mark.parametrize("turns", range(1, 12))
def test_a_cancelled_copy_leaves_nothing(
    run: Run, folder: LocalFolder, root: Path, source: FakeSource, turns: int
) -> None:
    """Whenever a copy is cancelled, also while a thread is writing, it cleans up, or it has landed."""
    described = source.put("x", b"content" * 400_000)

    async def scenario() -> None:
        copying = asyncio.ensure_future(folder.copy(described.url, "v=1/x", out_of_time=never))
        for _ in range(turns):
            await asyncio.sleep(0)
        copying.cancel()
        await asyncio.wait([copying])

    run(scenario())
    assert files(root) in ([], ["v=1/x"])


def test_a_blob_that_vanishes_is_told(run: Run, folder: LocalFolder) -> None:
    """What somebody has removed before it was safe from a power cut is copied again; the message names it."""
    with pytest.raises(LandingUnavailable, match=r"is not there \(.*/v=1/x\)"):
        run(folder.make_durable(["v=1/x"]))


@pytest.mark.parametrize("call", ["make_durable", "write", "swap", "swap_file"])
def test_the_names_of_a_folder_are_made_durable_too(run: Run, folder: LocalFolder, root: Path, call: str) -> None:
    """Else a power cut could leave the bytes of a file, and no name for them."""
    run(folder.write("v=1/sub/x", b"before"))
    command = [sys.executable, "-c", OPENED_FOLDERS, str(root), call]
    home = Path(__file__).parents[3]
    opened = subprocess.run(command, cwd=home, check=True, capture_output=True, text=True).stdout.splitlines()
    assert opened[-1] == "v=1/sub"


def test_what_cannot_be_made_durable_is_told() -> None:
    """A device that takes no such wish stands for a disk that fails it."""
    with pytest.raises(OSError, match="Invalid argument"):
        sync(os.devnull)


def test_a_finished_copy_leaves_the_blob_alone(run: Run, folder: LocalFolder, root: Path, source: FakeSource) -> None:
    """After a copy the folder holds the blob and nothing else."""
    run(folder.copy(source.put("x", b"content").url, "v=1/x", out_of_time=never))
    run(folder.write("v=1/_manifest.json", b"{}"))
    assert files(root) == ["v=1/_manifest.json", "v=1/x"]


def test_a_copy_that_was_begun_is_finished(run: Run, folder: LocalFolder, source: FakeSource) -> None:
    """No plan ends an activity here: a blob is copied whole, though its slice of time is over."""
    run(folder.copy(source.put("x", b"content").url, "v=1/x", out_of_time=lambda: True))
    assert run(folder.read("v=1/x")).content == b"content"


CALLS: dict[str, Callable[[LocalFolder, FakeSource], Any]] = {
    "write": lambda zone, _: zone.write("taken/file", b"x"),
    "create": lambda zone, _: zone.swap("taken/file", b"x", None),
    "swap": lambda zone, _: zone.swap("taken/file", b"x", "tag"),
    "copy": lambda zone, source: zone.copy(source.put("x", b"content").url, "taken/file", out_of_time=never),
    "replace": lambda zone, source: zone.copy(
        source.put("x", b"content").url, "taken/file", replacing="tag", out_of_time=never
    ),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_folder_that_cannot_be_made(
    run: Run, folder: LocalFolder, root: Path, source: FakeSource, call: Callable[[LocalFolder, FakeSource], Any]
) -> None:
    """Where a file stands in a folder's place, the disk's own words are told, and the file is left as it is."""
    (root / "taken").write_bytes(b"a file")
    with pytest.raises(LandingRefused) as caught:
        run(call(folder, source))
    assert os.strerror(17) in caught.value.message or os.strerror(20) in caught.value.message
    assert files(root) == ["taken"]


@pytest.mark.parametrize("operation", ["read", "find"])
def test_nothing_stands_below_a_file(run: Run, folder: LocalFolder, root: Path, operation: str) -> None:
    """Below a file there is nothing, and that is no error."""
    (root / "taken").write_bytes(b"a file")
    assert run(getattr(folder, operation)("taken/file")) is None


@pytest.mark.parametrize("operation", ["read", "find"])
def test_a_folder_is_no_file(run: Run, folder: LocalFolder, root: Path, operation: str) -> None:
    """A folder where a blob should be is refused, as one blob's name is another's folder."""
    (root / "taken").mkdir()
    with pytest.raises(LandingRefused):
        run(getattr(folder, operation)("taken"))


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "Make room"),
        (errno.EDQUOT, "Make room"),
        (errno.EFBIG, "Make room"),
        (errno.EROFS, "Mount"),
        (errno.EACCES, "Let the user"),
        (errno.EPERM, "Let the user"),
        (errno.ENOTDIR, "Move away the file"),
        (errno.EMFILE, "ulimit"),
        (errno.EISDIR, "Move away the folder"),
        (errno.EIO, "Fix what the message names"),
    ],
    ids=errno.errorcode.get,
)
def test_a_remedy_fits_its_refusal(run: Run, tmp_path: Path, number: int, remedy: str) -> None:
    """The system's error number tells the reason, and the reason what helps."""

    class Disk:
        async def read(self, *_: Any) -> None:
            raise OSError(number, os.strerror(number))

    refusing: Any = Disk()
    with pytest.raises(LandingRefused, match=re.escape(os.strerror(number))) as caught:
        run(LocalFolder(tmp_path, refusing).copy("https://x/blob", "v=1/blob", out_of_time=never))
    assert remedy in caught.value.remedy


def test_a_refusal_names_the_place(run: Run, sources: SourceReader, tmp_path: Path) -> None:
    """Who must make way for a folder or a file is told where."""
    (tmp_path / "taken").mkdir()
    with pytest.raises(LandingRefused, match=re.escape(f"({tmp_path / 'taken'})")):
        run(LocalFolder(tmp_path, sources).write("taken", b"x"))


def test_a_root_that_cannot_be_made(run: Run, sources: SourceReader, tmp_path: Path) -> None:
    """A landing folder that cannot be made is refused when the zone is prepared."""
    (tmp_path / "taken").write_bytes(b"a file")
    with pytest.raises(LandingRefused):
        run(LocalFolder(tmp_path / "taken" / "landed", sources).prepare())


@pytest.mark.parametrize("exists", [False, True])
def test_one_of_many_processes_wins(run: Run, folder: LocalFolder, root: Path, exists: bool) -> None:
    """Of several processes that swap the file they have seen exactly one succeeds, and its content stands."""
    if exists:
        run(folder.write("a/file", b"seen"))
    seen = run(folder.read("a/file")).tag if exists else ""
    home = Path(__file__).parents[3]
    rivals = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, str(root), str(number), seen],
            cwd=home,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for rival in rivals:
        assert rival.stdin is not None
        rival.stdin.write("go\n")
        rival.stdin.flush()
    won = [rival.communicate()[0].strip() == "True" for rival in rivals]
    assert sum(won) == 1
    assert run(folder.read("a/file")).content == str(won.index(True)).encode()
