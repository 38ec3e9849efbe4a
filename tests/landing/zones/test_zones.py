"""What every landing zone keeps to: one suite for the local folder and the Azure container."""

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from failures import (
    Incomplete,
    LandingFailure,
    LandingUnavailable,
    SourceExpired,
    SourceMissing,
    SourceUnavailable,
)
from landing.zones.protocol import AlreadyThere, Landed, LandingZone
from tests.landing.conftest import Run
from tests.landing.fake_source import FakeSource

MIB = 1 << 20
SIZES = {"empty": b"", "small": b"line\n", "one block": b"b" * MIB, "several blocks": b"0123456789" * 300_000 + b"end"}
ODD_NAMES = [
    "with space.gz",
    "100%.gz",
    "a%2Fb%5Fc.gz",
    "a+b.gz",
    "a#b?c&d=e.gz",
    "é-日本-😀.gz",
    "[a]*{b}!'(c)~$,;@:=.gz",
    "key=value/sub folder/deep/er.gz",
]


def never() -> bool:
    return False


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


async def everything(zone: LandingZone, folder: str) -> list[Landed]:
    """All that is listed below the folder."""
    return [landed async for landed in zone.list(folder)]


async def below(zone: LandingZone, folder: str) -> dict[str, int]:
    """Paths and lengths of all that is listed below the folder."""
    return {landed.path: landed.length async for landed in zone.list(folder)}


def refused(run: Run, kind: type[Exception], call: Callable[[], Any]) -> Any:
    """What the call raises: exactly this kind, and without any secret in its text."""
    with pytest.raises(kind) as caught:
        run(call())
    assert type(caught.value) is kind
    assert "sig=" not in f"{caught.value!r} {caught.value.__cause__!r}"
    return caught.value


@pytest.mark.parametrize("content", [b"", b"{}\n", b"\x00\xff" * 1000])
def test_written_is_read(run: Run, zone: LandingZone, content: bytes) -> None:
    """What was written is read back, also over something that stood there."""
    run(zone.write("a/b/_file.json", b"before"))
    run(zone.write("a/b/_file.json", content))
    stored = run(zone.read("a/b/_file.json"))
    assert stored is not None
    assert stored.content == content


def test_nothing_is_found_where_nothing_stands(run: Run, zone: LandingZone) -> None:
    """What is not there is no error, neither in an empty zone nor beside other files."""
    for _ in range(2):
        assert run(zone.read("a/missing")) is None
        assert run(zone.find("a/missing")) is None
        assert run(below(zone, "a/missing")) == {}
        run(zone.write("a/present", b"x"))


def test_tags_tell_states_apart(run: Run, zone: LandingZone) -> None:
    """A tag names one state of a file: it is the same when read again, and another after a change."""
    run(zone.write("file", b"one"))
    first, again = run(zone.read("file")), run(zone.read("file"))
    run(zone.write("file", b"two"))
    assert first.tag == again.tag != run(zone.read("file")).tag


def test_swap_creates(run: Run, zone: LandingZone) -> None:
    """A file is created only where there is none, also in a folder that is not there yet."""
    assert run(zone.swap("new/folder/file", b"first", None))
    assert not run(zone.swap("new/folder/file", b"second", None))
    assert run(zone.read("new/folder/file")).content == b"first"


def test_swap_replaces_what_was_seen(run: Run, zone: LandingZone) -> None:
    """A file is replaced only as long as it is what was seen."""
    run(zone.write("a/file", b"one"))
    seen = run(zone.read("a/file")).tag
    assert run(zone.swap("a/file", b"two", seen))
    assert not run(zone.swap("a/file", b"three", seen))
    assert run(zone.read("a/file")).content == b"two"


def test_swap_does_not_revive(run: Run, zone: LandingZone) -> None:
    """A file that is gone is not what was seen."""
    run(zone.write("a/file", b"one"))
    seen = run(zone.read("a/file")).tag
    assert not run(zone.swap("a/other", b"two", seen))
    assert run(zone.read("a/other")) is None


@pytest.mark.parametrize("exists", [False, True])
def test_one_of_many_swaps_wins(run: Run, zone: LandingZone, exists: bool) -> None:
    """Of several writers that saw the same state exactly one succeeds, and its content stands."""
    if exists:
        run(zone.write("a/file", b"seen"))
    seen = run(zone.read("a/file")).tag if exists else None

    async def race() -> list[bool]:
        return await asyncio.gather(*(zone.swap("a/file", b"%d" % number, seen) for number in range(8)))

    won = run(race())
    assert sum(won) == 1
    assert run(zone.read("a/file")).content == b"%d" % won.index(True)


def test_find_tells_length_and_md5(run: Run, zone: LandingZone) -> None:
    """What stands at a path is told with its length, its MD5 where known, and a tag."""
    run(zone.write("a/file", b"content"))
    found = run(zone.find("a/file"))
    assert (found.path, found.length) == ("a/file", 7)
    assert found.md5 in {None, md5(b"content")}
    assert found.tag


def test_list_is_deep_and_exact(run: Run, zone: LandingZone) -> None:
    """A folder's listing holds all that is below it at any depth, and nothing of a sibling with a longer name."""
    for path in ["v=1/a", "v=1/sub/b", "v=1/_receipts/00000.json", "v=12/c", "v=1.gz", "other/v=1/d"]:
        run(zone.write(path, b"x" * len(path)))
    assert run(below(zone, "v=1")) == {"v=1/a": 5, "v=1/sub/b": 9, "v=1/_receipts/00000.json": 24}


def test_a_listing_tells_when_a_file_was_written(run: Run, zone: LandingZone) -> None:
    """The moment is the present one, in UTC, whatever the zone's resolution."""
    run(zone.write("v=1/a", b"x"))
    (landed,) = run(everything(zone, "v=1"))
    assert abs(datetime.now(UTC) - landed.modified) < timedelta(seconds=60)


def test_folders_are_those_right_in_the_folder(run: Run, zone: LandingZone) -> None:
    """Neither files, nor folders further down, nor those of a sibling with a longer name are told."""
    for path in ["a/v=1/x", "a/v=1/sub/y", "a/v=2/sub/z", "a/_latest.json", "ab/v=3/x"]:
        run(zone.write(path, b"x"))
    assert run(zone.folders("a")) == ["v=1", "v=2"]


def test_a_removed_file_is_gone(run: Run, zone: LandingZone) -> None:
    """It can be removed again, and its neighbours stay."""
    run(zone.write("a/file", b"x"))
    run(zone.write("a/other", b"x"))
    run(zone.remove("a/file"))
    run(zone.remove("a/file"))
    assert run(below(zone, "a")) == {"a/other": 1}


def test_only_what_was_seen_is_removed(run: Run, zone: LandingZone) -> None:
    """On its tag: what has been replaced since stays, and nothing is no fault."""
    run(zone.write("a/file", b"seen"))
    seen = run(zone.find("a/file")).tag
    run(zone.write("a/file", b"replaced"))
    run(zone.remove("a/file", seen))
    assert run(below(zone, "a")) == {"a/file": 8}
    seen = run(zone.find("a/file")).tag
    for _ in range(2):
        run(zone.remove("a/file", seen))
        assert run(below(zone, "a")) == {}


def test_a_removed_folder_is_gone(run: Run, zone: LandingZone) -> None:
    """Everything below it is removed, at any depth, and nothing beside it; it can be written again."""
    for path in ["a/v=1/x", "a/v=1/sub/y", "a/v=1/_sweeps/_1", "a/v=12/x", "a/_latest.json"]:
        run(zone.write(path, b"x"))
    run(zone.remove_folder("a/v=1", last="a/v=1/_sweeps/_1"))
    assert run(below(zone, "a")) == {"a/v=12/x": 1, "a/_latest.json": 1}
    run(zone.write("a/v=1/x", b"again"))
    assert run(below(zone, "a/v=1")) == {"a/v=1/x": 5}


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names(run: Run, zone: LandingZone, source: FakeSource, name: str) -> None:
    """A blob keeps its name, whatever characters it has, from the source to the listing."""
    run(zone.copy(source.put(name, b"content").url, f"v=1/{name}", out_of_time=never))
    assert run(zone.find(f"v=1/{name}")).length == 7
    assert run(zone.read(f"v=1/{name}")).content == b"content"
    assert run(below(zone, "v=1")) == {f"v=1/{name}": 7}


@pytest.mark.parametrize("content", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("announced", ["true", None])
def test_copies_are_whole(
    run: Run, zone: LandingZone, source: FakeSource, content: bytes, announced: str | None
) -> None:
    """A copy has the source's bytes, length and, where the source tells it, MD5, whatever its size."""
    described = source.put("blob", content, announced)
    copied = run(zone.copy(described.url, "v=1/blob", out_of_time=never))
    assert run(zone.read("v=1/blob")).content == content
    assert copied.source == described
    assert copied.md5 in {None, md5(content)}
    found = run(zone.find("v=1/blob"))
    assert found.is_copy_of(described)
    assert found.md5 == md5(content) or announced is None


async def streamed(zone: LandingZone, path: str) -> list[bytes]:
    """The pieces of the blob."""
    return [piece async for piece in zone.stream(path)]


@pytest.mark.parametrize("content", [*SIZES.values(), bytes(range(256)) * 40_000], ids=[*SIZES, "10 MB"])
def test_a_blob_is_read_back(run: Run, zone: LandingZone, source: FakeSource, content: bytes) -> None:
    """As it landed, and never much of it at once."""
    run(zone.copy(source.put("blob", content).url, "v=1/a b/blob", out_of_time=never))
    pieces = run(streamed(zone, "v=1/a b/blob"))
    assert b"".join(pieces) == content
    assert max(map(len, pieces), default=0) <= 4 * MIB


def test_a_blob_that_is_not_there_cannot_be_read_back(run: Run, zone: LandingZone) -> None:
    """That is told by its name."""
    assert "'missing'" in refused(run, Incomplete, lambda: streamed(zone, "v=1/missing")).message


def test_a_blob_is_read_back_in_one_state(run: Run, zone: LandingZone, source: FakeSource) -> None:
    """What replaces it in the middle is not mixed into it: it is read on as it was, or not to its end."""
    before, after = b"0123456789" * MIB, b"abcdefghij" * MIB

    async def scenario() -> bytes:
        await zone.copy(source.put("blob", before).url, "v=1/blob", out_of_time=never)
        pieces = aiter(zone.stream("v=1/blob"))
        first = await anext(pieces)
        tag = (await everything(zone, "v=1"))[0].tag or md5(before)
        await zone.copy(source.put("blob", after).url, "v=1/blob", replacing=tag, out_of_time=never)
        try:
            return b"".join([first, *[piece async for piece in pieces]])
        except LandingUnavailable:
            return before

    assert run(scenario()) == before


def test_reading_back_may_stop_in_the_middle(run: Run, zone: LandingZone, source: FakeSource) -> None:
    """Whoever has seen enough leaves nothing open."""

    async def scenario() -> None:
        await zone.copy(source.put("blob", bytes(10 * MIB)).url, "v=1/blob", out_of_time=never)
        async with aclosing(zone.stream("v=1/blob")) as pieces:
            await anext(pieces)

    run(scenario())


@pytest.mark.parametrize("content", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize(("announced", "verified"), [("true", "md5"), (None, "length")])
def test_a_copy_says_how_it_was_verified(
    run: Run, zone: LandingZone, source: FakeSource, content: bytes, announced: str | None, verified: str
) -> None:
    """What passed through here has the MD5 that was measured; it was compared where the source has one."""
    copied = run(zone.copy(source.put("blob", content, announced).url, "v=1/blob", out_of_time=never))
    assert (copied.md5, copied.verified) == (md5(content), verified)


@pytest.mark.parametrize("content", SIZES.values(), ids=SIZES)
def test_a_copy_does_not_overwrite(run: Run, zone: LandingZone, source: FakeSource, content: bytes) -> None:
    """Something that stands at the target is left as it is."""
    run(zone.write("v=1/blob", b"there before"))
    refused(run, AlreadyThere, lambda: zone.copy(source.put("blob", content).url, "v=1/blob", out_of_time=never))
    assert run(zone.read("v=1/blob")).content == b"there before"


@pytest.mark.parametrize("content", SIZES.values(), ids=SIZES)
def test_a_copy_replaces_what_was_found(run: Run, zone: LandingZone, source: FakeSource, content: bytes) -> None:
    """What was found at the target is replaced on request."""
    run(zone.write("v=1/blob", b"there before"))
    found = run(zone.find("v=1/blob"))
    run(zone.copy(source.put("blob", content).url, "v=1/blob", replacing=found.tag, out_of_time=never))
    assert run(zone.read("v=1/blob")).content == content


@pytest.mark.parametrize("content", SIZES.values(), ids=SIZES)
def test_a_copy_replaces_nothing_else(run: Run, zone: LandingZone, source: FakeSource, content: bytes) -> None:
    """What somebody else has put there in the meantime is left as it is."""
    run(zone.write("v=1/blob", b"there before"))
    found = run(zone.find("v=1/blob"))
    run(zone.write("v=1/blob", b"put there meanwhile"))
    described = source.put("blob", content)
    refused(run, AlreadyThere, lambda: zone.copy(described.url, "v=1/blob", replacing=found.tag, out_of_time=never))
    assert run(zone.read("v=1/blob")).content == b"put there meanwhile"


def test_one_of_many_copies_wins(run: Run, zone: LandingZone, source: FakeSource) -> None:
    """Copies of one blob that run at once leave it whole; all but one find it there."""
    described = source.put("blob", b"content" * 1000)

    async def race() -> list[Any]:
        copies = [zone.copy(described.url, "v=1/blob", out_of_time=never) for _ in range(6)]
        return await asyncio.gather(*copies, return_exceptions=True)

    outcomes = run(race())
    assert sum(not isinstance(outcome, Exception) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, AlreadyThere) for outcome in outcomes) == 5
    assert run(zone.read("v=1/blob")).content == b"content" * 1000


def fails(run: Run, zone: LandingZone, kind: type[LandingFailure], copy: Callable[[], Any]) -> None:
    """The copy fails in this way, and nothing is visible at its target."""
    refused(run, kind, copy)
    assert run(zone.find("v=1/blob")) is None
    assert run(zone.read("v=1/blob")) is None
    assert run(below(zone, "v=1")) == {}


@pytest.mark.parametrize("content", [b"content", SIZES["several blocks"]], ids=["small", "several blocks"])
def test_a_source_that_is_cut_short(run: Run, zone: LandingZone, source: FakeSource, content: bytes) -> None:
    """A body that ends too early is not taken for the blob."""
    described = source.put("blob", content)
    source.cut = 5
    fails(run, zone, SourceUnavailable, lambda: zone.copy(described.url, "v=1/blob", out_of_time=never))


@pytest.mark.parametrize("content", SIZES.values(), ids=SIZES)
def test_a_source_with_another_md5(run: Run, zone: LandingZone, source: FakeSource, content: bytes) -> None:
    """Bytes that do not have the MD5 that the source announced are not taken for the blob, of whatever size it is."""
    described = source.put("blob", content, md5(b"another"))
    fails(run, zone, SourceUnavailable, lambda: zone.copy(described.url, "v=1/blob", out_of_time=never))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (httpx.Response(401), SourceExpired),
        (httpx.Response(403), SourceExpired),
        (httpx.Response(404), SourceMissing),
        (httpx.Response(429), SourceUnavailable),
        (httpx.Response(500), SourceUnavailable),
        (httpx.ConnectError("http://127.0.0.1:1/?sig=s1gn"), SourceUnavailable),
        (httpx.ReadTimeout("?sig=s1gn"), SourceUnavailable),
    ],
)
@pytest.mark.parametrize("content", [b"content", SIZES["several blocks"]], ids=["small", "several blocks"])
def test_a_source_that_fails(
    run: Run,
    zone: LandingZone,
    source: FakeSource,
    fault: httpx.Response | Exception,
    kind: type[LandingFailure],
    content: bytes,
) -> None:
    """A source that refuses or does not answer is told as what it is, and nothing lands."""
    described = source.put("blob", content)
    source.faults.append(fault)
    fails(run, zone, kind, lambda: zone.copy(described.url, "v=1/blob", out_of_time=never))


def test_a_failed_copy_can_be_repeated(run: Run, zone: LandingZone, source: FakeSource) -> None:
    """What a failed copy leaves behind is not in the way of the next."""
    described = source.put("blob", SIZES["several blocks"])
    source.faults.extend([None, httpx.ReadError("broken")])
    refused_once = zone.copy(described.url, "v=1/blob", out_of_time=never)
    try:
        run(refused_once)
    except SourceUnavailable:
        run(zone.copy(described.url, "v=1/blob", out_of_time=never))
    assert run(zone.read("v=1/blob")).content == SIZES["several blocks"]


def test_the_url_holds_no_secret(zone: LandingZone) -> None:
    """A zone tells where it is without its key."""
    assert zone.url.startswith(("file:///", "http://127.0.0.1:"))
    assert "?" not in zone.url
