"""Sweeps that may not delete: one warning each, and nothing to what they follow, which has succeeded."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from catalog.export_request import ExportRequest
from clients.process import Clients
from failures import Failure, LandingRefused, TokenUnavailable
from local.emulator import EmulatorOptions
from tests.activities.conftest import REQUEST, Bench
from tests.activities.tabling import Tabling

UNBILLED = ExportRequest.parse({"dataset": "unbilledUsage", "currencyCode": "EUR", "billingPeriod": "current"})


class Keeping:
    """A landing zone that takes everything and lets nobody delete. `asked`: how often somebody wanted to."""

    def __init__(self, zone: Any, refusal: Failure) -> None:
        self._zone = zone
        self._refusal = refusal
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        return self._refuse if name in {"remove", "remove_folder"} else getattr(self._zone, name)

    async def _refuse(self, *_: Any, **__: Any) -> None:
        self.asked += 1
        raise self._refusal


class KeepingBench(Bench):
    """A bench with such a zone, and a clock that is days ahead of what has landed."""

    zone: Keeping
    refusal: Failure

    def clients(self) -> Clients:
        made = super().clients()
        zone: Any = Keeping(made.zone, self.refusal)
        self.zone = zone
        return replace(made, zone=zone)


@pytest.fixture(params=[LandingRefused("No."), TokenUnavailable("Not now.")], ids=lambda refusal: refusal.code)
def bench(request: pytest.FixtureRequest, tmp_path: Any) -> KeepingBench:
    bench = KeepingBench(tmp_path / "landed", EmulatorOptions(blobs=2, rows=5, customers=2, running_polls=0))
    bench.refusal = request.param
    bench.set(keep_versions=1)
    return bench


Story = Callable[[Bench], Awaitable[Any]]


async def leave_a_version(bench: Bench) -> None:
    """As a crash before the commit does."""
    await bench.copy(await bench.plan())
    bench.emulator.restate("G016907411", 1)


async def leave_a_version_behind(bench: Bench) -> None:
    await leave_a_version(bench)
    await bench.export(REQUEST)


async def export_again(bench: Bench) -> None:
    assert (await bench.reuse(await bench.plan())).result is not None


async def export_unbilled(bench: Bench) -> None:
    for revision in range(2):
        bench.emulator.restate("EUR", revision, dataset="unbilledUsage", billing_period="current")
        await bench.export(UNBILLED)


async def table(bench: Bench) -> None:
    await Tabling(bench).both()


async def nothing(_: Bench) -> None: ...


SWEEPS: dict[str, tuple[Story, Story]] = {
    "a version that never committed": (leave_a_version, lambda bench: bench.export(REQUEST)),
    "the same, after an export of nothing new": (leave_a_version_behind, export_again),
    "versions that are too many": (nothing, export_unbilled),
    "what only a table needed": (nothing, table),
}


@pytest.mark.parametrize(("before", "swept"), SWEEPS.values(), ids=SWEEPS)
def test_a_sweep_that_may_not_delete_is_one_warning(
    bench: KeepingBench, caplog: pytest.LogCaptureFixture, before: Story, swept: Story
) -> None:
    """It says so once, however much there is to delete; the next sweep tries again."""
    bench.clock.moment = datetime.now(UTC) + timedelta(days=3)
    bench.run(lambda: before(bench))
    caplog.clear()
    bench.run(lambda: swept(bench))
    assert bench.zone.asked
    (warning,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "could not be removed" in warning.getMessage()
    assert bench.refusal.message in warning.getMessage()
