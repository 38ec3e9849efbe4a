"""Parts of tables are made once, fetched as they are, and removed after a week."""

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


def test_what_is_kept_is_fetched_as_it_is(run: Run, zone: LandingZone, tmp_path: Path) -> None:
    """Whoever keeps it second changes nothing."""
    work = WorkFolder.of_version(zone, "mapping", VERSION)
    assert not run(work.has("00000.parquet"))
    run(work.keep(_file(tmp_path / "one", b"first")))
    run(work.keep(_file(tmp_path / "other", b"second")))
    assert run(work.has("00000.parquet"))
    (tmp_path / "fetched").mkdir()
    assert run(work.fetch("00000.parquet", tmp_path / "fetched")).read_bytes() == b"first"


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
    run(WorkFolder.of_version(zone, "mapping", VERSION).keep(_file(tmp_path / "one", b"part")))
    run(zone.write("billed_usage/x", b""))
    now = datetime.now(UTC)
    for passed, left in ((KEPT - timedelta(minutes=1), 1), (KEPT + timedelta(minutes=1), 0)):
        run(sweep_work(zone, now + passed))

        async def parts() -> list[str]:
            return [landed.path async for landed in zone.list("_work/focus")]

        assert len(run(parts())) == left
    assert run(zone.find("billed_usage/x")) is not None


def test_a_table_s_own_folder_is_removed_whole(run: Run, zone: LandingZone, tmp_path: Path) -> None:
    """Twice is as good as once."""
    work = WorkFolder.of_table(zone, "G016907411", "b" * 16)
    run(work.keep(_file(tmp_path / "one", b"settled")))
    for _ in range(2):
        run(work.remove())
        assert not run(work.has("00000.parquet"))
