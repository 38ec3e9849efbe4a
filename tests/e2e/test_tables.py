"""The table of an invoice, as a person sees it come about: after exports, by hand, and on a host that dies."""

import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
from azure.storage.blob import ContainerClient

from local.azurite import Azurite
from local.emulator import Emulator, EmulatorOptions
from local.running import PATIENCE, ROOT, Host, beside, host, served
from tests.e2e.gates import QUICK

INVOICE = "G016907411"
PATIENTLY = 4 * PATIENCE
DEATHS = [
    ("before", "convert_lines", 1),
    ("after", "00001.kept.json", 1),
    ("after", "convert_lines", 1),
    ("before", "totals.json", 1),
    ("after", "settle_table", 1),
    ("before", f"{INVOICE}.parquet", 1),
    ("after", f"{INVOICE}.parquet", 1),
    ("after", "publish_table", 1),
]
"""At every step of a table, and within those that write several files."""

pytestmark = pytest.mark.timeout(300)


@dataclass
class World:
    """An emulator that is Partner Center too, and settings for an app that lands in a folder."""

    settings: dict[str, str]
    landing: Path

    @property
    def file(self) -> Path:
        """The table."""
        (file,) = self.landing.glob("focus/*/*/*.parquet")
        return file


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A small invoice."""
    landing = tmp_path / "landing"
    with beside(served(Emulator(EmulatorOptions(blobs=3, rows=10, customers=3, running_polls=0)).app)) as url:
        settings = {"GRAPH_BASE_URL": f"{url}/v1.0", "PARTNER_CENTER_BASE_URL": url, "LANDING_URL": landing.as_uri()}
        yield World(QUICK | settings | {"TABLES": "on"}, landing)


def _exported(app: Host, dataset: str) -> Any:
    response = app.call("POST", "/api/exports", json={"invoiceId": INVOICE, "dataset": dataset})
    ended = app.ended(response.headers["Location"], PATIENTLY)
    assert ended["state"] == "succeeded", ended["error"]
    return ended["result"]


def test_each_export_ends_with_the_invoice_s_table(world: World, tmp_path: Path) -> None:
    """Partial after the first, complete after the second; by hand it is found, watched and listed."""
    with host(world.settings, tmp_path) as app:
        partial = _exported(app, "billedUsage")
        complete = _exported(app, "billedReconciliation")
        made = app.call("POST", "/api/tables", json={"invoiceId": INVOICE})
        by_hand = app.ended(made.headers["Location"], PATIENTLY)
        month = world.file.parent.name.removeprefix("billing_month=")
        of_month = app.call("POST", "/api/tables", json={"month": month})
        all_by_hand = app.ended(of_month.headers["Location"], PATIENTLY)
        listed = app.call("GET", f"/api/tables?month={month}").json()
        faulty = [app.call("GET", "/api/tables?month=nonsense"), app.call("POST", "/api/tables", json={"month": 1})]
        unknown = [app.call("GET", f"/api/tables/{id_}") for id_ in ("table-G0001", "billedUsage-G016907411-full")]
    assert (partial["table"]["state"], complete["table"]["state"]) == ("partial", "complete")
    assert complete["contentVerified"] is True
    assert complete["table"]["unexplained"] == "0.00"
    assert made.headers["Location"].endswith(f"/api/tables/table-{INVOICE}")
    assert by_hand["result"] == complete["table"]
    assert all_by_hand["result"] == {"month": month, "tables": [{"invoiceId": INVOICE, **complete["table"]}]}
    assert [{name: table[name] for name in complete["table"]} for table in listed] == [complete["table"]]
    assert listed[0]["invoice"]["total"] == complete["table"]["sum"]
    assert [answer.status_code for answer in (*faulty, *unknown)] == [400, 400, 404, 404]
    billed = duckdb.read_parquet(f"{world.landing}/focus/**/*.parquet").aggregate("sum(BilledCost)::VARCHAR").fetchall()
    assert billed[0][0].startswith(complete["table"]["sum"])
    (tmp_path / "landed").symlink_to(world.landing)
    shown = _shown_by_the_page(tmp_path)
    assert all(text in shown for text in (INVOICE, month, "Usage", "Tax", "EUR"))


def _shown_by_the_page(folder: Path) -> str:
    """What the page's own lines of Python print, run where something has landed."""
    page = (ROOT / "docs" / "focus.md").read_text(encoding="utf-8")
    (lines,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    ran = subprocess.run([sys.executable, "-c", lines], cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_an_invoice_of_which_nothing_has_landed_has_no_table(world: World, tmp_path: Path) -> None:
    """The run fails, and says what to do first."""
    with host(world.settings, tmp_path) as app:
        made = app.call("POST", "/api/tables", json={"invoiceId": "G000000042"})
        ended = app.ended(made.headers["Location"])
    assert (ended["state"], ended["error"]["code"]) == ("failed", "NothingLanded")
    assert "partner.billing.table.failed table-G000000042" in app.log.read_text()


@pytest.mark.azurite
def test_a_container_gets_the_same_bytes_as_a_folder(world: World, tmp_path: Path, azurite: Azurite) -> None:
    """Of the table; beside it the same is said."""
    container = f"tables-{uuid.uuid4().hex[:8]}"
    in_container = {
        "LANDING_URL": f"{azurite.landing_account_url}/{container}",
        "LANDING_CONNECTION_STRING": azurite.landing_connection_string,
    }
    for settings in (world.settings, world.settings | in_container):
        with host(settings, tmp_path) as app:
            _exported(app, "billedUsage")
            _exported(app, "billedReconciliation")
    with ContainerClient.from_connection_string(azurite.landing_connection_string, container) as client:
        landed = {blob.name: client.download_blob(blob.name).readall() for blob in client.list_blobs("focus/")}
    files = [world.file, world.file.with_name(f"_{INVOICE}.json")]
    assert landed == {file.relative_to(world.landing).as_posix(): file.read_bytes() for file in files}


@pytest.mark.parametrize(("moment", "name", "call"), DEATHS)
def test_a_host_that_dies_over_a_table_goes_on_with_it(
    world: World, tmp_path: Path, moment: str, name: str, call: int
) -> None:
    """It ends as if nothing had happened, and nothing is left half."""
    state = tmp_path / "state.sqlite"
    program = ["tests.e2e.dying_host", moment, name, str(call)]
    with host(world.settings | {"TABLES": "off"}, tmp_path) as app:
        _exported(app, "billedUsage")
        _exported(app, "billedReconciliation")
    with host(world.settings, tmp_path, state, program=program) as app:
        with suppress(httpx.TransportError):
            app.call("POST", "/api/tables", json={"invoiceId": INVOICE})
        assert app.process.wait(PATIENTLY) == -signal.SIGKILL
    with host(world.settings, tmp_path, state) as app:
        ended = app.ended(f"/api/tables/table-{INVOICE}", PATIENTLY)
        (listed,) = app.call("GET", f"/api/tables?month={world.file.parent.name.rpartition('=')[2]}").json()
    assert ended["state"] == "succeeded", ended["error"]
    table = ended["result"]
    assert (table["state"], table["unexplained"]) == ("complete", "0.00")
    assert listed["sum"] == listed["invoice"]["total"] == table["sum"]
    assert duckdb.read_parquet(str(world.file)).aggregate("count(*)").fetchall() == [(table["rows"],)]
    assert list(world.landing.rglob(".unfinished-*")) == []
    assert list(world.landing.glob("_work/focus/tables/**/*.parquet")) == []
