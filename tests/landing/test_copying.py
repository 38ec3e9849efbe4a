"""One blob's way, safe to walk twice, or by two at once."""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import stamina

from failures import LandingUnavailable, SourceChanged, SourceExpired, SourceUnavailable
from landing.copying import TRIES, TRYING_SECONDS, Copier
from landing.source import Source, SourceReader
from landing.zones.local_folder import LocalFolder
from landing.zones.protocol import AlreadyThere, Copy, Landed, LandingZone, OutOfTime
from tests.landing.conftest import Run
from tests.landing.fake_source import FakeSource


def never() -> bool:
    return False


def copy(run: Run, zone: Any, sources: SourceReader, source: FakeSource) -> Copy:
    copied: Copy = run(Copier(zone, sources, never).copy(source.url("x"), "v=1/x"))
    return copied


def test_a_blob_is_copied(run: Run, zone: LandingZone, sources: SourceReader, source: FakeSource) -> None:
    """A blob that has not landed is copied, and what it was at the source is told."""
    described = source.put("x", b"content")
    copied = copy(run, zone, sources, source)
    assert copied == Copy(described, described.md5, "md5")
    assert run(zone.read("v=1/x")).content == b"content"


def test_a_whole_blob_is_kept(run: Run, zone: LandingZone, sources: SourceReader, source: FakeSource) -> None:
    """A blob that has landed is not moved again."""
    source.put("x", b"content")
    copy(run, zone, sources, source)
    seen = run(zone.read("v=1/x"))
    again = copy(run, zone, sources, source)
    assert again.md5 == again.source.md5
    # A folder reads the bytes; of a container's blob only a property is seen, which whoever wrote it could choose.
    assert again.verified == ("md5" if isinstance(zone, LocalFolder) else "length")
    assert run(zone.read("v=1/x")) == seen


@pytest.mark.parametrize("there", [b"", b"other content", b"CONTENT"])
def test_another_blob_is_replaced(
    run: Run, zone: LandingZone, sources: SourceReader, source: FakeSource, there: bytes
) -> None:
    """What landed but is not the source's content is replaced, whether its length tells or only its MD5."""
    source.put("x", there)
    copy(run, zone, sources, source)
    source.put("x", b"content")
    assert copy(run, zone, sources, source).source == source.put("x", b"content")
    assert run(zone.read("v=1/x")).content == b"content"


def test_two_at_once(run: Run, zone: LandingZone, sources: SourceReader, source: FakeSource) -> None:
    """Two that copy one blob at the same time both succeed, and it lands once, whole."""
    source.put("x", b"content" * 100_000)

    async def race() -> list[Copy]:
        copies = [Copier(zone, sources, never).copy(source.url("x"), "v=1/x") for _ in range(4)]
        return await asyncio.gather(*copies)

    assert len({(copied.source, copied.md5) for copied in run(race())}) == 1
    assert run(zone.read("v=1/x")).content == b"content" * 100_000


@pytest.mark.parametrize("fault", [httpx.Response(503), httpx.Response(429), httpx.ReadError("broken")])
def test_short_faults_are_outlasted(
    run: Run, zone: LandingZone, sources: SourceReader, source: FakeSource, fault: httpx.Response | Exception
) -> None:
    """A source that fails for a moment, when described or when read, is tried again."""
    described = source.put("x", b"content")
    source.faults.extend([fault, None, fault, None, fault])
    assert copy(run, zone, sources, source).source == described


def test_tries_are_few(run: Run, folder: LocalFolder, sources: SourceReader, source: FakeSource) -> None:
    """A source that keeps failing is given up after the documented number of tries."""
    source.put("x", b"content")
    source.faults.extend([httpx.Response(503)] * 20)
    with stamina.set_testing(True, attempts=20, cap=True), pytest.raises(SourceUnavailable):
        copy(run, folder, sources, source)
    assert len(source.requests) == TRIES


@pytest.mark.parametrize(("seconds", "tries"), [(TRYING_SECONDS - 1, 2), (TRYING_SECONDS, 1)])
def test_no_try_begins_when_the_time_for_them_is_over(
    run: Run, sources: SourceReader, source: FakeSource, seconds: float, tries: int
) -> None:
    """A first try that took all of the time is the last one: what the service pulls for minutes is not begun again."""
    zone: Any = Scripted(LandingUnavailable("timed out"), None)
    copier = Copier(zone, sources, never, clock=iter((0.0, seconds)).__next__)
    with nullcontext() if tries == 2 else pytest.raises(LandingUnavailable):
        run(copier.copy(source.url("x"), "v=1/x"))
    assert len(zone.replacing) == tries


def test_the_time_that_the_first_try_took_is_not_there_for_the_others(
    run: Run, sources: SourceReader, source: FakeSource
) -> None:
    """Of what is left of it, hardly any, the second try takes all."""
    zone: Any = Scripted(LandingUnavailable("timed out"), LandingUnavailable("timed out"), None)
    copier = Copier(zone, sources, never, clock=iter((0.0, TRYING_SECONDS - 1e-9)).__next__)
    with stamina.set_testing(False), pytest.raises(LandingUnavailable):
        run(copier.copy(source.url("x"), "v=1/x"))
    assert len(zone.replacing) == 2


def test_an_expired_token_is_not_tried_again(
    run: Run, folder: LocalFolder, sources: SourceReader, source: FakeSource
) -> None:
    """A token that has run out is told at once: only a new one helps."""
    source.faults.append(httpx.Response(403))
    with pytest.raises(SourceExpired):
        copy(run, folder, sources, source)
    assert len(source.requests) == 1


class Scripted:
    """A landing zone whose copies end as they are told to; it keeps what they were asked to replace."""

    def __init__(self, *outcomes: Exception | None, there: Landed | None = None) -> None:
        self._outcomes = iter(outcomes)
        self._there = there
        self.replacing: list[str | None] = []

    async def find(self, path: str) -> Landed | None:
        return self._there

    async def copy(self, url: str, path: str, *, replacing: str | None = None, out_of_time: Callable[[], bool]) -> Copy:
        self.replacing.append(replacing)
        outcome = next(self._outcomes)
        if outcome:
            raise outcome
        return Copy(Source(url, 7), None, "length")


OTHER = Landed("v=1/x", 3, datetime(2026, 10, 8, tzinfo=UTC), None, "other-tag")


def test_a_busy_zone_is_tried_again(run: Run, sources: SourceReader, source: FakeSource) -> None:
    """A landing zone that is throttled for a moment is tried again."""
    source.put("x", b"content")
    zone = Scripted(LandingUnavailable("busy"), LandingUnavailable("busy"), None)
    copy(run, zone, sources, source)
    assert zone.replacing == [None, None, None]


def test_a_lost_race_to_replace(run: Run, sources: SourceReader, source: FakeSource) -> None:
    """A blob that a rival replaces in the very moment is told as changed: the next round compares anew."""
    source.put("x", b"content")
    zone = Scripted(AlreadyThere(), AlreadyThere(), there=OTHER)
    with pytest.raises(SourceChanged):
        copy(run, zone, sources, source)
    assert zone.replacing == [None, "other-tag"]


def test_a_blob_that_vanished(run: Run, sources: SourceReader, source: FakeSource) -> None:
    """A blob that was there and is gone a moment later is copied, on the condition that none is there."""
    source.put("x", b"content")
    zone = Scripted(AlreadyThere(), None)
    copy(run, zone, sources, source)
    assert zone.replacing == [None, None]


def test_nothing_is_replaced_before_it_is_confirmed(
    run: Run, zone: LandingZone, sources: SourceReader, source: FakeSource
) -> None:
    """What stands there may be whole and committed, and the source overwritten since it was planned."""
    source.put("x", b"committed")
    copy(run, zone, sources, source)
    source.put("x", b"overwritten")

    class Renewed(Exception):
        """The source is no longer what is to land."""

    async def refuse() -> None:
        raise Renewed

    with pytest.raises(Renewed):
        run(Copier(zone, sources, never, refuse).copy(source.url("x"), "v=1/x"))
    assert run(zone.read("v=1/x")).content == b"committed"


def test_what_replaces_nothing_needs_no_confirmation(
    run: Run, zone: LandingZone, sources: SourceReader, source: FakeSource
) -> None:
    """Neither a blob that has not landed, nor one that has landed whole, is worth a request to the API."""
    source.put("x", b"content")

    async def refuse() -> None:
        raise AssertionError

    for _ in range(2):
        run(Copier(zone, sources, never, refuse).copy(source.url("x"), "v=1/x"))


def test_out_of_time_ends_the_copy(run: Run, sources: SourceReader, source: FakeSource) -> None:
    """The end of a slice is not a fault to be tried again."""
    source.put("x", b"content")
    zone = Scripted(OutOfTime(), None)
    with pytest.raises(OutOfTime):
        copy(run, zone, sources, source)
    assert zone.replacing == [None]
