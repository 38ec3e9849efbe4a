"""Parts of tables are made once, fetched as they were made, and removed after a week."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from failures import Incomplete
from landing.layout import ExportFolder
from landing.work import KEPT, WorkFolder, fetch, sweep_work
from landing.zones.protocol import LandingZone
from tests.landing.conftest import Run

VERSION = ExportFolder.of("billed_usage", [("invoice_id", "G016907411")]).version("a" * 16)


def _file(folder: Path, content: bytes, name: str = "00000.parquet") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name


def test_a_part_is_fetched_as_it_was_kept(run: Run, zone: LandingZone, tmp_path: Path) -> None:
    """Each of its files; whoever keeps the same once more changes nothing."""
    work = WorkFolder.of_version(zone, "mapping", VERSION)
    assert not run(work.has("00000"))
    for folder in ("one", "other"):
        run(work.keep("00000", [_file(tmp_path / folder, b"rows"), _file(tmp_path / folder, b"{}", "00000.json")]))
        assert run(work.has("00000"))
    (tmp_path / "fetched").mkdir()
    fetched = run(work.fetch("00000", ["00000.json", "00000.parquet"], tmp_path / "fetched"))
    assert [file.read_bytes() for file in fetched] == [b"{}", b"rows"]


@pytest.mark.parametrize("content", [None, b"", b"ro", b"swor"], ids=["gone", "empty", "cut", "another"])
@pytest.mark.parametrize("name", ["00000.parquet", "00000.kept.json"])
def test_a_part_that_somebody_has_changed_is_made_anew(
    run: Run, zone: LandingZone, tmp_path: Path, name: str, content: bytes | None
) -> None:
    """It is not there for anybody, until it is kept once more."""
    work = WorkFolder.of_version(zone, "mapping", VERSION)
    rows = _file(tmp_path / "made", b"rows")
    (tmp_path / "fetched").mkdir()
    run(work.keep("00000", [rows]))
    run(zone.remove(f"{work.path}/{name}") if content is None else zone.write(f"{work.path}/{name}", content))
    assert not run(work.has("00000"))
    with pytest.raises(Incomplete):
        run(work.fetch("00000", [rows.name], tmp_path / "fetched"))
    run(work.keep("00000", [rows]))
    assert run(work.has("00000"))
    (fetched,) = run(work.fetch("00000", [rows.name], tmp_path / "fetched"))
    assert fetched.read_bytes() == b"rows"


def test_fetching_tells_length_and_md5(run: Run, zone: LandingZone, tmp_path: Path) -> None:
    """By which it is compared with what was committed; of nothing there is none."""
    run(zone.write("a/b", b"content"))
    fetched = run(fetch(zone, "a/b", tmp_path / "target"))
    assert (fetched.length, fetched.md5) == (7, "9a0364b9e99bb480dd25e1f0284c8555")
    with pytest.raises(Incomplete):
        run(fetch(zone, "a/missing", tmp_path / "target"))


def test_folders_of_parts_are_removed_a_week_after_they_were_touched(
    run: Run, zone: LandingZone, tmp_path: Path
) -> None:
    """Whole, and nothing beside them."""
    run(WorkFolder.of_version(zone, "mapping", VERSION).keep("00000", [_file(tmp_path / "one", b"part")]))
    run(zone.write("billed_usage/x", b""))
    now = datetime.now(UTC)
    for passed, left in ((KEPT - timedelta(minutes=1), 2), (KEPT + timedelta(minutes=1), 0)):
        run(sweep_work(zone, now + passed))

        async def parts() -> list[str]:
            return [landed.path async for landed in zone.list("_work/focus")]

        assert len(run(parts())) == left
    assert run(zone.find("billed_usage/x")) is not None


def test_a_table_s_own_folder_is_removed_whole(run: Run, zone: LandingZone, tmp_path: Path) -> None:
    """Twice is as good as once."""
    work = WorkFolder.of_table(zone, "G016907411", "b" * 16)
    run(work.keep("00000", [_file(tmp_path / "one", b"settled")]))
    for _ in range(2):
        run(work.remove())
        assert not run(work.has("00000"))
