"""Removing what never committed, without ever taking anything from a commit."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from failures import LandingUnavailable
from landing.json_files import json_bytes
from landing.layout import ExportFolder, VersionFolder
from landing.sweeping import ABANDONED, OUTDATED, OVER, keep_newest, sweep
from landing.version import Contents, Totals, Version
from landing.zones.protocol import Landed, LandingZone
from tests.landing.conftest import Run

EXPORT = ExportFolder.of("billed_usage", [("invoice_id", "G016907411")])
LEFT = EXPORT.version("a" * 16)
OTHER = EXPORT.version("b" * 16)
CONTENTS = Contents("tag", {}, None, [])


def _later(passed: timedelta) -> datetime:
    return datetime.now(UTC) + passed + timedelta(seconds=2)


def _leave(run: Run, zone: LandingZone, *versions: VersionFolder) -> None:
    for version in versions:
        for path in (version.blob("part-00000.json.gz"), version.blob("sub/part.gz"), version.receipt(0, 2)):
            run(zone.write(path, b"[]"))


def _paths(run: Run, zone: LandingZone, folder: str = EXPORT.path) -> list[str]:
    async def paths() -> list[str]:
        return [landed.path async for landed in zone.list(folder)]

    listed: list[str] = run(paths())
    return listed


def test_an_abandoned_version_is_removed(run: Run, zone: LandingZone) -> None:
    """A day after it was last touched nothing is left of it, and nothing else is missing."""
    _leave(run, zone, LEFT)
    run(zone.write(EXPORT.latest, b"{}"))
    run(sweep(zone, EXPORT, _later(ABANDONED)))
    assert _paths(run, zone) == [EXPORT.latest]


def test_a_version_that_may_still_be_worked_on_is_kept(run: Run, zone: LandingZone) -> None:
    """Within a day nothing is removed."""
    _leave(run, zone, LEFT)
    before = _paths(run, zone)
    run(sweep(zone, EXPORT, _later(ABANDONED - timedelta(minutes=1))))
    assert _paths(run, zone) == before


def test_committed_versions_are_kept(run: Run, zone: LandingZone) -> None:
    """However old they are."""
    _leave(run, zone, LEFT, OTHER)
    run(zone.swap(OTHER.commit_marker, b"", None))
    run(sweep(zone, EXPORT, _later(ABANDONED * 400)))
    assert {path.split("/")[2] for path in _paths(run, zone)} == {"version=" + OTHER.version}


def test_folders_of_others_are_kept(run: Run, zone: LandingZone) -> None:
    """Only what has the name of a version is taken for one."""
    run(zone.write(f"{EXPORT.path}/version=mine/file", b"x"))
    run(sweep(zone, EXPORT, _later(ABANDONED)))
    assert _paths(run, zone) == [f"{EXPORT.path}/version=mine/file"]


def test_what_a_sweep_left_when_it_was_cut_off_is_removed_by_the_next(run: Run, zone: LandingZone) -> None:
    """Its mark, however young, keeps nobody from going on."""
    _leave(run, zone, LEFT)
    run(sweep(_Meeting(zone, _stop), EXPORT, _later(ABANDONED)))
    assert len(_paths(run, zone)) == 4
    run(sweep(zone, EXPORT, _later(ABANDONED)))
    assert _paths(run, zone) == []


class _Meeting:
    """A landing zone in which something happens right before a sweep removes what it found."""

    def __init__(self, zone: LandingZone, meanwhile: Callable[[], Awaitable[Any]]) -> None:
        self._zone = zone
        self._meanwhile = meanwhile

    def __getattr__(self, name: str) -> Any:
        return getattr(self._zone, name)

    async def remove_folder(self, folder: str, last: str) -> None:
        if await self._meanwhile():
            await self._zone.remove_folder(folder, last)


async def _stop() -> bool:
    return False


def test_a_commit_gives_way_to_a_sweep_that_has_begun(run: Run, zone: LandingZone) -> None:
    """It commits nothing while blobs are removed, and says that it may be tried again."""
    _leave(run, zone, LEFT)
    refused = []

    async def commit() -> bool:
        with pytest.raises(LandingUnavailable) as caught:
            await Version(zone, LEFT).commit(CONTENTS)
        refused.append(caught.value)
        return True

    run(sweep(_Meeting(zone, commit), EXPORT, _later(ABANDONED)))
    assert refused
    assert run(zone.find(LEFT.commit_marker)) is None
    assert run(Version(zone, LEFT).commit(CONTENTS)).blob_count == 0


def test_a_sweep_gives_way_to_a_commit_that_has_begun(run: Run, zone: LandingZone) -> None:
    """What is claimed for a commit after a first look is kept after the second, and the mark is taken away."""
    _leave(run, zone, LEFT)

    class Claiming(_Meeting):
        async def write(self, path: str, content: bytes) -> None:
            await self._zone.write(path, content)
            # As if it were written then: the sweep's clock is a day ahead of the zone's.
            self.claimed = True

        async def list(self, folder: str) -> Any:
            async for landed in self._zone.list(folder):
                yield landed
            if getattr(self, "claimed", False):
                yield landed.__class__(LEFT.commit_claim, 2, _later(ABANDONED))

    run(sweep(Claiming(zone, _stop), EXPORT, _later(ABANDONED)))
    assert len(_paths(run, zone)) == 3


def test_a_mark_that_was_left_for_long_stops_no_commit(run: Run, zone: LandingZone) -> None:
    """A sweep does not last an hour: an older mark is of one that ended with its process."""
    run(zone.write(LEFT.sweep("1"), b""))
    assert run(Version(zone, LEFT, lambda: _later(OVER)).commit(CONTENTS)).blob_count == 0


VERSIONS = [EXPORT.version(f"{number:x}" * 16) for number in range(5)]


class _Dated:
    """A landing zone in which a version's marker was written an hour before that of the next."""

    def __init__(self, zone: LandingZone) -> None:
        self._zone = zone

    def __getattr__(self, name: str) -> Any:
        return getattr(self._zone, name)

    async def find(self, path: str) -> Landed | None:
        found = await self._zone.find(path)
        number = int(path.split("version=")[1][0], 16)
        return replace(found, modified=found.modified + timedelta(hours=number)) if found else None


def _commit(run: Run, zone: LandingZone, *versions: VersionFolder, latest: VersionFolder) -> None:
    _leave(run, zone, *versions)
    for version in versions:
        run(zone.write(version.commit_marker, b""))
    run(zone.write(EXPORT.latest, json_bytes({"version": latest.version})))


def _kept(run: Run, zone: LandingZone) -> list[VersionFolder]:
    folders = {path.split("/")[2] for path in _paths(run, zone)} - {"_latest.json"}
    return [version for version in VERSIONS if f"version={version.version}" in folders]


@pytest.mark.parametrize(("count", "kept"), [(1, VERSIONS[4:]), (2, VERSIONS[3:]), (5, VERSIONS), (6, VERSIONS)])
def test_the_newest_versions_are_kept(run: Run, zone: LandingZone, count: int, kept: list[VersionFolder]) -> None:
    """So many, by the time of their commit, and nothing is left of the others."""
    _commit(run, zone, *VERSIONS, latest=VERSIONS[4])
    run(keep_newest(_Dated(zone), EXPORT, count, _later(OUTDATED)))
    assert _kept(run, zone) == kept


def test_the_latest_version_is_kept_however_old(run: Run, zone: LandingZone) -> None:
    """Data that was restored to an older state is what readers follow."""
    _commit(run, zone, *VERSIONS, latest=VERSIONS[1])
    run(keep_newest(_Dated(zone), EXPORT, 2, _later(OUTDATED)))
    assert _kept(run, zone) == [VERSIONS[1], *VERSIONS[3:]]


def test_a_young_version_is_kept_whatever_the_number(run: Run, zone: LandingZone) -> None:
    """For two days somebody may read what was the latest a moment ago."""
    _commit(run, zone, *VERSIONS, latest=VERSIONS[4])
    run(keep_newest(_Dated(zone), EXPORT, 1, _later(OUTDATED - timedelta(minutes=1))))
    assert _kept(run, zone) == VERSIONS


@pytest.mark.parametrize("pointer", [b"{", b"[]", b"{}", None])
def test_nothing_is_removed_while_nobody_knows_the_latest(run: Run, zone: LandingZone, pointer: bytes | None) -> None:
    """A pointer that was lost is written again by the next export."""
    _commit(run, zone, *VERSIONS, latest=VERSIONS[4])
    run(zone.write(EXPORT.latest, pointer) if pointer else zone.remove(EXPORT.latest))
    run(keep_newest(_Dated(zone), EXPORT, 1, _later(OUTDATED)))
    assert _kept(run, zone) == VERSIONS


def test_what_never_committed_is_not_counted(run: Run, zone: LandingZone) -> None:
    """It is neither kept for its youth nor removed by this."""
    _leave(run, zone, VERSIONS[4])
    _commit(run, zone, *VERSIONS[:2], latest=VERSIONS[1])
    run(keep_newest(_Dated(zone), EXPORT, 1, _later(OUTDATED)))
    assert _kept(run, zone) == [VERSIONS[1], VERSIONS[4]]


def test_a_version_loses_its_marker_before_its_blobs(run: Run, zone: LandingZone) -> None:
    """Whatever cuts a removal off, no version that says to be whole lacks a blob."""
    _commit(run, zone, *VERSIONS[:2], latest=VERSIONS[1])
    run(keep_newest(_Meeting(_Dated(zone), _stop), EXPORT, 1, _later(OUTDATED)))
    assert run(zone.find(VERSIONS[0].commit_marker)) is None
    assert run(zone.find(VERSIONS[0].blob("part-00000.json.gz")))


def test_what_is_found_again_gives_way_to_a_sweep_that_has_begun(run: Run, zone: LandingZone) -> None:
    """An export does not make the latest of what is being removed; afterwards it finds nothing, and copies anew."""
    _commit(run, zone, *VERSIONS[:2], latest=VERSIONS[1])
    run(zone.write(VERSIONS[0].sweep("1"), b""))
    run(zone.write(VERSIONS[0].manifest, b'{"blobs": []}'))
    with pytest.raises(LandingUnavailable):
        run(Version(zone, VERSIONS[0]).claimed())
    run(keep_newest(_Dated(zone), EXPORT, 1, _later(OUTDATED)))
    assert run(Version(zone, VERSIONS[0]).claimed()) is None


def test_a_sweep_gives_way_to_what_was_found_again(run: Run, zone: LandingZone) -> None:
    """A version that an export has claimed between the two looks is kept, and the mark is taken away."""
    _commit(run, zone, *VERSIONS[:2], latest=VERSIONS[1])

    class Claiming(_Dated):
        async def write(self, path: str, content: bytes) -> None:
            await self._zone.write(path, content)
            await self._zone.write(EXPORT.latest, json_bytes({"version": VERSIONS[0].version}))

    run(keep_newest(Claiming(zone), EXPORT, 1, _later(OUTDATED)))
    assert _kept(run, zone) == VERSIONS[:2]
    assert not _paths(run, zone, VERSIONS[0].sweeps)


def test_a_claimed_version_is_young_again(run: Run, zone: LandingZone) -> None:
    """The claim is a file that was just written: no sweep takes it for outdated before it is the latest."""
    _commit(run, zone, *VERSIONS[:2], latest=VERSIONS[1])
    run(zone.write(VERSIONS[0].manifest, b'{"blobs": []}'))
    assert run(zone.find(VERSIONS[0].commit_claim)) is None
    assert run(Version(zone, VERSIONS[0]).claimed()) == Totals(0, 0)
    assert run(zone.find(VERSIONS[0].commit_claim))
