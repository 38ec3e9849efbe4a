"""A table is put in its place, replaced and withdrawn, in every landing zone, as long as it is current."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from landing.layout import TablePlace
from landing.publishing import IsCurrent, TableFile, complete, published, replace_file, withdraw
from landing.zones.protocol import LandingZone
from tests.landing.conftest import Run

PLACE = TablePlace("partner_tenant=0e195b37", "2026-10", "G016907411")
VERSION = "5f0c2ab94d3e7a10"


async def _put(
    zone: LandingZone, folder: Path, contents: Sequence[bytes], is_current: IsCurrent, version: str = VERSION
) -> bool:
    """Publishes files with these contents as a table of this version."""
    placed = []
    for path, content in zip(PLACE.files(len(contents)), contents, strict=True):
        file = folder / path.rpartition("/")[2]
        file.write_bytes(content)
        if not await replace_file(zone, path, file, is_current):
            return False
        placed.append(TableFile.of(file, 0).to_json())
    return await complete(zone, PLACE, {"version": version, "files": placed}, is_current)


async def _yes() -> bool:
    return True


async def _no() -> bool:
    return False


async def _standing(zone: LandingZone) -> dict[str, bytes]:
    """The files of the table, by name."""
    paths = [landed.path async for landed in zone.list(PLACE.folder) if landed.path.endswith(".parquet")]
    return {path.rpartition("/")[2]: b"".join([piece async for piece in zone.stream(path)]) for path in paths}


@pytest.mark.parametrize("content", [b"", b"PAR1", b"0123456789" * 1_000_000])
def test_a_table_is_put_in_its_place_and_replaced(run: Run, zone: LandingZone, tmp_path: Path, content: bytes) -> None:
    """In every landing zone, whatever its length; then its description fits it."""
    for version, bytes_ in (("1", b"before"), ("2", content)):
        assert run(_put(zone, tmp_path, [bytes_], _yes, version))
        described = run(published(zone, PLACE, version))
        assert described["files"][0]["length"] == len(bytes_)
    assert run(_standing(zone)) == {"G016907411.parquet": content}


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1), (3, 2), (11, 2)])
def test_a_table_may_grow_and_shrink(run: Run, zone: LandingZone, tmp_path: Path, before: int, after: int) -> None:
    """By whole files: none of the former table stays, nor goes one of another invoice."""
    other = f"{PLACE.folder}/G01690741.parquet"
    run(zone.write(other, b"another invoice's"))
    for version, count in (("1", before), ("2", after)):
        assert run(_put(zone, tmp_path, [b"%d" % index for index in range(count)], _yes, version))
    assert run(published(zone, PLACE, "1")) is None
    names = [file["name"] for file in run(published(zone, PLACE, "2"))["files"]]
    assert sorted(run(_standing(zone))) == sorted([*names, "G01690741.parquet"])


@pytest.mark.parametrize("count", [1, 3])
def test_a_table_that_is_withdrawn_leaves_nothing(run: Run, zone: LandingZone, tmp_path: Path, count: int) -> None:
    """Not of it, that is: another invoice's stays."""
    other = f"{PLACE.folder}/G01690741.parquet"
    run(zone.write(other, b"another invoice's"))
    run(_put(zone, tmp_path, [b"%d" % index for index in range(count)], _yes))
    for _ in range(2):
        run(withdraw(zone, PLACE))
        assert list(run(_standing(zone))) == ["G01690741.parquet"]
        assert run(zone.read(PLACE.description)) is None


def test_a_builder_does_not_restore_what_was_withdrawn_meanwhile(run: Run, zone: LandingZone, tmp_path: Path) -> None:
    """It had looked at the table before."""
    run(_put(zone, tmp_path, [b"before"], _yes, "1"))
    looks: list[bool] = []

    async def withdrawn() -> bool:
        looks.append(not looks)
        if looks == [True]:
            await withdraw(zone, PLACE)
        return looks[-1]

    assert not run(_put(zone, tmp_path, [b"after"], withdrawn, "2"))
    assert run(_standing(zone)) == {}


def test_a_table_of_stale_inputs_replaces_nothing(run: Run, zone: LandingZone, tmp_path: Path) -> None:
    """Neither where there is none, nor where there is one."""
    assert not run(_put(zone, tmp_path, [b"stale"], _no))
    assert run(_standing(zone)) == {}
    run(_put(zone, tmp_path, [b"current"], _yes))
    assert not run(_put(zone, tmp_path, [b"stale"], _no, "2"))
    assert run(published(zone, PLACE, VERSION))


def test_a_table_that_became_stale_with_its_last_file_is_not_described(
    run: Run, zone: LandingZone, tmp_path: Path
) -> None:
    """Nor is anything removed for it."""
    run(_put(zone, tmp_path, [b"before"], _yes, "1"))
    looks = iter([True, True, False])

    async def at_first() -> bool:
        return next(looks)

    assert not run(_put(zone, tmp_path, [b"1", b"2"], at_first, "2"))
    assert len(run(_standing(zone))) == 3
    assert run(published(zone, PLACE, "1")) is run(published(zone, PLACE, "2")) is None


def test_who_lost_the_swap_looks_at_the_inputs_again(run: Run, zone: LandingZone, tmp_path: Path) -> None:
    """Another builder was faster, with newer inputs: this one sees that its own are stale."""
    looks: list[bool] = []

    async def overtaken() -> bool:
        looks.append(not looks)
        if looks == [True]:
            (tmp_path / "other").mkdir()
            assert await _put(zone, tmp_path / "other", [b"newer"], _yes, "2")
        return looks[-1]

    assert not run(_put(zone, tmp_path, [b"older"], overtaken, "1"))
    assert looks == [True, False]
    assert run(published(zone, PLACE, "2"))


@pytest.mark.parametrize("name", ["G016907411-1", "G016907411-2", "G016907411-3", "G016907411"])
def test_files_that_are_not_the_described_ones_are_not_taken_for_published(
    run: Run, zone: LandingZone, tmp_path: Path, name: str
) -> None:
    """A builder that died left one of another table, in the place of one or beside them: there is work for the next."""
    run(_put(zone, tmp_path, [b"1", b"2"], _yes))
    run(zone.write(f"{PLACE.folder}/{name}.parquet", b"other"))
    assert run(published(zone, PLACE, VERSION)) is None
    assert run(_put(zone, tmp_path, [b"1", b"2"], _yes))
    assert run(_standing(zone)) == {"G016907411-1.parquet": b"1", "G016907411-2.parquet": b"2"}


def test_a_table_of_which_somebody_has_replaced_a_file_is_not_described(
    run: Run, zone: LandingZone, tmp_path: Path
) -> None:
    """Even if the inputs are current again by then."""
    looks: list[bool] = []

    async def overwritten() -> bool:
        looks.append(True)
        if len(looks) == 2:
            await zone.write(PLACE.files(2)[0], b"other")
        return True

    assert not run(_put(zone, tmp_path, [b"1", b"2"], overwritten))
    assert run(zone.read(PLACE.description)) is None


def test_a_file_that_is_gone_is_missed(run: Run, zone: LandingZone, tmp_path: Path) -> None:
    """The table is not taken for published."""
    run(_put(zone, tmp_path, [b"1", b"2"], _yes))
    run(zone.remove(PLACE.files(2)[0]))
    assert run(published(zone, PLACE, VERSION)) is None
