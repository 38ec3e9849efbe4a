"""The table of an invoice is made of what `_latest.json` names, wherever it has landed."""

import json
import shutil
from io import StringIO
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from local.tabulating import NothingLanded, Unwritable, make_table
from tables.sums import amount_text
from tests.tables.ledger import INVOICE, Exports, landed


@pytest.fixture
def exports(tmp_path: Path) -> Exports:
    """Both exports of an invoice in a landing folder, each with an older version beside it."""
    exports = landed(tmp_path / "made", rows=200)
    for blobs, folder in ((exports.usage, "billed_usage"), (exports.lines, "billed_reconciliation")):
        export = tmp_path / "landed" / folder / "partner_tenant=p" / f"invoice_id={INVOICE}" / "attribute_set=full"
        for version in ("0new", "0old"):
            (export / f"version={version}").mkdir(parents=True)
            for blob in blobs:
                shutil.copy(blob, export / f"version={version}" / blob.name)
        size = sum(blob.stat().st_size for blob in blobs)
        latest = {"glob": "version=0new/*.c000.json.gz", "blobCount": len(blobs), "bytes": size}
        (export / "_latest.json").write_text(json.dumps(latest))
    return exports


@pytest.fixture
def console() -> Console:
    """A console whose text can be read."""
    return Console(file=StringIO(), width=200)


@pytest.mark.parametrize("name", ["table.parquet", "table.csv", "table.CSV"])
def test_the_one_invoice_of_a_folder_comes_to_its_total(
    tmp_path: Path, exports: Exports, console: Console, name: str
) -> None:
    """As Parquet or as CSV, and the console says so."""
    make_table(str(tmp_path / "landed"), tmp_path / name, console)
    with duckdb.connect() as connection:
        query = f"SELECT sum(BilledCost)::DECIMAL(38,2) FROM '{tmp_path / name}'"  # noqa: S608
        assert connection.execute(query).fetchall() == [(exports.total,)]
    assert isinstance(console.file, StringIO)
    shown = console.file.getvalue()
    assert "complete" in shown
    assert amount_text(exports.total) in shown
    assert "Unexplained: 0 rows" in shown


def test_an_invoice_is_looked_for_where_the_settings_say(
    tmp_path: Path, exports: Exports, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the folder of LANDING_URL."""
    monkeypatch.setenv("LANDING_URL", (tmp_path / "landed").as_uri())
    make_table(INVOICE, tmp_path / "table.parquet", console)
    assert (tmp_path / "table.parquet").exists()
    with pytest.raises(NothingLanded, match="Nothing of invoice G000000042"):
        make_table("G000000042", None, console)


@pytest.mark.parametrize(("is_without_usage", "state"), [(False, "partial"), (True, "complete")])
def test_reconciliation_alone_is_complete_where_the_invoice_has_no_usage(
    tmp_path: Path, exports: Exports, console: Console, is_without_usage: bool, state: str
) -> None:
    """Nothing that lands tells it: who knows it says so."""
    shutil.rmtree(tmp_path / "landed" / "billed_usage")
    make_table(str(tmp_path / "landed"), tmp_path / "table.parquet", console, is_without_usage=is_without_usage)
    assert isinstance(console.file, StringIO)
    assert f": {state}" in " ".join(console.file.getvalue().split())


def test_a_folder_without_an_invoice_is_refused(tmp_path: Path, console: Console) -> None:
    """As one that is not there."""
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(NothingLanded, match=f"No invoice has landed in {folder}"):
            make_table(str(folder), None, console)


@pytest.mark.usefixtures("exports")
def test_a_folder_with_several_invoices_is_refused(tmp_path: Path, console: Console) -> None:
    """The message names them."""
    usage = tmp_path / "landed" / "billed_usage" / "partner_tenant=p"
    shutil.copytree(usage / f"invoice_id={INVOICE}", usage / "invoice_id=G000000042")
    with pytest.raises(NothingLanded, match=rf"has 2 invoices: G000000042, {INVOICE}\. Give the id of one"):
        make_table(str(tmp_path / "landed"), None, console)


@pytest.mark.usefixtures("exports")
@pytest.mark.parametrize("kept", [None, 100])
def test_what_is_not_whole_is_refused(tmp_path: Path, console: Console, kept: int | None) -> None:
    """A table of a copy that lacks a blob, or a part of one, would come to less than Microsoft charges."""
    blob = next((tmp_path / "landed" / "billed_usage").rglob("version=0new/*.gz"))
    content = blob.read_bytes()
    blob.unlink()
    if kept is not None:
        blob.write_bytes(content[:kept])
    with pytest.raises(NothingLanded, match=r"does not have the \d+ blobs of \d+ bytes"):
        make_table(str(tmp_path / "landed"), tmp_path / "table.parquet", console)


@pytest.mark.usefixtures("exports")
@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_damaged_pointer_is_named(tmp_path: Path, console: Console, text: str) -> None:
    """The next export writes it anew."""
    (pointer,) = (tmp_path / "landed" / "billed_usage").rglob("_latest.json")
    pointer.write_text(text)
    with pytest.raises(NothingLanded, match=r"_latest\.json is damaged"):
        make_table(str(tmp_path / "landed"), tmp_path / "table.parquet", console)


@pytest.mark.usefixtures("exports")
@pytest.mark.parametrize("name", ["missing/table.parquet", "missing/table.csv", "folder", "folder.csv"])
def test_a_place_where_no_file_can_be_is_refused(tmp_path: Path, console: Console, name: str) -> None:
    """In a sentence that names it, and nothing is left beside it."""
    folders = {tmp_path / folder for folder in ("folder", "folder.csv")}
    for folder in folders:
        folder.mkdir()
    before = set(tmp_path.iterdir())
    with pytest.raises(Unwritable, match=f"{name} cannot be written: "):
        make_table(str(tmp_path / "landed"), tmp_path / name, console)
    assert set(tmp_path.iterdir()) == before
    assert not any(content for folder in folders for content in folder.iterdir())
