"""Which tables does a caller ask for?"""

import pytest

from catalog.invalid_request import NOT_COMBINED, NOT_KNOWN, InvalidRequest
from catalog.run_ids import EXPORT_ID, RUN_ID, TABLE_ID
from catalog.tables_request import TablesRequest


@pytest.mark.parametrize(
    ("body", "asked", "run_id"),
    [
        ({"invoiceId": "G016907411"}, TablesRequest("G016907411"), "table-G016907411"),
        ({"month": "2026-10"}, TablesRequest(month="2026-10"), "tables-2026-10"),
    ],
)
def test_an_invoice_or_a_month_is_asked_for(body: object, asked: TablesRequest, run_id: str) -> None:
    """Each call for the same has the same run."""
    request = TablesRequest.parse(body)
    assert request == asked
    assert request.run_id == run_id
    assert TABLE_ID.fullmatch(run_id)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (None, [""]),
        ([], [""]),
        ({}, ["invoiceId"]),
        ({"invoiceId": "D0300AB1CD"}, ["invoiceId"]),
        ({"invoiceId": "../G0169"}, ["invoiceId"]),
        ({"invoiceId": 1}, ["invoiceId"]),
        ({"month": "2026-13"}, ["month"]),
        ({"month": None}, ["month"]),
        ({"month": "2026-10", "invoiceId": "G016907411"}, ["invoiceId"]),
        ({"invoiceId": "G016907411", "attributeSet": "full"}, ["attributeSet"]),
        ({"colour": "red"}, ["colour", "invoiceId"]),
    ],
)
def test_anything_else_is_refused_with_every_fault(body: object, fields: list[str]) -> None:
    """Nothing from outside becomes a path or an id unchecked."""
    with pytest.raises(InvalidRequest) as refused:
        TablesRequest.parse(body)
    assert [field for field, _ in refused.value.faults] == fields


def test_what_is_not_known_is_told_from_what_cannot_be_combined() -> None:
    """Who has mistyped a name is not to look for what it clashes with."""
    with pytest.raises(InvalidRequest) as refused:
        TablesRequest.parse({"month": "2026-10", "invoiceId": "G016907411", "mnth": "2026-10"})
    assert refused.value.faults == (("invoiceId", NOT_COMBINED), ("mnth", NOT_KNOWN))


def test_tables_within_a_run_have_ids_and_are_no_exports() -> None:
    """They can be watched, and are not listed among exports."""
    within = [
        "billedUsage-G016907411-full:table:1f0c3b2a",
        "monthly-2026-10:table:1f0c3b2a",
        "monthly-2026-01-to-2026-10:2026-02:table:1f0c3b2a",
        "tables-2026-10:table:1f0c3b2a",
    ]
    assert all(TABLE_ID.fullmatch(id_) for id_ in within)
    assert not any(RUN_ID.fullmatch(id_) or EXPORT_ID.fullmatch(id_) for id_ in [*within, "table-G016907411"])
    assert not TABLE_ID.fullmatch("billedUsage-G016907411-full")
    assert not TABLE_ID.fullmatch("table-G016907411:table:XYZ")
