"""Is it whole? What a version's commit promises, in every landing zone."""

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from failures import Incomplete, LandingUnavailable
from landing.copying import Copier
from landing.layout import ExportFolder, landed_name
from landing.receipts import Receipt, Receipts
from landing.source import SourceReader
from landing.version import Contents, Totals, Version
from landing.zones.protocol import LandingZone, Stored
from tests.landing.conftest import Run
from tests.landing.fake_source import FakeSource

EXPORT = ExportFolder.of("billed_usage", [("partner_tenant", "0e195b37"), ("invoice_id", "G016907411")])
FOLDER = EXPORT.version("aaaaaaaaaaaaaaaa")
BLOBS = {"_SUCCESS": b"posing", "part-0.json.gz": b"first", "part-1.json.gz": b"", "sub/part 2.json.gz": b"third one"}
ORIGIN = {"invoiceId": "G016907411", "rootDirectory": "https://source.blob.core.windows.net/exports"}
CREATED = "2026-10-08T06:37:40.1234567Z"
CONTENTS = Contents("tag", ORIGIN, CREATED, sorted(BLOBS))
TOTALS = Totals(4, 20)


class Journal:
    """A landing zone that keeps the paths of what is written, in order, and may do something before a swap."""

    def __init__(self, zone: LandingZone) -> None:
        self._zone = zone
        self.written: list[str] = []
        self.durable: list[tuple[list[str], list[str]]] = []
        self.before_swap: Callable[[], Any] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._zone, name)

    async def make_durable(self, paths: Sequence[str]) -> None:
        self.durable.append((list(self.written), list(paths)))
        await self._zone.make_durable(paths)

    async def write(self, path: str, content: bytes) -> None:
        self.written.append(path)
        await self._zone.write(path, content)

    async def swap(self, path: str, content: bytes, seen: str | None) -> bool:
        self.written.append(path)
        meanwhile, self.before_swap = self.before_swap, None
        if meanwhile:
            await meanwhile()
        return await self._zone.swap(path, content, seen)


@pytest.fixture
def journal(zone: LandingZone) -> Journal:
    return Journal(zone)


@pytest.fixture
def version(journal: Journal) -> Version:
    return Version(journal, FOLDER)


@pytest.fixture
def land(run: Run, journal: Journal, source: FakeSource, sources: SourceReader) -> Callable[..., list[Receipt]]:
    """Copies these blobs, and writes the receipt of all of them from index `start` on."""

    async def copy(blobs: dict[str, bytes], start: int | None, md5: str | None) -> list[Receipt]:
        receipts = []
        for name, content in sorted(blobs.items()):
            source.put(name, content, md5)
            path = FOLDER.blob(name)
            copied = await Copier(journal, sources, lambda: False).copy(source.url(name), path)
            described = copied.source
            receipts.append(Receipt(name, landed_name(name), described.length, copied.md5, copied.verified))
        if start is not None:
            await Receipts(journal, FOLDER).write(start, receipts)
        journal.written.clear()
        return receipts

    def land(blobs: dict[str, bytes] = BLOBS, start: int | None = 0, md5: str | None = "true") -> list[Receipt]:
        receipts: list[Receipt] = run(copy(blobs, start, md5))
        return receipts

    return land


Land = Callable[..., list[Receipt]]


def pointer(run: Run, zone: Any) -> Any:
    stored: Stored | None = run(zone.read(EXPORT.latest))
    return stored and json.loads(stored.content)


def incomplete(run: Run, version: Version, journal: Journal, contents: Contents = CONTENTS) -> str:
    """The message with which the commit is refused; nothing is written then but that it began."""
    with pytest.raises(Incomplete) as caught:
        run(version.commit(contents))
    assert journal.written == [FOLDER.commit_claim]
    assert run(version.committed()) is None
    return caught.value.message


@pytest.mark.parametrize("md5", ["true", None])
def test_a_commit(run: Run, version: Version, journal: Journal, land: Land, md5: str | None) -> None:
    """All that the manifest names has landed as its receipts say: manifest first, marker last."""
    land(md5=md5)
    assert run(version.committed()) is None
    assert run(version.commit(CONTENTS)) == TOTALS
    assert journal.written == [FOLDER.commit_claim, FOLDER.manifest, FOLDER.commit_marker]
    assert run(version.committed()) == TOTALS


def test_the_pointer_comes_last(run: Run, version: Version, journal: Journal, land: Land) -> None:
    """Nobody is sent to a version before its marker stands."""
    land()
    totals = run(version.commit(CONTENTS))
    assert pointer(run, journal) is None
    assert run(version.point_latest(CONTENTS, totals))
    assert journal.written == [FOLDER.commit_claim, FOLDER.manifest, FOLDER.commit_marker, EXPORT.latest]


def test_the_manifest(run: Run, version: Version, journal: Journal, land: Land) -> None:
    """The manifest tells source and landed name, length and MD5 of every blob, and what was exported."""
    receipts = {receipt.name: receipt for receipt in land()}
    run(version.commit(CONTENTS))
    manifest = json.loads(run(journal.read(FOLDER.manifest)).content)
    assert manifest == {
        "eTag": "tag",
        "source": ORIGIN,
        "manifestCreatedDateTime": CREATED,
        "blobCount": 4,
        "bytes": 20,
        "blobs": [
            {
                "name": name,
                "landedName": "%5FSUCCESS" if name == "_SUCCESS" else name,
                "length": len(BLOBS[name]),
                "md5": receipts[name].md5,
                "verified": "md5",
            }
            for name in sorted(BLOBS)
        ],
    }


def test_the_pointer(run: Run, version: Version, journal: Journal, land: Land) -> None:
    """The pointer names version, pattern, eTag, totals and the manifest's own time."""
    land()
    run(version.point_latest(CONTENTS, run(version.commit(CONTENTS))))
    assert run(version.latest()) == version.name
    assert pointer(run, journal) == {
        "version": FOLDER.version,
        "glob": FOLDER.glob(map(landed_name, BLOBS)),
        "eTag": "tag",
        "blobCount": 4,
        "bytes": 20,
        "manifestCreatedDateTime": CREATED,
    }
    assert version.url == f"{journal.url}/{FOLDER.path}/"


def test_an_empty_export(run: Run, version: Version) -> None:
    """An export without blobs is committed too."""
    assert run(version.commit(replace(CONTENTS, names=[]))) == Totals(0, 0)
    assert run(version.committed()) == Totals(0, 0)


def test_a_commit_may_be_repeated(run: Run, version: Version, land: Land) -> None:
    """A commit that runs twice, or at the same time twice, ends the same."""
    land()

    async def twice() -> set[Totals]:
        return {*await asyncio.gather(version.commit(CONTENTS), version.commit(CONTENTS))}

    assert run(twice()) == {TOTALS}
    assert run(version.commit(CONTENTS)) == TOTALS


def test_a_crash_before_the_marker(run: Run, version: Version, journal: Journal, land: Land) -> None:
    """A manifest without marker commits nothing, and is no obstacle."""
    land()

    async def crash() -> None:
        raise LandingUnavailable("gone")

    journal.before_swap = crash
    with pytest.raises(LandingUnavailable):
        run(version.commit(CONTENTS))
    assert run(version.committed()) is None
    assert run(version.commit(CONTENTS)) == TOTALS


def test_a_missing_blob(run: Run, version: Version, journal: Journal, land: Land) -> None:
    """A blob that the manifest names and that has not landed is named, though its receipt is there."""
    land()
    run(journal.remove(FOLDER.blob("part-0.json.gz")))
    journal.written.clear()
    assert "'part-0.json.gz'" in incomplete(run, version, journal)


@pytest.mark.parametrize("content", [b"", b"firs", b"firsts"])
def test_a_blob_of_another_length(run: Run, version: Version, journal: Journal, land: Land, content: bytes) -> None:
    """A blob that is shorter or longer than what was copied is named."""
    land()
    run(journal.write(FOLDER.blob("part-0.json.gz"), content))
    journal.written.clear()
    assert "'part-0.json.gz'" in incomplete(run, version, journal)


def test_a_blob_of_another_md5(run: Run, container: LandingZone, source: FakeSource, sources: SourceReader) -> None:
    """Where the landing zone's listing knows the MD5, a blob with another content of the same length is named."""
    version = Version(container, FOLDER)
    source.put("part.gz", b"other")
    run(Copier(container, sources, lambda: False).copy(source.url("part.gz"), FOLDER.blob("part.gz")))
    run(Receipts(container, FOLDER).write(0, [Receipt("part.gz", "part.gz", 5, "00" * 16)]))
    with pytest.raises(Incomplete, match=r"'part\.gz'"):
        run(version.commit(replace(CONTENTS, names=["part.gz"])))


def test_a_blob_without_receipt(run: Run, version: Version, journal: Journal, land: Land) -> None:
    """A blob that nobody vouches for is named."""
    land({name: content for name, content in BLOBS.items() if name != "part-1.json.gz"})
    land({"part-1.json.gz": b""}, start=None)
    assert "'part-1.json.gz'" in incomplete(run, version, journal)


@pytest.mark.parametrize("name", ["stray.json.gz", "sub/stray", "%5Fposing"])
def test_a_foreign_blob(run: Run, version: Version, journal: Journal, land: Land, name: str) -> None:
    """A blob that readers would find and the manifest does not name is refused by name."""
    land()
    run(journal.write(f"{FOLDER.path}/{name}", b"foreign"))
    journal.written.clear()
    assert repr(name) in incomplete(run, version, journal)


def test_markers_of_others_are_left_alone(run: Run, version: Version, journal: Journal, land: Land) -> None:
    """Hidden files, such as engines leave behind, do not stand in the way."""
    land()
    run(journal.write(f"{FOLDER.path}/_committed_123", b""))
    run(journal.write(f"{FOLDER.path}/.crc", b""))
    run(version.commit(CONTENTS))


@pytest.mark.parametrize("later", ["length", "weighed"])
def test_the_strongest_comparison_counts(run: Run, version: Version, journal: Journal, land: Land, later: Any) -> None:
    """A later run that only saw the blob there takes nothing from what an earlier one did; nobody's word adds to it."""
    receipts = land()
    run(Receipts(journal, FOLDER).write(9, [replace(receipt, verified=later) for receipt in receipts]))
    run(version.commit(CONTENTS))
    manifest = json.loads(run(journal.read(FOLDER.manifest)).content)
    assert {blob["verified"] for blob in manifest["blobs"]} == {"md5"}


def test_ways_through_the_app_are_told(run: Run, version: Version, journal: Journal, land: Land) -> None:
    """The manifest marks the blobs that the landing account could not pull, and the totals count them."""
    receipts = land(start=None)
    run(Receipts(journal, FOLDER).write(0, [replace(receipts[0], detour=True), *receipts[1:]]))
    assert run(version.commit(CONTENTS)) == replace(TOTALS, detours=1)
    assert run(version.committed()) == replace(TOTALS, detours=1)
    manifest = json.loads(run(journal.read(FOLDER.manifest)).content)
    assert [blob.get("detour") for blob in manifest["blobs"]] == [True, None, None, None]


def test_receipts_of_interrupted_runs(run: Run, version: Version, journal: Journal, land: Land) -> None:
    """Receipts of ranges that were cut otherwise, or copied twice, agree with what landed or are passed over."""
    first = dict(sorted(BLOBS.items())[:2])
    land(first, start=0)
    land(BLOBS, start=1)
    run(Receipts(journal, FOLDER).write(7, [Receipt("part-0.json.gz", "part-0.json.gz", 999, "00" * 16)]))
    run(journal.write(FOLDER.blob("other.gz"), b"x"))
    run(Receipts(journal, FOLDER).write(8, [Receipt("other.gz", "other.gz", 1, None)]))
    run(journal.remove(FOLDER.blob("other.gz")))
    assert run(version.commit(CONTENTS)) == TOTALS


def test_a_receipt_of_another_release(run: Run, version: Version, journal: Journal, land: Land) -> None:
    """Fields that this release does not know take nothing from a receipt."""
    receipts = [receipt.to_json() | {"source_e_tag": '"1"'} for receipt in land(start=None)]
    run(journal.write(FOLDER.receipt(0, len(receipts)), json.dumps(receipts).encode()))
    assert run(version.commit(CONTENTS)) == TOTALS


@pytest.mark.parametrize("content", [b"", b"not JSON", b"{}", b"[1]", b'[{"name": "part-0.json.gz"}]'])
def test_a_receipt_that_cannot_be_read(
    run: Run, version: Version, journal: Journal, land: Land, content: bytes
) -> None:
    """It counts as none, and is not in the way of those that can."""
    land()
    run(journal.write(FOLDER.receipt(7, 8), content))
    assert run(version.commit(CONTENTS)) == TOTALS


@pytest.mark.parametrize("content", [None, b"", b"not JSON", b"[]", b'{"blobs": [1]}', b'{"blobs": [{"name": "x"}]}'])
def test_a_marker_without_a_manifest_that_can_be_read(
    run: Run, version: Version, journal: Journal, land: Land, content: bytes | None
) -> None:
    """A marker that stands alone commits nothing; the next commit compares everything and writes the manifest."""
    land()
    if content is not None:
        run(journal.write(FOLDER.manifest, content))
    run(journal.write(FOLDER.commit_marker, b""))
    assert run(version.committed()) is None
    assert run(version.commit(CONTENTS)) == TOTALS
    assert run(version.committed()) == TOTALS


@pytest.mark.parametrize("content", [None, b"", b"firs", b"firsts"])
def test_a_committed_version_that_is_not_whole_any_more(
    run: Run, version: Version, journal: Journal, land: Land, content: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    """A blob that is gone, or of another length, is named in a warning; once it is copied again, all is well."""
    land()
    run(version.commit(CONTENTS))
    path = FOLDER.blob("part-0.json.gz")
    run(journal.remove(path) if content is None else journal.write(path, content))
    assert run(version.committed()) is None
    assert run(version.claimed()) is None
    assert "'part-0.json.gz'" in caplog.text
    land()
    assert run(version.committed()) == TOTALS


def test_a_committed_blob_of_another_md5(
    run: Run, container: LandingZone, source: FakeSource, sources: SourceReader
) -> None:
    """Where the landing zone's listing knows the MD5, it is compared too."""
    version, path = Version(container, FOLDER), FOLDER.blob("part.gz")
    source.put("part.gz", b"right")
    run(Copier(container, sources, lambda: False).copy(source.url("part.gz"), path))
    run(Receipts(container, FOLDER).write(0, [Receipt("part.gz", "part.gz", 5, source.put("part.gz", b"right").md5)]))
    run(version.commit(replace(CONTENTS, names=["part.gz"])))
    assert run(version.committed()) == Totals(1, 5)
    source.put("part.gz", b"wrong")
    run(Copier(container, sources, lambda: False).copy(source.url("part.gz"), path))
    assert run(version.committed()) is None


def other(journal: Any, digest: str) -> Version:
    return Version(journal, EXPORT.version(digest * 16))


def at(created: str | None) -> Contents:
    return replace(CONTENTS, created=created)


@pytest.mark.parametrize(
    ("stands", "comes", "moves"),
    [
        ("2026-10-08T06:37:40Z", "2026-10-08T06:37:41Z", True),
        ("2026-10-08T06:37:41Z", "2026-10-08T06:37:40Z", False),
        ("2026-10-08T06:37:40Z", "2026-10-08T06:37:40Z", True),
        ("2026-10-08T06:37:40", "2026-10-08T06:37:40.0000000Z", True),
        ("2026-10-08T06:37:40.0000000Z", "2026-10-08T06:37:40+00:00", True),
        ("2026-10-08T06:37:40.05Z", "2026-10-08T06:37:40.5Z", True),
        ("2026-10-08T06:37:40.5Z", "2026-10-08T06:37:40.05Z", False),
        ("2026-10-08T06:37:40.1234567Z", "2026-10-08T06:37:40.1234568Z", True),
        ("2026-10-08T06:37:40.1Z", "2026-10-08T06:37:40", False),
        ("2026-10-08T06:37:40Z", None, True),
        (None, "2026-10-08T06:37:40Z", True),
    ],
)
def test_the_pointer_never_goes_back(
    run: Run, folder: LandingZone, stands: str | None, comes: str | None, moves: bool
) -> None:
    """The pointer moves to data whose manifest is as new or newer, and stays where it names newer data."""
    one, two = other(folder, "1"), other(folder, "2")
    assert run(one.point_latest(at(stands), TOTALS))
    assert run(two.point_latest(at(comes), TOTALS)) is moves
    assert (run(two.latest()) == two.name) is moves
    assert (run(one.latest()) == one.name) is not moves


def test_restored_data_is_latest_again(run: Run, journal: Journal) -> None:
    """When Microsoft goes back to older data, under a newer manifest, the pointer goes back to its version."""
    one, two = other(journal, "1"), other(journal, "2")
    for version, created in (
        (one, "2026-10-08T01:00:00Z"),
        (two, "2026-10-08T02:00:00Z"),
        (one, "2026-10-08T03:00:00Z"),
    ):
        assert run(version.point_latest(at(created), TOTALS))
    assert run(one.latest()) == one.name
    assert pointer(run, journal)["manifestCreatedDateTime"] == "2026-10-08T03:00:00Z"


@pytest.mark.parametrize("content", [None, b"", b"not JSON", b"\xff", b"[]", b'"text"', b'{"version": 1}'])
def test_a_broken_pointer_is_repaired(run: Run, journal: Journal, version: Version, content: bytes | None) -> None:
    """A pointer that was lost, or cannot be read, counts as none and is written anew."""
    if content is not None:
        run(journal.write(EXPORT.latest, content))
    assert run(version.latest()) != version.name
    assert run(version.point_latest(CONTENTS, TOTALS))
    assert run(version.latest()) == version.name


@pytest.mark.parametrize(("rival", "wins"), [("2026-10-08T01:00:00Z", True), ("2026-10-08T03:00:00Z", False)])
def test_a_rival_moves_the_pointer_first(run: Run, journal: Journal, rival: str, wins: bool) -> None:
    """Whoever comes second looks anew: the newer data wins, in whichever order they write."""
    one, two = other(journal, "1"), other(journal, "2")

    async def meanwhile() -> None:
        await two.point_latest(at(rival), TOTALS)

    journal.before_swap = meanwhile
    assert run(one.point_latest(at("2026-10-08T02:00:00Z"), TOTALS)) is wins
    assert (run(one.latest()) == one.name) is wins
    assert (run(two.latest()) == two.name) is not wins


def test_many_moves_at_once_converge(run: Run, journal: Journal) -> None:
    """Of any number of runs that move the pointer at once, the newest data's version is the latest in the end."""
    versions = [other(journal, digit) for digit in "12345678"]

    async def race() -> None:
        moves = (
            version.point_latest(at(f"2026-10-08T0{hour}:00:00Z"), TOTALS) for hour, version in enumerate(versions)
        )
        await asyncio.gather(*moves)

    run(race())
    assert run(versions[-1].latest()) == versions[-1].name


def test_no_secret_lands_or_is_logged(
    run: Run, version: Version, journal: Journal, land: Land, caplog: pytest.LogCaptureFixture
) -> None:
    """No file that lands holds a SAS token, nor does a log at the levels that are kept."""
    caplog.set_level(logging.WARNING)
    land()
    run(version.point_latest(CONTENTS, run(version.commit(CONTENTS))))

    async def everything() -> list[bytes]:
        stored = [await journal.read(landed.path) async for landed in journal.list("billed_usage")]
        return [one.content for one in stored if one]

    contents = run(everything())
    assert len(contents) == len(BLOBS) + 5
    assert not any(b"sig=" in content or b"s1gn" in content for content in contents)
    assert "sig=" not in caplog.text


def test_a_receipt_is_written_of_blobs_that_a_power_cut_does_not_take(run: Run, journal: Journal, land: Land) -> None:
    """All of them are made durable before their receipt says that they are there."""
    receipts = land({"a": b"1", "b/c": b"22"}, start=None)
    run(Receipts(journal, FOLDER).write(0, receipts))
    ((written_before, paths),) = journal.durable
    assert written_before == []
    assert sorted(paths) == [FOLDER.blob("a"), FOLDER.blob("b/c")]
    assert journal.written == [FOLDER.receipt(0, 2)]
