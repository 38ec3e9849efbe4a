"""Manifests in memory: read once a token's life, however many ask."""

import asyncio
from datetime import timedelta
from urllib.parse import quote

import pytest

from billing.answers import Manifest
from billing.manifests import WITHOUT_EXPIRY, Manifests
from tests.clock import Clock

URL = "https://graph.microsoft.com/v1.0/reports/partners/billing/operations/1"


class _Graph:
    """Reads manifests: each time with a fresh token, which is good for so many seconds."""

    def __init__(self, clock: Clock, token: str = "sv=1&se={expiry}&sig=x", seconds: float = 100) -> None:
        self.reads: list[str] = []
        self._clock = clock
        self._token = token
        self._life = timedelta(seconds=seconds)

    async def read(self, url: str) -> Manifest:
        self.reads.append(url)
        await asyncio.sleep(0)
        expiry = (self._clock() + self._life).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Manifest(url, "e", None, None, "https://x", (), self._token.format(expiry=quote(expiry, safe="")))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_manifest_is_read_once_however_many_ask_at_once(clock: Clock) -> None:
    """Sixty-four activities that begin together cost one request, and share one answer."""
    graph = _Graph(clock)
    manifests = Manifests(graph.read, clock)

    async def scenario() -> list[Manifest]:
        return list(await asyncio.gather(*(manifests.get(URL) for _ in range(64))))

    first, *others = asyncio.run(scenario())
    assert graph.reads == [URL]
    assert all(other is first for other in others)


def test_manifests_of_several_operations_are_read_side_by_side(clock: Clock) -> None:
    """Exports do not wait for each other."""
    graph = _Graph(clock)
    manifests = Manifests(graph.read, clock)

    async def scenario() -> None:
        first = asyncio.create_task(manifests.get(URL))
        second = asyncio.create_task(manifests.get(URL + "2"))
        await asyncio.sleep(0)
        assert sorted(graph.reads) == [URL, URL + "2"]
        await asyncio.gather(first, second)

    asyncio.run(scenario())


def _reads_after(clock: Clock, graph: _Graph, seconds: float) -> int:
    manifests = Manifests(graph.read, clock)

    async def scenario() -> int:
        await manifests.get(URL)
        clock.move(seconds)
        await manifests.get(URL)
        return len(graph.reads)

    return asyncio.run(scenario())


@pytest.mark.parametrize(("seconds", "reads"), [(0, 1), (79, 1), (80, 2)])
def test_a_token_is_renewed_shortly_before_it_expires(clock: Clock, seconds: float, reads: int) -> None:
    """A fifth of its life before its end a token is not handed out any more, for copying takes a while."""
    assert _reads_after(clock, _Graph(clock), seconds) == reads


@pytest.mark.parametrize("token", ["sig=x", "se=soon&sig=x", "se=&sig=x"])
@pytest.mark.parametrize(("seconds", "reads"), [(WITHOUT_EXPIRY.seconds - 1, 1), (WITHOUT_EXPIRY.seconds, 2)])
def test_a_token_that_does_not_tell_its_expiry_is_used_for_five_minutes(
    clock: Clock, token: str, seconds: float, reads: int
) -> None:
    """Neither a missing nor an unreadable expiry is an error."""
    assert timedelta(minutes=5) == WITHOUT_EXPIRY
    assert _reads_after(clock, _Graph(clock, token), seconds) == reads


def test_an_expiry_without_zone_is_utc(clock: Clock) -> None:
    """Storage's short forms of a time are understood."""
    until = (clock() + timedelta(seconds=1000)).strftime("%Y-%m-%dT%H:%M:%S")
    assert _reads_after(clock, _Graph(clock, f"se={until}&sig=x"), 799) == 1


def test_a_token_that_is_spent_when_it_is_read_is_not_kept(clock: Clock) -> None:
    """Clocks that disagree cost a request each time, and no more."""
    assert _reads_after(clock, _Graph(clock, seconds=-10), 0) == 2


def test_a_refused_token_is_renewed_before_its_time(clock: Clock) -> None:
    """Who was refused with the manifest that is kept gets another; who was refused with an older one gets that."""
    graph = _Graph(clock)
    manifests = Manifests(graph.read, clock)

    async def scenario() -> None:
        old = await manifests.get(URL)
        new = await manifests.get(URL, refused=old)
        assert new is not old
        assert await manifests.get(URL, refused=old) is new
        assert await manifests.get(URL) is new

    asyncio.run(scenario())
    assert len(graph.reads) == 2


def test_a_manifest_that_was_just_read_elsewhere_is_used(clock: Clock) -> None:
    """The poll that found the manifest spares the first copy a request."""
    graph = _Graph(clock)
    manifests = Manifests(graph.read, clock)

    async def scenario() -> None:
        kept = await graph.read(URL)
        manifests.keep(kept)
        assert await manifests.get(URL) is kept

    asyncio.run(scenario())
    assert len(graph.reads) == 1


def test_spent_manifests_are_dropped(clock: Clock) -> None:
    """A process that lives for months keeps nothing of exports long done."""
    graph = _Graph(clock)
    manifests = Manifests(graph.read, clock)

    async def scenario() -> None:
        for number in range(10):
            await manifests.get(f"{URL}{number}")
            clock.move(1000)

    asyncio.run(scenario())
    assert len(manifests._kept) == 1
    assert len(manifests._reading) <= 1


def test_a_read_that_fails_is_tried_again_by_the_next_who_asks(clock: Clock) -> None:
    """An error is told to whoever asked, and is not kept."""
    graph = _Graph(clock)
    faults = iter([ConnectionError("no")])

    async def read(url: str) -> Manifest:
        for fault in faults:
            raise fault
        return await graph.read(url)

    manifests = Manifests(read, clock)

    async def scenario() -> None:
        with pytest.raises(ConnectionError):
            await manifests.get(URL)
        assert (await manifests.get(URL)).url == URL

    asyncio.run(scenario())
