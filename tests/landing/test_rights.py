"""Proof that the app may write to its landing zone."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from failures import LandingRefused, LandingUnavailable
from landing.rights import PROOF, PROVEN, Rights, prove_rights
from landing.zones.protocol import LandingZone
from tests.clock import Clock
from tests.landing.conftest import Run


class Watched:
    """A landing zone that keeps what is called, and refuses the next calls of `refusing`."""

    def __init__(self, zone: LandingZone) -> None:
        self._zone = zone
        self.calls: list[str] = []
        self.refusing: dict[str, Exception] = {}

    def __getattr__(self, name: str) -> Any:
        called = getattr(self._zone, name)

        async def watched(*given: Any, **options: Any) -> Any:
            self.calls.append(name)
            if name in self.refusing:
                raise self.refusing[name]
            return await called(*given, **options)

        return watched


@pytest.fixture
def watched(zone: LandingZone) -> Watched:
    return Watched(zone)


def test_the_proof_is_created_then_overwritten(run: Run, watched: Any) -> None:
    """Reading, creating and overwriting are all tried; deleting is not."""
    for _ in range(2):
        run(prove_rights(watched))
        assert run(watched.read(PROOF)).content == b""
    assert set(watched.calls) == {"prepare", "read", "swap"}


def test_many_at_once_prove_their_rights(run: Run, watched: Any) -> None:
    """Whoever finds that somebody else was faster may write, too."""

    async def race() -> None:
        await asyncio.gather(*(prove_rights(watched) for _ in range(8)))

    run(race())
    run(race())


def test_a_proof_counts_for_an_hour(run: Run, watched: Any) -> None:
    """Activities that follow each other, or come together, ask nothing more."""
    clock = Clock()
    rights = Rights(watched, clock)

    async def together() -> None:
        await asyncio.gather(*(rights.require() for _ in range(4)))

    run(together())
    clock.move(PROVEN - timedelta(seconds=1))
    run(rights.require())
    assert watched.calls == ["prepare", "read", "swap"]
    clock.move(1)
    run(rights.require())
    assert watched.calls == ["prepare", "read", "swap"] * 2


@pytest.mark.parametrize("call", ["prepare", "read", "swap"])
@pytest.mark.parametrize("fault", [LandingRefused("No."), LandingUnavailable("Away.")])
def test_what_was_not_proven_is_tried_again(run: Run, watched: Any, call: str, fault: Exception) -> None:
    """A zone that was away, or refused, for a moment does not spoil the process for good."""
    rights = Rights(watched, Clock())
    watched.refusing = {call: fault}
    for _ in range(2):
        with pytest.raises(type(fault)):
            run(rights.require())
    watched.refusing = {}
    run(rights.require())
    assert run(watched.read(PROOF))
