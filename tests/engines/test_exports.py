"""Whole exports and months, over HTTP, on a host of its own process."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from catalog.months import month_before
from local.running import until
from tests.engines.conftest import PROGRAM
from tests.engines.engine import Engine
from tests.engines.partner import Site, emulator, settled
from tests.faults import invariants

PATIENCE = 90
"""Seconds that an export or a month has on a busy machine."""


@pytest.fixture(scope="session")
def site(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A host that these tests share, each with invoices of its own."""
    with settled(engine, tmp_path_factory.mktemp("site"), emulator()) as everything, everything.site() as site:
        yield site


@pytest.fixture(autouse=True)
def _nothing_half(site: Site) -> Iterator[None]:
    """Whatever happened, what is committed is whole."""
    yield
    invariants.require_whole_versions(site.landing)
    invariants.require_committed_pointers(site.landing)


def test_an_export_lands_whole(site: Site) -> None:
    """With its commit marker, its pointer, and the source's bytes."""
    blobs = {f"part-{i:05d}.json.gz": bytes([i]) * 500 for i in range(6)}
    site.emulator.add_invoice("G100000001", month="2026-05")
    site.emulator.use_data("G100000001", blobs, e_tag="first")
    status = site.app.export("G100000001", PATIENCE)
    assert status["state"] == "succeeded", status["error"]
    assert status["progress"] == {"blobsDone": 6, "blobCount": 6, "bytesDone": 3000}
    (marker,) = site.committed("G100000001")
    assert {path.name: path.read_bytes() for path in marker.parent.glob("part-*")} == blobs


def test_unchanged_data_is_not_copied_again(site: Site) -> None:
    """The same invoice again ends as unchanged, under the same id."""
    site.emulator.add_invoice("G100000002", month="2026-05")
    first = site.app.export("G100000002", PATIENCE)
    again = site.app.export("G100000002", PATIENCE)
    assert [status["result"]["unchanged"] for status in (first, again)] == [False, True]
    assert first["id"] == again["id"]


def test_eight_calls_at_once_start_one_export(site: Site) -> None:
    """However many callers ask, Microsoft is asked once, and all are told the same id."""
    site.emulator.add_invoice("G100000003", month="2026-05")
    before = _posts(site)
    with ThreadPoolExecutor(8) as callers:
        locations = set(callers.map(lambda _: site.app.post("G100000003"), range(8)))
    assert locations == {"/api/exports/billedUsage-G100000003-full"}
    assert site.app.ended(locations.pop(), PATIENCE)["state"] == "succeeded"
    assert _posts(site) == before + 1


def _posts(site: Site) -> int:
    return sum(request.method == "POST" for request in site.emulator.requests)


def test_a_failed_export_says_why(site: Site) -> None:
    """Code, message and remedy come through the engine."""
    site.emulator.add_invoice("G100000004", month="2026-05")
    site.emulator.use_data("G100000004", {"../escape.json.gz": b""}, e_tag="bad")
    status = site.app.export("G100000004", PATIENCE)
    assert (status["state"], status["error"]["code"]) == ("failed", "UnsafeName")
    assert status["error"]["remedy"]


def test_an_export_of_two_thousand_blobs(site: Site) -> None:
    """In 63 ranges, as many at once as the engine runs."""
    site.emulator.add_invoice("G100000005", month="2026-05")
    blobs = {f"part-{i:05d}.json.gz": f"blob {i}".encode() for i in range(2000)}
    site.emulator.use_data("G100000005", blobs, e_tag="many")
    status = site.app.export("G100000005", PATIENCE)
    assert status["state"] == "succeeded", status["error"]
    assert status["result"]["blobCount"] == 2000
    (marker,) = site.committed("G100000005")
    assert len(list(marker.parent.glob("part-*"))) == 2000


def test_exports_are_listed_without_their_parts(site: Site) -> None:
    """Whatever came before them in the hub."""
    for number in (6, 7):
        site.emulator.add_invoice(f"G10000000{number}", month="2026-05")
        site.app.export(f"G10000000{number}", PATIENCE)
    ids = [status["id"] for status in site.app.call("GET", "/api/exports").json()]
    assert {f"billedUsage-G10000000{number}-full" for number in (6, 7)} <= set(ids)
    assert [id_ for id_ in ids if ":" in id_] == []
    assert len(ids) == len(set(ids))


def test_retry_after_is_honoured(site: Site) -> None:
    """An operation is never read before Microsoft said that it may be, though timers come up to a second early."""
    site.emulator.add_invoice("G100000008", month="2026-05")
    site.partner.retry_after = 3
    before = len(site.partner.passages)
    try:
        assert site.app.export("G100000008", PATIENCE)["state"] == "succeeded"
    finally:
        site.partner.retry_after = None
    first, second, third, *_ = [passage for passage in site.partner.passages[before:] if "/operations/" in passage.path]
    assert second.came - first.went >= 3
    assert third.came - second.went >= 3


@pytest.mark.parametrize(
    ("invoice_id", "method", "part", "after"),
    [
        ("G200000001", "POST", "/export", 0),
        ("G200000002", "GET", "/operations/", 1),
        ("G200000003", "GET", "/exports/", 2),
    ],
    ids=["starting", "polling", "copying"],
)
def test_a_cancelled_export_commits_nothing(site: Site, invoice_id: str, method: str, part: str, after: int) -> None:
    """In whatever phase."""
    site.emulator.add_invoice(invoice_id, month="2026-05")
    held = site.partner.hold(method, part, after)
    location = site.app.post(invoice_id)
    held.reached()
    assert site.cancel(location.rsplit("/", 1)[1]) == 202
    assert site.app.ended(location)["state"] == "cancelled"
    held.open()
    _export_another(site, invoice_id.replace("G2", "G7"))
    assert site.committed(invoice_id) == []


@pytest.mark.skipif(not PROGRAM, reason="It takes a minute of real time: only where the extension is, on both engines.")
@pytest.mark.timeout(180)
def test_a_month_that_is_cancelled_before_its_exports_are_seen(site: Site) -> None:
    """They are looked for until none comes any more; until then the month says when to come again."""
    invoices = [f"G20000001{number}" for number in range(4)]
    for invoice_id in invoices:
        site.emulator.add_invoice(invoice_id, month="2026-02")
    held = site.partner.hold("POST", "/export")
    listed = site.partner.answers("/v1/invoices")
    location = site.start_month("2026-02")
    until(lambda: site.partner.answers("/v1/invoices") > listed, "the invoices are listed")
    assert site.cancel("monthly-2026-02") == 202
    again = site.app.call("POST", "/api/exports/monthly", json={"month": "2026-02"})
    assert (again.status_code, int(again.headers["Retry-After"]) > 0) == (409, True)
    until(lambda: site.cancel("monthly-2026-02") == 409, "all of it has ended", 4 * PATIENCE)
    exports = [site.app.call("GET", f"{location}:billedUsage-{invoice_id}-full") for invoice_id in invoices]
    assert {export.json().get("state", export.status_code) for export in exports} <= {"cancelled", 404}
    held.open()
    assert site.app.ended(site.start_month("2026-02"), PATIENCE)["state"] == "succeeded"


def test_a_month_exports_all_of_its_invoices(site: Site) -> None:
    """The result lists each with its version."""
    for number in (1, 2, 3):
        site.emulator.add_invoice(f"G30000000{number}", month="2026-01")
    ended = site.app.ended(site.start_month("2026-01"), PATIENCE)
    assert ended["state"] == "succeeded", ended["error"]
    invoices = ended["result"]["invoices"]
    assert [invoice["invoiceId"] for invoice in invoices] == ["G300000001", "G300000002", "G300000003"]
    assert all(invoice["version"] and site.committed(invoice["invoiceId"]) for invoice in invoices)


def test_a_month_that_waits_looks_at_once_when_it_is_asked_for(site: Site) -> None:
    """The answer says so, and what was issued meanwhile lands without waiting for the next look."""
    month = month_before(datetime.now(UTC))
    location = site.start_month(month)
    until(lambda: site.app.call("GET", location).json()["phase"] == "waiting", "the month waits", PATIENCE)
    site.emulator.add_invoice("G700000003", month=month)
    asked = site.app.call("POST", "/api/exports/monthly", json={"month": month}).json()
    assert (asked["phase"], asked["nextTryAt"]) == ("listing", None)
    until(lambda: site.committed("G700000003"), "the invoice lands", PATIENCE)
    until(lambda: site.app.call("GET", location).json()["phase"] == "waiting", "the month waits again", PATIENCE)
    assert site.cancel(f"monthly-{month}") == 202


def test_a_month_that_is_asked_for_while_it_looks_looks_once_more(site: Site) -> None:
    """What was issued after its list was read is found by the look that follows, also where that was the last."""
    site.emulator.add_invoice("G700000001", month="2025-11")
    before = site.partner.answers("/v1/invoices")
    held = site.partner.hold("GET", "/operations/")
    location = site.start_month("2025-11")
    held.reached()
    site.emulator.add_invoice("G700000002", month="2025-11")
    assert site.start_month("2025-11") == location
    held.open()
    ended = site.app.ended(location, PATIENCE)
    assert ended["state"] == "succeeded", ended["error"]
    assert [invoice["invoiceId"] for invoice in ended["result"]["invoices"]] == ["G700000001", "G700000002"]
    assert site.partner.answers("/v1/invoices") == before + 2


def test_a_month_without_invoice_fails(site: Site) -> None:
    """And says so."""
    ended = site.app.ended(site.start_month("2024-02"), PATIENCE)
    assert (ended["state"], ended["error"]["code"]) == ("failed", "NoInvoice")


def test_one_invoice_that_fails_does_not_stop_the_others(site: Site) -> None:
    """What can be exported has landed; the month's failure names the other invoice."""
    for number in (1, 2):
        site.emulator.add_invoice(f"G40000000{number}", month="2026-02")
    site.emulator.use_data("G400000001", {"../escape.json.gz": b""}, e_tag="bad")
    ended = site.app.ended(site.start_month("2026-02"), PATIENCE)
    assert (ended["state"], ended["error"]["code"]) == ("failed", "InvoicesFailed")
    assert "G400000001" in json.dumps(ended["error"])
    assert len(site.committed("G400000002")) == 1


def test_a_month_tells_how_an_export_ended_while_others_run(site: Site) -> None:
    """With the request id that Microsoft's support asks for, which only the export's own status has."""
    for number in (1, 2):
        site.emulator.add_invoice(f"G80000000{number}", month="2025-10")
    site.emulator.fail("G800000001")
    held = site.partner.hold("GET", "/exports/billedUsage/")
    location = site.start_month("2025-10")
    held.reached()

    def states() -> dict[str, int]:
        shown = site.app.call("GET", location).json()["result"]
        return {state: count for state, count in shown["summary"].items() if count}

    until(lambda: states() == {"documents": 2, "running": 1, "noData": 1}, "one has ended", PATIENCE)
    first = site.app.call("GET", location).json()["result"]["invoices"][0]
    assert (first["invoiceId"], first["error"]["code"]) == ("G800000001", "5000")
    assert first["error"]["requestId"]
    held.open()
    ended = site.app.ended(location, PATIENCE)
    assert (ended["state"], ended["result"]["summary"]["landed"]) == ("failed", 1)


def test_a_month_is_cancelled_with_its_exports(site: Site) -> None:
    """Cancelled while they are copying, none of them commits anything."""
    for number in (1, 2):
        site.emulator.add_invoice(f"G50000000{number}", month="2026-03")
    held = site.partner.hold("GET", "/operations/", after=1)
    location = site.start_month("2026-03")
    held.reached()
    assert site.cancel("monthly-2026-03") == 202
    assert site.app.ended(location)["state"] == "cancelled"
    for number in (1, 2):
        site.app.ended(f"{location}:billedUsage-G50000000{number}-full")
    committed = {number: site.committed(f"G50000000{number}") for number in (1, 2)}
    held.open()
    _export_another(site, "G500000009")
    assert {number: site.committed(f"G50000000{number}") for number in (1, 2)} == committed
    assert [] in committed.values()


def test_a_month_that_is_cancelled_while_it_looks_for_invoices_exports_nothing(site: Site) -> None:
    """Their list comes too late for anybody to hear of it."""
    for number in range(1, 9):
        site.emulator.add_invoice(f"G60000000{number}", month="2026-04")
    before = _posts(site)
    held = site.partner.hold("GET", "/v1/invoices")
    location = site.start_month("2026-04")
    held.reached()
    assert site.cancel("monthly-2026-04") == 202
    assert site.app.ended(location)["state"] == "cancelled"
    held.open()
    _export_another(site, "G600000009")
    assert _posts(site) == before + 1


def _export_another(site: Site, invoice_id: str) -> None:
    """Gives what should have ended, and has not, the time to go on."""
    site.emulator.add_invoice(invoice_id, month="2025-12")
    assert site.app.export(invoice_id, PATIENCE)["state"] == "succeeded"
