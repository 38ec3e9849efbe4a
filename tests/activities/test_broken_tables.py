"""Files of tables that somebody has broken by hand: none is believed, and none is in the way for ever."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from failures import ANEW
from messages.months import InvoicesOrder
from messages.names import READ_TABLES
from messages.tables import TablesAnswer
from tests.activities.conftest import Bench, CalledInVain, call
from tests.activities.tabling import INVOICE, Tabling

BROKEN_TEXTS = {"no JSON": b"{", "no object": b"[]", "nothing": b"", "no text": b"\xff", "no end": b"[" * 99_999}
BROKEN_VALUES: dict[str, Any] = {
    "state": 1,
    "version": None,
    "rows": "many",
    "billedCost": 7,
    "currency": ["EUR"],
    "unexplained": "0.00",
    "invoice": "0.00",
    "invoiceId": "G000000042",
    "files": [],
}

Break = Callable[[bytes], bytes]


def _with(**values: Any) -> Break:
    return lambda content: json.dumps({**json.loads(content), **values}).encode()


def _without(name: str) -> Break:
    def broken(content: bytes) -> bytes:
        described = json.loads(content)
        del described[name]
        return json.dumps(described).encode()

    return broken


def _replaced(text: bytes) -> Break:
    return lambda _: text


WAYS = {
    **{name: _replaced(text) for name, text in BROKEN_TEXTS.items()},
    **{f"no {name}": _without(name) for name in BROKEN_VALUES if name != "unexplained"},
    **{f"{name} is {value!r}": _with(**{name: value}) for name, value in BROKEN_VALUES.items()},
    "no sum in unexplained": _with(unexplained={}),
    "one file": _with(files="G016907411.parquet"),
    "a number for the total": _with(invoice={"total": 1, "currency": "EUR"}),
}


@pytest.fixture
def tabling(bench: Bench) -> Tabling:
    """On the bench."""
    return Tabling(bench)


async def _listed() -> list[dict[str, Any]]:
    return TablesAnswer.from_json(await call(READ_TABLES, InvoicesOrder("2026-09"))).tables


@pytest.fixture
def described(tabling: Tabling) -> Path:
    """What stands beside a table that was made."""
    tabling.bench.run(tabling.both)
    return tabling.file.with_name(f"_{INVOICE}.json")


def test_a_broken_description_is_passed_over_and_named(
    bench: Bench, tabling: Tabling, described: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The others are listed; the table is made again, and then it is listed too."""
    (other,) = bench.run(_listed)
    content, copied = described.read_bytes(), described.with_name("_G000000042.json")
    copied.write_bytes(content.replace(INVOICE.encode(), b"G000000042"))
    for way, broken in WAYS.items():
        caplog.clear()
        described.write_bytes(broken(content))
        listed = bench.run(_listed)
        assert [table["invoiceId"] for table in listed] == ["G000000042"], way
        (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
        assert f"_{INVOICE}.json" in warning
    copied.unlink()
    for way in ("no JSON", "no rows", "state is 1"):
        described.write_bytes(WAYS[way](content))
        bench.run(tabling.build)
        assert bench.run(_listed) == [other]


def test_what_is_known_of_an_invoice_is_read_again_where_it_is_broken(
    bench: Bench, tabling: Tabling, described: Path
) -> None:
    """Month and total are what Partner Center says."""
    about = bench.folder / f"invoices/{INVOICE}.json"
    known = json.loads(about.read_text())
    for content in (*BROKEN_TEXTS.values(), b'{"month": 9, "total": 7}'):
        about.write_bytes(content)
        assert bench.run(tabling.plan).table is not None
        assert json.loads(about.read_text()) == known


def test_what_is_no_month_or_total_of_an_invoice_is_not_believed(
    bench: Bench, tabling: Tabling, described: Path
) -> None:
    """Also where Partner Center does not say it."""
    bench.set(partner_center_base_url="https://api.partnercenter.microsoft.com")
    about = bench.folder / f"invoices/{INVOICE}.json"
    about.write_text(json.dumps({"month": ["2026-08"], "total": 7, "currency": {}, "amendments": 1}))
    bench.run(tabling.plan)
    assert json.loads(about.read_text()) == {"invoiceId": INVOICE, "month": "2026-09"}


READ_BY_SETTLING = {
    "billed_usage/**/00001.keys.parquet": b"",
    "billed_usage/**/00001.json": b"{",
    "billed_usage/**/00001.found.json": None,
    "billed_usage/**/00001.kept.json": b'{"00001.parquet": "0"}',
    "billed_reconciliation/**/00001.parquet": b"PAR1",
}
READ_BY_PUBLISHING = {
    "billed_usage/**/00001.parquet": None,
    "billed_usage/**/00001.kept.json": b"",
    "tables/**/settled.parquet": b"PAR1",
    "tables/**/totals.json": b'{"rows": 1, "billedCost": "1.00"}',
    "tables/**/settlement.kept.json": None,
}
"""Parts, and what is put in their place: nothing, or something else."""


def test_a_broken_part_is_made_anew(bench: Bench, tabling: Tabling, tmp_path: Path) -> None:
    """Whoever meets it makes nothing of it; in the end the table is what the files make in one go."""

    async def meet_one_after_the_other() -> None:
        plan = await tabling.converted()
        for name, content in READ_BY_SETTLING.items():
            _break(bench.folder, name, content)
            await _make_in_vain(tabling.settle(plan))
            await tabling.convert(plan)
        await tabling.settle(plan)
        for name, content in READ_BY_PUBLISHING.items():
            _break(bench.folder, name, content)
            await _make_in_vain(tabling.publish(plan))
            assert list(bench.folder.glob("focus/**/*")) == []
            await tabling.convert(plan)
            await tabling.settle(plan)
        await tabling.publish(plan)

    bench.run(meet_one_after_the_other)
    assert tabling.file.read_bytes() == tabling.by_hand(tmp_path / "by hand")


async def _make_in_vain(step: Awaitable[object]) -> None:
    with pytest.raises(CalledInVain) as told:
        await step
    assert told.value.not_done.kind == ANEW


def _break(folder: Path, name: str, content: bytes | None) -> None:
    (part,) = folder.glob(f"_work/focus/**/{name}")
    part.unlink()
    if content is not None:
        part.write_bytes(content)
