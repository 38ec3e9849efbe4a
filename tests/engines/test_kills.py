"""A host that is killed while exports are in every phase, and the next one on the same hub."""

from pathlib import Path

import pytest

from tests.engines.engine import Engine
from tests.engines.partner import emulator, settled
from tests.faults import invariants

PATIENCE = 180
"""Seconds: what a killed process held, the extension delivers again after a minute, and a lease has to end before."""


PHASES = {
    "G000000002": ("GET", "/operations/", 0),
    "G000000003": ("GET", "/manifests/", 0),
    "G000000004": ("GET", "/exports/", 0),
    "G000000005": ("GET", "/manifests/", 1),
    # All of them are started by the same path.
    "G000000001": ("POST", "/export", 0),
}
"""Each invoice with the request that its export is held at: it polls, plans, copies, commits, starts."""


@pytest.mark.timeout(2 * PATIENCE)
def test_a_host_that_comes_back_goes_on_by_itself(engine: Engine, tmp_path: Path) -> None:
    """Killed while one export starts, one polls, one plans, one copies and one commits: all succeed."""
    with settled(engine, tmp_path, emulator(linked_manifest=True)) as everything:
        for number in range(1, 7):
            everything.emulator.add_invoice(f"G00000000{number}", month=f"2026-0{number}")
        with everything.site() as site:
            ended = site.app.export("G000000006", PATIENCE)
            locations, holds = [], []
            for invoice_id, request in PHASES.items():
                held = everything.partner.hold(*request)
                locations.append(site.app.post(invoice_id))
                held.reached()
                holds.append(held)
            site.app.kill()
        for held in holds:
            held.open()
        with everything.site() as site:
            states = [site.app.ended(location, PATIENCE)["state"] for location in locations]
            known = site.app.status(f"/api/exports/{ended['id']}")
    assert states == ["succeeded"] * 5
    assert known == ended
    assert len(list(everything.landing.rglob("_SUCCESS"))) == 6
    invariants.require_whole_versions(everything.landing)
    invariants.require_committed_pointers(everything.landing)
    invariants.require_nothing_unfinished(everything.landing, ())
