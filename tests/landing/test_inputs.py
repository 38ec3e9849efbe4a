"""What is an invoice's table made of?"""

import pytest

from failures import NothingLanded, SeveralPartners
from landing.inputs import ABSENT, NO_DATA, find_invoice, table_version
from landing.json_files import json_bytes
from landing.layout import ExportFolder, InvoiceFolder
from landing.zones.protocol import LandingZone
from tests.landing.conftest import Run

DATASETS = ("billed_usage", "billed_reconciliation")
PARTNER = "partner_tenant=0e195b37"
INVOICE = "G016907411"
USAGE_FULL, USAGE_BASIC = InvoiceFolder("billed_usage", PARTNER, INVOICE).exports
LINES_FULL, _ = InvoiceFolder("billed_reconciliation", PARTNER, INVOICE).exports


def _point(run: Run, zone: LandingZone, export: ExportFolder, version: str) -> None:
    run(zone.write(export.latest, json_bytes({"version": version})))


def _inputs(run: Run, zone: LandingZone) -> list[str]:
    return list(run(run(find_invoice(zone, DATASETS, INVOICE)).inputs()).values())


def test_inputs_are_what_the_pointers_name(run: Run, zone: LandingZone) -> None:
    """All attributes count more than few, whichever landed first; what has not landed is absent."""
    _point(run, zone, USAGE_BASIC, "b" * 16)
    assert _inputs(run, zone) == [f"attribute_set=basic/version={'b' * 16}", ABSENT]
    _point(run, zone, USAGE_FULL, "a" * 16)
    _point(run, zone, LINES_FULL, "c" * 16)
    assert _inputs(run, zone) == [f"attribute_set=full/version={'a' * 16}", f"attribute_set=full/version={'c' * 16}"]


def test_an_input_leads_to_its_version(run: Run, zone: LandingZone) -> None:
    """Of the export that it names."""
    _point(run, zone, USAGE_BASIC, "b" * 16)
    invoice = run(find_invoice(zone, DATASETS, INVOICE))
    inputs = run(invoice.inputs())
    assert invoice.version("billed_usage", inputs) == USAGE_BASIC.version("b" * 16)
    assert invoice.version("billed_reconciliation", inputs) is None


def test_data_outranks_the_mark_that_there_is_none(run: Run, zone: LandingZone) -> None:
    """Also when it lands after the mark."""
    run(zone.write(USAGE_FULL.no_data, b"{}"))
    assert _inputs(run, zone) == [NO_DATA, ABSENT]
    _point(run, zone, USAGE_BASIC, "b" * 16)
    assert _inputs(run, zone) == [f"attribute_set=basic/version={'b' * 16}", ABSENT]


@pytest.mark.parametrize("version", ["", "../../elsewhere", "A" * 16, "b" * 17, None])
def test_a_pointer_that_names_no_version_counts_as_none(run: Run, zone: LandingZone, version: str) -> None:
    """Whatever somebody wrote into it."""
    _point(run, zone, USAGE_FULL, version)
    assert _inputs(run, zone) == [ABSENT, ABSENT]


def test_an_invoice_of_no_partner_is_unknown(run: Run, zone: LandingZone) -> None:
    """In an empty zone, and beside other invoices."""
    for _ in range(2):
        with pytest.raises(NothingLanded, match="G016907412"):
            run(find_invoice(zone, DATASETS, "G016907412"))
        _point(run, zone, USAGE_FULL, "a" * 16)


def test_an_invoice_of_several_partners_is_refused(run: Run, zone: LandingZone) -> None:
    """Their sums would be mixed."""
    _point(run, zone, USAGE_FULL, "a" * 16)
    _point(run, zone, InvoiceFolder("billed_reconciliation", "partner_tenant=other", INVOICE).exports[0], "a" * 16)
    with pytest.raises(SeveralPartners, match="partner_tenant=0e195b37, partner_tenant=other"):
        run(find_invoice(zone, DATASETS, INVOICE))


def test_a_table_s_version_is_told_by_everything_that_makes_it() -> None:
    """The order in which inputs are named says nothing."""
    one = table_version({"usage": "a", "lines": "b"}, "2026-10", "m")
    assert one == table_version({"lines": "b", "usage": "a"}, "2026-10", "m")
    others = {
        table_version({"usage": "b", "lines": "b"}, "2026-10", "m"),
        table_version({"usage": "a", "lines": "b"}, "2026-09", "m"),
        table_version({"usage": "a", "lines": "b"}, "2026-10", "n"),
    }
    assert len({one, *others}) == 4
    assert len(one) == 16
