"""What the app waits for the landing account: against a service that never answers, on a loop of virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from failures import LandingUnavailable
from landing.source import Source
from landing.zones.azure_container import AzureContainer
from landing.zones.azure_copying import PULL_SECONDS
from landing.zones.azure_patience import ANSWER_SECONDS
from tests.landing.zones.fake_service import FakeService, Silence, zone_on
from tests.simulation.virtual_time import play

SOURCE = Source("https://source.blob.core.windows.net/x/part.gz", 5)

Call = Callable[[AzureContainer], Awaitable[object]]


class Described:
    """A reader that knows the blob without asking."""

    async def describe(self, url: str) -> Source:
        return SOURCE


async def listed(zone: AzureContainer) -> list[Any]:
    return [landed async for landed in zone.list("v=1")]


CALLS: dict[str, tuple[str, Call]] = {
    "prepare": ("create", lambda zone: zone.prepare()),
    "read": ("read", lambda zone: zone.read("a/file")),
    "write": ("put", lambda zone: zone.write("a/file", b"x")),
    "swap": ("put", lambda zone: zone.swap("a/file", b"x", None)),
    "find": ("find", lambda zone: zone.find("a/file")),
    "list": ("list", listed),
}


def waited(kind: str, call: Call) -> float:
    """The seconds after which the call of a service that is silent is given up."""
    service = FakeService()
    service.fail(kind, *[Silence()] * 9)

    async def ask() -> float:
        described: Any = Described()
        with pytest.raises(LandingUnavailable, match="did not answer"):
            await call(zone_on(service, described))
        return asyncio.get_running_loop().time()

    return play(ask())


@pytest.mark.parametrize(("kind", "call"), CALLS.values(), ids=CALLS)
def test_a_silent_account_is_given_up(kind: str, call: Call) -> None:
    """Whatever is asked of it: the timers of the run go on from there, and its deadline counts."""
    assert waited(kind, call) == ANSWER_SECONDS


def test_a_pull_is_given_its_own_time() -> None:
    """The service reads up to 256 MiB before it answers."""
    assert waited("copy", lambda zone: zone.copy(SOURCE.url, "a/file", out_of_time=lambda: False)) == PULL_SECONDS
