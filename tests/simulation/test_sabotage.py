"""The simulation can fail: each of these worlds has one piece that does not keep its promise, and that is noticed."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from activities.versions import version_folder
from clients.process import clients
from failures import SourceUnavailable
from landing.zones.protocol import Copy
from messages.exports import VersionOrder
from messages.names import COMMIT_EXPORT
from tests.simulation.chance import Chance
from tests.simulation.circumstances import Circumstances
from tests.simulation.host import Activity, Host, Json
from tests.simulation.memory_zone import MemoryZone
from tests.simulation.release import Release, following
from tests.simulation.story import Story
from tests.simulation.virtual_time import play
from tests.simulation.world import World

SEEDS = range(40)
CIRCUMSTANCES = Circumstances(hosts=2, restless_seconds=300)


class _Overwriting(MemoryZone):
    """Writes small files whatever stands there."""

    async def swap(self, path: str, content: bytes, seen: str | None) -> bool:
        await self.write(path, content)
        return True


class _Credulous(MemoryZone):
    """Takes what was cut short for whole."""

    async def copy(self, url: str, path: str, *, replacing: str | None = None, out_of_time: Callable[[], bool]) -> Copy:
        try:
            return await super().copy(url, path, replacing=replacing, out_of_time=out_of_time)
        except SourceUnavailable:
            source = await self._sources.describe(url)
            self._storage.put(path, bytes(source.length), source.md5)
            return Copy(source, source.md5, "length")


class _Replacing(MemoryZone):
    """Copies over what stands there."""

    def _require(self, path: str, tag: str | None) -> None:
        """Whatever it is."""


class OverwritingWorld(World):
    zone = _Overwriting


class CredulousWorld(World):
    zone = _Credulous


class ReplacingWorld(World):
    zone = _Replacing


class ForgetfulWorld(World):
    """Deploys a release whose step is for all runs, also for those that were under way."""

    def next_release(self) -> Release:
        return following(takes_step=lambda _: True)


class HastyWorld(World):
    """Marks a version as committed before it is compared."""

    def around(self, name: str, activity: Activity, host: Host) -> Activity:
        return super().around(name, _hasty(activity) if name == COMMIT_EXPORT else activity, host)


def _hasty(commit: Activity) -> Activity:
    async def marked_first(message: Json) -> Json:
        order = VersionOrder.from_json(message)
        marker = version_folder(order.request, order.plan).commit_marker
        await (await clients()).zone.swap(marker, b"", None)
        return await commit(message)

    return marked_first


def _play_all(kind: type[World], circumstances: Circumstances) -> None:
    for seed in SEEDS:
        play(_tell(kind, Chance(seed, severity=1), circumstances))


async def _tell(kind: type[World], chance: Chance, circumstances: Circumstances) -> None:
    world = kind(chance, circumstances)
    try:
        await Story(world).tell()
    finally:
        await world.stop()


@pytest.mark.parametrize(
    ("kind", "circumstances", "noticed"),
    [
        (OverwritingWorld, CIRCUMSTANCES, "_SUCCESS was written after the commit"),
        (ReplacingWorld, CIRCUMSTANCES, "gz was written after the commit"),
        (CredulousWorld, replace(CIRCUMSTANCES, knows_md5=False), "version="),
        (ForgetfulWorld, CIRCUMSTANCES, "NotDeterministic"),
        (HastyWorld, CIRCUMSTANCES, "_manifest.json"),
    ],
)
def test_a_broken_promise_is_noticed(kind: type[World], circumstances: Circumstances, noticed: str) -> None:
    """Within a few worlds an invariant that depends on the promise does not hold."""
    with pytest.raises((AssertionError, KeyError), match=noticed):
        _play_all(kind, circumstances)
